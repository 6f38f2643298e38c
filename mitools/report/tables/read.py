"""A table as people keep it, read from a CSV file without guessing."""

import csv
import io
from collections import Counter
from pathlib import Path

import pandas as pd

from mitools.core.errors import InputError
from mitools.core.names import text_of_spreadsheet_cell
from mitools.report.tables.numbers import as_numbers


def read_csv(path: Path) -> pd.DataFrame:
    """Read a comma-separated table in UTF-8 with a header line.

    A first column without a name becomes the index, as pandas writes it. Nothing is renamed, cut or
    filled in: what pandas would repair silently is an error here. Percents, decimal commas and typographic
    minus signs are read and told (:func:`mitools.report.tables.numbers.as_numbers`).

    Raises
    ------
    InputError
        When the file is absent, empty or no text, two columns share a name, a column has none, a line has
        too few or too many cells, or there is no line below the header.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except IsADirectoryError:
        raise InputError(f"{path} is a folder; name a CSV file") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is no UTF-8 text; save the table as CSV") from None
    if not text.strip():
        raise InputError(f"{path} is empty; a header line and rows are needed")
    index = _check(path, text)
    first = 0 if index else False
    try:
        table = pd.read_csv(io.StringIO(text), index_col=first)
        cells = pd.read_csv(io.StringIO(text), index_col=first, dtype=str, keep_default_na=False)
        cells.index = table.index
    except pd.errors.ParserError as error:
        raise InputError(f"{path} is no CSV table: {error}") from None
    return _with_own_names(as_numbers(path, table), cells)


def _with_own_names(table: pd.DataFrame, cells: pd.DataFrame) -> pd.DataFrame:
    """Read texts as they were before :func:`mitools.report.tables.write.write_csv`; one may be called NA."""
    named = table.copy()
    for place, name in enumerate(table.columns):
        known = table[name].dropna()
        if known.map(lambda value: isinstance(value, str)).any() or known.empty:
            texts = cells.iloc[:, place]
            named[name] = texts.where(texts != "").map(text_of_spreadsheet_cell, na_action="ignore")
    return named.rename(columns=text_of_spreadsheet_cell)


def _check(path: Path, text: str) -> bool:
    """Refuse a malformed table; return whether its first column is an index."""
    reader = csv.reader(io.StringIO(text))
    try:
        header = next(row for row in reader if row)
        rows = 0
        for row in reader:
            if row and len(row) != len(header):
                raise InputError(
                    f"{path}, line {reader.line_num}: {len(row)} cells, but the header names {len(header)}"
                )
            rows += bool(row)
    except csv.Error as error:
        raise InputError(f"{path} is no CSV table: {error}") from None
    if "\0" in text:
        raise InputError(f"{path} holds NUL bytes, so it is no text; save the table as CSV")
    if len(header) == 1 and (";" in header[0] or "\t" in header[0]):
        raise InputError(f"{path}: separate the columns with commas")
    index = header[0].strip() == ""
    names = [text_of_spreadsheet_cell(name) for name in header[index:]]
    if any(name.strip() == "" for name in names) or not names:
        raise InputError(f"{path}: a column of the header has no name; name every column")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise InputError(f"{path}: {count} columns are called {name!r}; rename all but one")
    if not rows:
        raise InputError(f"{path} has a header but no rows")
    return index
