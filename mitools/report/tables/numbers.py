"""Numbers in a table as people write them: percents, decimal commas, typographic minus signs."""

import re
import warnings
from pathlib import Path

import pandas as pd

from mitools.core.errors import DataNote, InputError

_MINUS = "\u2212\u2012\u2013\ufe63\uff0d"
_TYPOGRAPHIC = str.maketrans({**dict.fromkeys(_MINUS, "-"), "\u00a0": "", "\u202f": "", "\u2009": ""})
_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_COMMA = re.compile(r"[+-]?\d+,\d+([eE][+-]?\d+)?")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+")


def as_numbers(path: Path, table: pd.DataFrame) -> pd.DataFrame:
    """Read the columns of texts that are numbers in another notation; others stay texts.

    A minus sign of typography is a minus; a percent is a hundredth; a decimal comma is a point. What was
    read so is told in a note.

    Parameters
    ----------
    path
        For messages.
    table
        As the CSV file was read.

    Raises
    ------
    InputError
        When commas may part thousands as well as decimals (``1,234``).
    """
    read = table.copy()
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            continue
        found = _numbers(path, str(name), column)
        if found is not None:
            read[name], how = found
            warnings.warn(DataNote(f"{path}: column {str(name)!r} was read with {how}"), stacklevel=3)
    return read


def _numbers(path: Path, name: str, column: pd.Series) -> tuple[pd.Series, str] | None:
    given = column.dropna()
    if given.empty:
        return None
    cells = given.astype(str).str.translate(_TYPOGRAPHIC).str.strip()
    how = ["typographic minus signs or spaces"] if (cells != given.astype(str).str.strip()).any() else []
    percents = cells.str.endswith("%")
    if percents.any() and not percents.all():
        if cells[percents].str.rstrip("%").str.strip().str.fullmatch(_POINT).all():
            raise InputError(f"{path}: column {name!r} mixes percents and other numbers; write one kind")
        return None
    if percents.any():
        cells = cells.str.rstrip("%").str.strip()
        how.append("percents as hundredths")
    commas = cells.str.contains(",")
    if commas.any():
        if (
            not cells[commas].str.fullmatch(_COMMA).all()
            and not cells[commas].str.fullmatch(_THOUSANDS).all()
        ):
            return None
        if not cells[~commas].str.fullmatch(_POINT).all():
            return None
        if (
            cells[commas].str.fullmatch(_THOUSANDS).all()
            or cells[~commas].str.contains(".", regex=False).any()
        ):
            raise InputError(
                f"{path}: column {name!r} holds {given[commas].iloc[0]!r}, whose comma may part decimals or"
                " thousands; write a decimal point and no comma"
            )
        cells = cells.str.replace(",", ".", regex=False)
        how.append("decimal commas")
    if not how or not cells.str.fullmatch(_POINT).all():
        return None
    numbers = cells.astype(float) / (100 if percents.any() else 1)
    return numbers.reindex(column.index), " and ".join(how)
