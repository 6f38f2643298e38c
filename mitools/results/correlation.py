"""Which columns of a table go with a target."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from mitools.core.files import writable_file
from mitools.report.correlation_finding import correlation_finding
from mitools.report.tables.write import write_csv
from mitools.results.notebook import as_html, as_text

SHOWN = (
    "column", "n", "pearson", "pearson_low", "pearson_high", "kendall", "spearman", "pearson_p_holm", "note",
)  # fmt: skip
"""The columns that a notebook and a prompt show; the table has them all."""


@dataclass(frozen=True, repr=False)
class CorrelationResult:
    """Correlations of every numeric column with a target.

    Attributes
    ----------
    table
        One row a column; see :func:`mitools.statistics.correlation.correlate`.
    target
        The column that the others are correlated with.
    rows
        How many rows the table read has.
    not_numeric
        Columns that were left out, since they hold no numbers.
    confidence
        Of the intervals, and of what the finding tells.
    finding
        Which columns go with the target, in a sentence.
    no_measures
        Columns of numbers that were left out, since they are no measures or were not named.
    """

    table: pd.DataFrame
    target: str
    rows: int
    not_numeric: Sequence[str]
    confidence: float
    no_measures: Sequence[str] = ()

    @property
    def finding(self) -> str:
        """Which columns go with the target: those with Holm-adjusted p-values below ``1 - confidence``."""
        return correlation_finding(self.table, self.target, self.confidence)

    def save(self, path: str | Path) -> Path:
        """Write the table as CSV.

        Raises
        ------
        InputError
            When a file cannot be written there.
        """
        file = writable_file(path)
        write_csv(self.table, file)
        return file

    def __repr__(self) -> str:
        return as_text(self.table, SHOWN, self._sentence())

    def _repr_html_(self) -> str:
        return as_html(self.table, SHOWN, [self._sentence()], {})

    def _sentence(self) -> str:
        intervals = f"{100 * self.confidence:g}% intervals"
        return f"with {self.target}, over {self.rows} rows; {intervals}. {self.finding}"
