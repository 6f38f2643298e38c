"""What a folder of results keeps, read back: a page is made from files alone, and can be made again."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from mitools.core.names import text_of_spreadsheet_cell


def read_json(path: Path, absent: Any) -> Any:
    """Read a document; give `absent` where there is none."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return absent


def read_table(path: Path, texts: Sequence[str]) -> pd.DataFrame:
    """Read a table that :func:`mitools.report.tables.write.write_csv` wrote; empty where there is none.

    Parameters
    ----------
    path
        The file.
    texts
        Columns that hold texts, whatever they look like. In all others an empty cell is an absent value.
    """
    if not path.is_file():
        return pd.DataFrame()
    table = pd.read_csv(
        path, dtype=dict.fromkeys(texts, str), keep_default_na=False, na_values={}, index_col=False
    )
    for name in table:
        if name in texts:
            table[name] = table[name].map(text_of_spreadsheet_cell)
        elif not pd.api.types.is_numeric_dtype(table[name]):
            numbers = pd.to_numeric(table[name].replace("", None), errors="coerce")
            if numbers.notna().sum() == (table[name] != "").sum():
                table[name] = numbers
    return table


def read_parquet(path: Path) -> pd.DataFrame:
    """Read a table with its types; empty where there is none."""
    return pd.read_parquet(path) if path.is_file() else pd.DataFrame()
