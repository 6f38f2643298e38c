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


def symbol_values(values: ArrayLike, name: str) -> NDArray:
    """Return one value a row, shape (n,), checked as :func:`as_symbols` does.

    Parameters
    ----------
    values, name
        As for :func:`as_symbols`.

    Returns
    -------
    NDArray
        The values themselves where there is one a row, else a name for each different row.
    """
    array = as_array(values, name)
    symbols = as_symbols(array, name)
    if array.ndim == 1 or array.shape[1] == 1:
        return array.reshape(-1)
    return (symbols if symbols.ndim == 1 else np.zeros(len(symbols), dtype=np.int64)).astype(np.str_)


def numbered_together(x: NDArray, y: NDArray) -> tuple[WholeNumbers, WholeNumbers, int]:
    """Give the symbols of both sides numbers of one alphabet, so that the same value has the same number.

    Where they have no value in common, as names and numbers, only the place of a symbol among those of its
    side is shared.

    Parameters
    ----------
    x, y
        Shape (n,).

    Returns
    -------
    tuple[WholeNumbers, WholeNumbers, int]
        Numbers 0..K-1 of x and of y, and K.
    """
    (of_x, x), (of_y, y) = (np.unique(side, return_inverse=True) for side in (x, y))
    comparable = (of_x.dtype.kind == "U") == (of_y.dtype.kind == "U")
    if not comparable or not np.isin(of_x, of_y).any():
        return x.astype(np.int64), y.astype(np.int64), max(len(of_x), len(of_y))
    both = np.union1d(of_x, of_y)
    return np.searchsorted(both, of_x)[x], np.searchsorted(both, of_y)[y], len(both)
