"""The result of an audit on continuous targets, or on several labels an item."""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.auditing.target_audit import TargetAudit
from mitools.core.estimate import Estimate
from mitools.core.files import folder_or_scratch, writable_file, writable_folder
from mitools.report.html.render import PAGE_FILE, page_of_folder, write_page
from mitools.report.html.targets_page import targets_page
from mitools.report.targets import (
    SCORES,
    TargetTables,
    target_chart,
    target_finding,
    target_tables,
    write_target_audit,
    write_target_documents,
)
from mitools.results.notebook import as_html, as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (
    "encoder", "dim", "i_target_bits", "i_target_low", "i_target_high", "i_target_null",
    "i_target_infonce_bits", "r2", "mean_average_precision", "warnings",
)  # fmt: skip
"""The columns that a notebook and a prompt show; the table has them all."""


class TargetAuditResult:
    """What each encoder says of continuous targets, or of several labels an item.

    Parameters
    ----------
    audit
        What was found out.
    seed
        Of the bootstrap behind the correlation.

    Attributes
    ----------
    table
        One row an encoder, or a layer of it: the columns of ``results.csv``.
    targets
        One row an encoder and target: the columns of ``targets.csv``.
    comparisons
        Every two encoders, with paired intervals from the same items; None with one encoder.
    correlation
        Every measure with the score (``r2`` or ``mean_average_precision``); None with fewer than three
        encoders.
    finding
        What was found, in sentences that the intervals allow.
    files
        What :meth:`save` has written, the last time.
    """

    def __init__(self, audit: TargetAudit, seed: int = 0) -> None:
        self.files: list[Path] = []
        self._audit = audit
        self._seed = seed

    @cached_property
    def _tables(self) -> TargetTables:
        return target_tables(self._audit, self._seed)

    @property
    def table(self) -> pd.DataFrame:
        """One row an encoder, or a layer of it: the columns of ``results.csv``."""
        return self._tables.results

    @property
    def targets(self) -> pd.DataFrame:
        """One row an encoder and target: the columns of ``targets.csv``."""
        return self._tables.targets

    @property
    def comparisons(self) -> pd.DataFrame | None:
        """Every two encoders, with paired intervals from the same items; None with one encoder."""
        return self._tables.comparisons

    @property
    def correlation(self) -> pd.DataFrame | None:
        """Every measure with the score; None with fewer than three encoders."""
        return self._tables.correlation

    @property
    def data(self) -> str:
        """The name of the data."""
        return self._audit.data

    @property
    def kind(self) -> str:
        """What the targets are: ``continuous`` or ``multi-label``."""
        return self._audit.kind

    @property
    def score(self) -> str:
        """The column of held-out predictions: ``r2`` or ``mean_average_precision``."""
        return SCORES[self.kind]

    @property
    def failures(self) -> Mapping[str, str]:
        """Encoders that could not be audited, each with the reason."""
        return self._audit.failures

    @property
    def estimates(self) -> dict[str, Mapping[str, Estimate]]:
        """The full estimates behind each row, by encoder and column (``i_target``, ...)."""
        return {str(one.row["encoder"]): one.estimates for one in self._audit.encoders}

    @property
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""
        return target_finding(self._audit, self._tables)

    def plot(self, ax: "Axes | None" = None) -> Any:
        """Draw what is certified of every encoder; a new figure when `ax` is None."""
        return target_chart(self.table, ax=ax)

    def save(self, folder: str | Path, *, html: bool = True) -> list[Path]:
        """Write what the command line writes: tables, the figure, the full estimates and the page.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        self.files = write_target_audit(self._audit, self._tables, out)
        self.files += page_of_folder(targets_page, out, html)
        return self.files

    def report(self, file: str | Path = PAGE_FILE) -> Path:
        """Write the page alone: one HTML file that needs nothing beside it.

        Raises
        ------
        InputError
            When the file cannot be written.
        """
        path = writable_file(file)
        with folder_or_scratch(None) as scratch:
            write_target_documents(self._audit, self._tables, scratch)
            return write_page(targets_page(scratch), path)

    def __repr__(self) -> str:
        return as_text(self.table, SHOWN, self._sentence())

    def _repr_html_(self) -> str:
        return as_html(self.table, SHOWN, [self._sentence()], self.failures)

    def _sentence(self) -> str:
        names = ", ".join(self._audit.targets[:5]) + (", ..." if len(self._audit.targets) > 5 else "")
        return f"bits about the {self.kind} targets of {self.data}: {names}; target by target in .targets"
