"""The result of an audit."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mitools.auditing.audit import Audit
from mitools.core.names import check_name
from mitools.report.audit import AUDIT_FIGURES, AuditTables, audit_tables, write_audit, write_documents
from mitools.report.finding import audit_finding
from mitools.report.html.audit.page import audit_page
from mitools.report.html.parts import Page
from mitools.results.encoder_result import EncoderResult

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mitools.core.progress import Advance
    from mitools.results.comparing import ComplementResult, SimilarityResult

SHOWN = (
    "encoder", "dim", "i_class_bits", "i_class_low", "i_class_high", "h_c_bits", "label_information_bits",
    "linear_acc", "knn20_acc", "warnings",
)  # fmt: skip
"""The columns that a notebook and a prompt show; the table has them all."""


class AuditResult(EncoderResult):
    """How much class information each encoder carries, and all it is compared with.

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
    comparisons
        Every two encoders, with paired intervals from the same items; None with one encoder.
    correlation
        Every measure with linear accuracy; None with fewer than three encoders.
    finding
        What was found, in sentences that the intervals allow.
    files
        What :meth:`save` has written, the last time.
    complemented
        What every encoder adds to every other, where it was asked for with a folder; else None.
    """

    shown = SHOWN
    _audit: Audit

    def __init__(self, audit: Audit, seed: int = 0) -> None:
        super().__init__(audit, seed)
        self.complemented: ComplementResult | None = None

    @cached_property
    def _tables(self) -> AuditTables:
        return audit_tables(self._audit, self._seed)

    @property
    def views(self) -> Sequence[str]:
        """Names of the views whose pairs were measured, as their columns have them."""
        return self._audit.views

    @property
    def influence_nats(self) -> dict[str, NDArray[np.float64]]:
        """How each report item moves the certificate, shape (n_report,), by encoder."""
        return {encoder.title: encoder.influence_nats for encoder in self._audit.encoders}

    @property
    def finding(self) -> list[str]:
        """What was found, in sentences that the intervals allow."""
        return audit_finding(self.table, self.comparisons)

    def complement(
        self, progress: "bool | Advance" = False, folder: str | Path | None = None
    ) -> "ComplementResult":
        """Read what every encoder adds to every other: I(C; A | B) of a linear reader, with paired intervals.

        Parameters
        ----------
        progress
            Show a bar; or a function (what, done, total).
        folder
            Keep what was read under ``cells`` there, and go on from it.

        Returns
        -------
        ComplementResult
            ``.table``, ``.redundancy``, ``.subsets(k)``, ``.plot()``, ``.save(folder)``.

        Raises
        ------
        InputError
            When the audit has one encoder.
        """
        from mitools.comparing.complement import complement
        from mitools.core.progress import shown, uncounted
        from mitools.core.result_store import ResultStore
        from mitools.results.comparing import ComplementResult

        encoders, prior = self._audit.encoder_set(), self._audit.prior
        store = None if folder is None else ResultStore(Path(folder) / "cells")
        with shown(progress) as advance, uncounted(advance):
            found = complement(encoders, prior, self._seed, advance, store)
        return ComplementResult(encoders, found, prior, self._seed)

    def similarity(self, kinds: str | Sequence[str] = "linear_cka") -> "SimilarityResult":
        """Measure how alike every two encoders see the same items, with intervals.

        Parameters
        ----------
        kinds
            ``linear_cka``, ``rbf_cka``, ``svcca``, ``procrustes``, ``mutual_neighbours``: one, or several.

        Returns
        -------
        SimilarityResult
            ``.table``, ``.matrix(kind)``, ``.plot(kind)``, ``.save(folder)``.

        Raises
        ------
        InputError
            When the audit has one encoder, or a kind is unknown.
        """
        from mitools.comparing.similarity import similarity
        from mitools.results.comparing import SimilarityResult

        asked = [kinds] if isinstance(kinds, str) else list(kinds)
        return SimilarityResult(similarity(self._audit.encoder_set(), asked, self._seed), asked)

    def plot(self, name: str = "brackets", ax: "Axes | Sequence[Axes] | None" = None) -> Any:
        """Draw a figure of the audit.

        Parameters
        ----------
        name
            ``brackets``: what is certified of each encoder, what is open, and H(C). ``scatter``: every
            measure against linear accuracy. ``depth``: the bits of each layer, where layers were read.
        ax
            Where to draw; a new figure when None.

        Returns
        -------
        matplotlib.axes.Axes or array of them
            What was drawn on.

        Raises
        ------
        InputError
            When there is no such figure, or nothing to draw in it.
        """
        check_name("figure", name, AUDIT_FIGURES)
        return AUDIT_FIGURES[name](self.table, ax=ax)

    def _write(self, out: Path) -> list[Path]:
        return write_audit(self._audit, self._tables, out)

    def _write_documents(self, out: Path) -> None:
        write_documents(self._audit, self._tables, out)

    def _page(self, folder: Path) -> Page:
        return audit_page(folder)

    def _sentence(self) -> str:
        text = f"bits of class information in {self.data}, of H(C) = {self.table['h_c_bits'].iloc[0]:.3f}"
        if self.comparisons is not None:
            told = int((self.comparisons["verdict"] != "not told apart").sum())
            text += f"; {told} of {len(self.comparisons)} pairs of encoders differ (.comparisons)"
        return text
