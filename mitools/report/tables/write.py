"""The tables of a run as files: for spreadsheets, for pandas and for programs."""

import csv
import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from mitools.core.files import whole_file, write_text
from mitools.core.names import spreadsheet_cell
from mitools.statistics.correlation import CORRELATION_COLUMNS
from mitools.statistics.paired_differences import COMPARISON_COLUMNS


def write_tables(
    results: pd.DataFrame,
    correlation: pd.DataFrame | None,
    comparisons: pd.DataFrame | None,
    folder: Path,
) -> list[Path]:
    """Write ``results.csv``, ``.parquet`` and ``.json``, ``correlation.csv`` and ``comparisons.csv``.

    Every file is whole or absent. A table that could not be made (too few encoders to correlate) is written
    as its header alone, so that no file of an earlier run stays beside newer results.

    Parameters
    ----------
    results
        One row an encoder.
    correlation
        As :func:`mitools.statistics.correlation.correlate` returns it, or None.
    comparisons
        As :func:`mitools.statistics.paired_differences.compare` returns it, or None.
    folder
        Made if absent.

    Returns
    -------
    list of Path
        The five files.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    if correlation is None:
        correlation = pd.DataFrame(columns=list(CORRELATION_COLUMNS))
    if comparisons is None:
        comparisons = pd.DataFrame(columns=list(COMPARISON_COLUMNS))
    paths = [folder / name for name in ("results.csv", "correlation.csv", "comparisons.csv")]
    for path, table in zip(paths, (results, correlation, comparisons), strict=True):
        write_csv(table, path)
    parquet, document = folder / "results.parquet", folder / "results.json"
    with whole_file(parquet) as temporary:
        results.to_parquet(temporary, index=False)
    write_text(document, json.dumps(records(results), indent=2, allow_nan=False) + "\n")
    return [*paths, parquet, document]


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, whole or not at all, with all digits; absent values are empty cells.

    A text that a spreadsheet would run as a formula is written with an apostrophe before it.

    Raises
    ------
    OSError
        When the file cannot be written.
    """
    cells = _for_spreadsheets(table)
    # Python leaves a carriage return unquoted, which readers take for the end of a line.
    returns = any("\r" in text for text in _texts(cells))
    quoting = csv.QUOTE_NONNUMERIC if returns else csv.QUOTE_MINIMAL
    with whole_file(path) as temporary:
        cells.to_csv(temporary, index=False, lineterminator="\n", errors="backslashreplace", quoting=quoting)


def _for_spreadsheets(table: pd.DataFrame) -> pd.DataFrame:
    def safe(value: Any) -> Any:
        return spreadsheet_cell(value) if isinstance(value, str) else value

    texts = [name for name, kind in table.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    cells = table.assign(**{str(name): table[name].map(safe) for name in texts})
    return cells.rename(columns=safe)


def _texts(table: pd.DataFrame) -> Iterator[str]:
    """Give the names of the columns and all cells that are texts."""
    yield from map(str, table.columns)
    for name, kind in table.dtypes.items():
        if not pd.api.types.is_numeric_dtype(kind):
            yield from (cell for cell in table[name] if isinstance(cell, str))


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows as JSON values: one object a row, absent and infinite values None.

    Examples
    --------
    >>> records(pd.DataFrame({"encoder": ["pixels"], "nmi": [float("nan")]}))
    [{'encoder': 'pixels', 'nmi': None}]
    """
    return [
        {str(name): None if _is_absent(value) else value for name, value in row.items()}
        for row in table.astype(object).to_dict("records")
    ]


def _is_absent(value: Any) -> bool:
    if isinstance(value, float):
        return not math.isfinite(value)
    return value is None or value is pd.NA
