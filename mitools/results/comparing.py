"""Results of comparing the encoders of an audit: what one adds to another, and how alike they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from mitools.comparing.complement import Complements
from mitools.comparing.encoder_set import EncoderSet
from mitools.comparing.similarity import DEFAULT_SIMILARITY, similarity_matrix
from mitools.comparing.subset import best_subsets
from mitools.core.files import writable_folder
from mitools.estimators.inputs.class_prior import Prior
from mitools.report.figures.matrix import complement_matrix, similarity_chart
from mitools.report.figures.save import write_chart
from mitools.report.finding import complement_finding
from mitools.report.tables.write import write_csv
from mitools.results.notebook import as_html, as_text

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN = ("encoder", "given", "complement_bits", "low_bits", "high_bits", "verdict", "at_most_bits")
"""The columns that a notebook and a prompt show; the table has them all."""

SUBSET_SIZE = 3
"""Encoders in the largest subset that is written, where there are as many."""


@dataclass(frozen=True, repr=False)
class ComplementResult:
    """What every encoder of an audit adds to every other.

    Attributes
    ----------
    encoders
        Their features of the same items.
    found
        See :class:`mitools.comparing.complement.Complements`.
    prior, seed
        Of the readings.
    """

    encoders: EncoderSet
    found: Complements
    prior: Prior
    seed: int

    @property
    def table(self) -> pd.DataFrame:
        """One row an ordered pair: what ``encoder`` adds to ``given``, with its paired interval."""
        return self.found.complement

    @property
    def redundancy(self) -> pd.DataFrame:
        """One row a pair, as a linear reader reads it: what both have in common and beyond the better one."""
        return self.found.redundancy

    def subsets(self, k: int | None = None) -> pd.DataFrame:
        """Choose the best pair and the best few encoders on *select*, and report them on *report*.

        Parameters
        ----------
        k
            Encoders in the largest subset; 3, or all where there are fewer, when None.

        Raises
        ------
        InputError
            When `k` is out of range.
        """
        most = min(SUBSET_SIZE, len(self.encoders.rows)) if k is None else k
        return best_subsets(self.encoders, most, self.prior, self.seed)

    def plot(self, ax: "Axes | None" = None) -> Any:
        """Draw the matrix: rows add to columns; on a new figure when `ax` is None."""
        return complement_matrix(self.table, ax=ax)

    def save(self, folder: str | Path, data: str = "") -> list[Path]:
        """Write ``complement.csv``, ``redundancy.csv``, ``subsets.csv`` and ``figures/complement``.

        Parameters
        ----------
        folder
            Where to.
        data
            The name of the data, for the figure.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        tables = {"complement": self.table, "redundancy": self.redundancy, "subsets": self.subsets()}
        for name, table in tables.items():
            write_csv(table, out / f"{name}.csv")
        subject = _subject(data, len(self.encoders.labels))
        figures = write_chart(out / "figures" / "complement", complement_matrix, self.table, subject=subject)
        return [*(out / f"{name}.csv" for name in tables), *figures]

    def sentence(self) -> str:
        """Say what was found, as far as the intervals allow."""
        return complement_finding(self.table, self.found.h_c_bits)

    def __repr__(self) -> str:
        return as_text(self.table, SHOWN, self.sentence())

    def _repr_html_(self) -> str:
        return as_html(self.table, SHOWN, [self.sentence()], {})


@dataclass(frozen=True, repr=False)
class SimilarityResult:
    """How alike every two encoders of an audit see the same items.

    Attributes
    ----------
    table
        One row a kind and pair: ``similarity``, ``encoder_a``, ``encoder_b``, ``value``, ``low``, ``high``,
        ``by_chance``, ``n``.
    kinds
        Those that were asked for.
    """

    table: pd.DataFrame
    kinds: Sequence[str] = (DEFAULT_SIMILARITY,)

    def matrix(self, kind: str | None = None) -> pd.DataFrame:
        """Lay a kind out as a matrix, the first where none is named."""
        return similarity_matrix(self.table, kind or self.kinds[0])

    def plot(self, kind: str | None = None, ax: "Sequence[Axes] | None" = None) -> Any:
        """Draw a dendrogram and the matrix of a kind, on two axes; on a new figure when `ax` is None."""
        kind = kind or self.kinds[0]
        return similarity_chart(self.matrix(kind), kind, ax=ax)

    def save(self, folder: str | Path, data: str = "") -> list[Path]:
        """Write ``similarity.csv`` and a figure a kind; parameters as for :meth:`ComplementResult.save`.

        Raises
        ------
        InputError
            When the folder cannot be written.
        """
        out = writable_folder(folder)
        write_csv(self.table, out / "similarity.csv")
        files = [out / "similarity.csv"]
        for kind in self.kinds:
            subject = _subject(data, int(self.table["n"].iloc[0]))
            matrix = self.matrix(kind)
            files += write_chart(out / "figures" / kind, similarity_chart, matrix, kind, subject=subject)
        return files

    def __repr__(self) -> str:
        return as_text(self.table, (), f"{', '.join(self.kinds)}: 1 for the same encoder; 95% intervals")

    def _repr_html_(self) -> str:
        return as_html(self.table, (), [f"{', '.join(self.kinds)}: 1 for the same encoder"], {})


def _subject(data: str, n: int) -> str:
    """Say what a figure is drawn from."""
    return ", ".join(filter(None, [data, f"n = {n:,}"]))
