"""The result of an audit on continuous targets, or on several labels an item."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.auditing.target_audit import TargetAudit
from mitools.report.html.parts import Page
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
from mitools.results.encoder_result import EncoderResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = (
    "encoder", "dim", "i_target_bits", "i_target_low", "i_target_high", "i_target_null",
    "i_target_infonce_bits", "r2", "mean_average_precision", "warnings",
)  # fmt: skip
"""The columns that a notebook and a prompt show; the table has them all."""


class TargetAuditResult(EncoderResult):
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

    shown = SHOWN
    _audit: TargetAudit

    @cached_property
    def _tables(self) -> TargetTables:
        return target_tables(self._audit, self._seed)

    @property
    def targets(self) -> pd.DataFrame:
        """One row an encoder and target: the columns of ``targets.csv``."""
        return self._tables.targets

    @property
    def kind(self) -> str:
        """What the targets are: ``continuous`` or ``multi-label``."""
        return self._audit.kind

    @property
    def score(self) -> str:
        """The column of held-out predictions: ``r2`` or ``mean_average_precision``."""
        return SCORES[self.kind]

    @property
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""
        return target_finding(self._audit, self._tables)

    def plot(self, ax: "Axes | None" = None) -> Any:
        """Draw what is certified of every encoder; a new figure when `ax` is None."""
        return target_chart(self.table, ax=ax)

    def _write(self, out: Path) -> list[Path]:
        return write_target_audit(self._audit, self._tables, out)

    def _write_documents(self, out: Path) -> None:
        write_target_documents(self._audit, self._tables, out)

    def _page(self, folder: Path) -> Page:
        return targets_page(folder)

    def _sentence(self) -> str:
        names = ", ".join(self._audit.targets[:5]) + (", ..." if len(self._audit.targets) > 5 else "")
        return f"bits about the {self.kind} targets of {self.data}: {names}; target by target in .targets"
