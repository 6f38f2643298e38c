"""Columns that single precision does not resolve where they lie, moved to where it does."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

RESOLVED_STEPS = 1000.0
"""Steps of a precision that the values of a column must span; fewer show its rounding errors."""

LARGEST_WHOLE = 2.0**53
"""Up to which double precision tells all whole numbers apart."""

_SMALLEST = float(np.finfo(np.float32).tiny)
_NUMBERS_AT_ONCE = 1 << 24


@dataclass(frozen=True)
class Centring:
    """The shift of the columns that single precision does not resolve, such as time stamps.

    Such a column is read as ``(value - centre) * scale``, worked out in the precision in which it is
    stored; mutual information is that of the column itself. All other columns are read as they are.

    Attributes
    ----------
    columns
        Shape (k,): the numbers of the columns that are shifted.
    centre
        Shape (k,), int64 or uint64 of whole numbers, else float64: the middle of each column's range.
    scale
        Shape (k,): 1, but where a range is so small that single precision has no numbers for it.

    Examples
    --------
    >>> stamps = np.array([[1.7e9], [1.7e9 + 1], [1.7e9 + 2]])
    >>> centring = find_centring(stamps)
    >>> centring(stamps).ravel().tolist()
    [-1.0, 0.0, 1.0]
    >>> find_centring(stamps - 1.7e9) is None
    True
    """

    columns: NDArray[np.int64]
    centre: NDArray[Any]
    scale: NDArray[np.float64]

    def __call__(self, rows: NDArray[Any]) -> NDArray[np.float32]:
        """Read rows in single precision, shape (m, d)."""
        with np.errstate(over="ignore"):  # the caller checks what is not finite, with its row
            found = rows.astype(np.float32)
            found[:, self.columns] = self._shifted(rows[:, self.columns]) * self.scale
        return found

    def _shifted(self, values: NDArray[Any]) -> NDArray[np.float64]:
        if self.centre.dtype.kind in "iu" and values.dtype.kind in "iu":
            return _difference(values.astype(self.centre.dtype), self.centre)
        return values.astype(np.float64) - self.centre.astype(np.float64)


def find_centring(array: NDArray[Any]) -> Centring | None:
    """Find the columns that single precision does not resolve where they lie; None where it does all.

    Parameters
    ----------
    array
        Shape (n, d), real, possibly mapped from a file; looked at a bounded part at a time.

    Notes
    -----
    A column counts as resolved when its range spans a thousand steps of single precision at its largest
    value. One whose range spans less than a thousand steps of its own precision counts as constant: what it
    shows are rounding errors. Whole numbers have none.
    """
    if np.can_cast(array.dtype, np.float32, "safe") or not array.size:
        return None
    whole = array.dtype.kind in "iu"
    low, high = array[0], array[0]
    for some in _spans(*array.shape):
        low, high = np.minimum(low, array[some].min(axis=0)), np.maximum(high, array[some].max(axis=0))
    with np.errstate(invalid="ignore", over="ignore"):
        first, last = low.astype(np.float64), high.astype(np.float64)
        reach, spread = np.maximum(np.abs(first), np.abs(last)), last - first
        rounding = 0.0 if whole else RESOLVED_STEPS * np.finfo(np.float64).eps * reach
        varies = (high > low) & (spread >= rounding)
        step = np.maximum(np.finfo(np.float32).eps * reach, _SMALLEST)
        columns = np.flatnonzero(varies & (spread < RESOLVED_STEPS * step))
    if not len(columns):
        return None
    low, high = low[columns], high[columns]
    if whole:
        wide = np.dtype(np.uint64 if array.dtype == np.uint64 else np.int64)
        low, high = low.astype(wide), high.astype(wide)
        return Centring(columns, low + (high - low) // 2, np.ones(len(columns)))
    first, spread = first[columns], spread[columns]
    scale = np.where(spread < RESOLVED_STEPS * _SMALLEST, 1 / np.maximum(spread, np.finfo(float).tiny), 1.0)
    return Centring(columns, first + spread / 2, scale)


def to_single(array: NDArray[Any], centring: Centring | None) -> NDArray[np.float32]:
    """Read rows in single precision, shape (n, d): the array itself where it is float32 already."""
    if centring is not None:
        return centring(array)
    with np.errstate(over="ignore"):  # the caller checks what is not finite, with its row
        return np.ascontiguousarray(array, dtype=np.float32)


def whole_as_double(array: NDArray[Any]) -> NDArray[np.float64]:
    """Read whole numbers in double precision, shape (n, d), shifted where it would make different ones alike.

    Parameters
    ----------
    array
        Shape (n, d), whole numbers.
    """
    rows = array.astype(np.float64)
    low, high = rows.min(axis=0), rows.max(axis=0)
    fits_shifted = high - low < LARGEST_WHOLE
    for column in np.flatnonzero(fits_shifted & (np.maximum(high, -low) > LARGEST_WHOLE)):
        values = array[:, column]
        rows[:, column] = _difference(values, values.min())
    return rows


def _difference(values: NDArray[Any], centre: Any) -> NDArray[np.float64]:
    """Subtract 64-bit whole numbers that lie near each other; wrapping round makes it exact at any sign."""
    return (values - centre).view(np.int64).astype(np.float64)


def _spans(n: int, width: int) -> Iterator[slice]:
    step = max(1, _NUMBERS_AT_ONCE // max(1, width))
    return (slice(start, start + step) for start in range(0, n, step))
