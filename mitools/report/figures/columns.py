"""Columns of a table as a figure reads them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from mitools.core.errors import InputError

Floats = NDArray[np.floating[Any]]


def require_columns(table: pd.DataFrame, columns: Sequence[str] = ()) -> None:
    """Refuse a table that lacks a column or has no rows.

    Raises
    ------
    InputError
        When a column is absent, which is named, or there are no rows.
    """
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise InputError(f"the figure needs the column {absent[0]!r}, which the table lacks")
    if table.empty:
        raise InputError("the table has no rows, so there is nothing to draw")


def column_values(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as float64, shape (rows,); NaN where it is absent, empty or not a number.

    Examples
    --------
    >>> column_values(pd.DataFrame({"bits": [1.5, None, "none"]}), "bits").tolist()
    [1.5, nan, nan]
    """
    if column not in table:
        return np.full(len(table), np.nan)
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
