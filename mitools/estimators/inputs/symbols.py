"""Rows as symbols: equal rows are one symbol."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.estimators.array_types import WholeNumbers
from mitools.estimators.inputs.validation import as_array, as_labels, as_precise_rows


def as_symbols(values: ArrayLike, name: str) -> WholeNumbers:
    """Return symbols 0..K-1, shape (n,), one for every different row; a constant side has no column.

    Parameters
    ----------
    values
        Whole numbers or strings of shape (n,), or whole numbers of shape (n, d).
    name
        Of the values, for messages.

    Raises
    ------
    InputError
        When the values are no whole numbers (nor, of shape (n,), strings).
    """
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] > 1:
        # Whole numbers as they are: those above 2^53 would lose their last digits as floats.
        rows = array if array.dtype.kind in "iub" and array.size else as_precise_rows(array, name)
        if rows.dtype.kind == "f" and (rows != np.round(rows)).any():
            raise InputError(f"{name} is not of whole numbers; use the binned method, or round it")
        symbols = row_symbols(rows)
    else:
        symbols = as_labels(array, name)
    return symbols if symbols.any() else symbols[:, None][:, :0]


def row_symbols(rows: NDArray) -> WholeNumbers:
    """Give equal rows equal numbers 0..K-1, shape (n, d) to (n,)."""
    rows = np.ascontiguousarray(rows)
    # As one value of raw bytes a row sorts in one comparison; adding 0 makes -0 and 0 the same bytes.
    as_bytes = (rows + 0).view(np.dtype((np.void, rows.itemsize * rows.shape[1])))[:, 0]
    return np.unique(as_bytes, return_inverse=True)[1].astype(np.int64)
