"""What in a table goes with what."""

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import listed

if TYPE_CHECKING:
    from mitools.results.correlation import CorrelationResult


def correlate(
    table: Any,
    target: str = "linear_acc",
    *,
    columns: str | Sequence[str] | None = None,
    lower_is_better: str | Sequence[str] | None = None,
    confidence: float = 0.95,
    bootstrap: int = 2000,
    seed: int = 0,
) -> "CorrelationResult":
    """Correlate the measures of a table with a target column.

    Pearson, Kendall (tau-b) and Spearman with bootstrap intervals, the range over leaving one row out, and
    p-values adjusted (Holm) for the number of columns.

    Parameters
    ----------
    table
        One row an encoder: a DataFrame, the path of a CSV file, or an audit.
    target
        The column to correlate with.
    columns
        The measures; every column of numbers that is one when None: no limits of intervals, seconds, counts
        or entropies. Holm's adjustment counts them.
    lower_is_better
        The column, or columns, whose sign is turned; ``alignment`` and ``uniformity`` where present when
        None.
    confidence
        Of the intervals; ``finding`` tells what has Holm-adjusted p-values below ``1 - confidence``.
    bootstrap
        Resamples of the rows, 100 to 20,000.
    seed
        Of the resamples.

    Returns
    -------
    CorrelationResult
        Its ``table`` has one row a column; ``finding`` says which go with the target.

    Raises
    ------
    InputError
        When the table cannot be read, or the target is no numeric column that varies over three rows.

    Examples
    --------
    >>> import pandas as pd, mitools
    >>> table = pd.DataFrame({"bits": [1.0, 1.5, 1.9, 2.3], "linear_acc": [0.5, 0.7, 0.8, 0.9]})
    >>> found = mitools.correlate(table, target="linear_acc")
    >>> found.table["column"].tolist(), found.table["pearson"].round(2).tolist()
    (['bits'], [0.99])
    """
    import pandas as pd

    from mitools.core.errors import InputError
    from mitools.core.names import nearest
    from mitools.report.tables.read import read_csv
    from mitools.results.correlation import CorrelationResult
    from mitools.statistics import correlation

    if isinstance(table, str | PathLike):
        table = read_csv(Path(table))
    if not isinstance(table, pd.DataFrame):  # asked first: a column may be called "table"
        table = getattr(table, "table", table)
    if not isinstance(table, pd.DataFrame):
        raise InputError(
            f"the table is a {type(table).__name__}; give a DataFrame, the path of a CSV file, or an audit"
        )
    turned = correlation.LOWER_IS_BETTER if lower_is_better is None else lower_is_better
    table = table.rename(columns=str)
    numeric = correlation.numeric_columns(table)
    if columns is None:
        turned_by_name = [] if lower_is_better is None else listed(turned)
        measures = correlation.measure_columns(table, str(target))
        chosen = [name for name in table if name in {*measures, *turned_by_name}]
    else:
        chosen = list(dict.fromkeys([*listed(columns), str(target)]))
        for name in chosen:
            if name not in numeric:
                raise InputError(f"no column of numbers {name!r}; accepted: {nearest(name, numeric, 5)}")
    if str(target) not in chosen and str(target) in table:
        chosen.append(str(target))
    found = correlation.correlate(
        table[chosen], target, lower_is_better=turned, confidence=confidence, bootstrap=bootstrap, seed=seed
    )
    others = [name for name in table if name not in numeric]
    left_out = [name for name in numeric if name not in chosen]
    return CorrelationResult(found, str(target), len(table), others, confidence, left_out)
