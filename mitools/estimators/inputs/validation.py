"""What arrays an estimator accepts, checked once at the door."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import RowTable, spans

RESOLVED_STEPS = 1000.0
"""Steps of single precision that the values of a column must span."""

CONSTANT_RELATIVE_RANGE = 1e-9
"""Range of a column, relative to where it lies, that counts as rounding error of double precision."""


def as_rows(values: ArrayLike | RowTable, name: str, to_single: bool = True) -> NDArray[np.float32]:
    """Return real, finite rows as float32, shape (n, d); a vector becomes one column.

    Parameters
    ----------
    values, name
        The rows, and what messages call them.
    to_single
        Whether they are worked on as float32: columns too fine for it are refused then.

    Raises
    ------
    InputError
        As :func:`as_table`.
    """
    return as_table(values, name, to_single).rows()


def as_table(values: ArrayLike | RowTable, name: str, to_single: bool = True) -> RowTable:
    """Check rows as :func:`as_rows` does, a bounded part at a time, and leave them where they are.

    Raises
    ------
    InputError
        When the values are not numbers, not finite as float32, too fine for it where they lie, or have more
        than two axes or no rows.
    """
    if isinstance(values, RowTable):
        return values
    array = _as_array(values, name)
    if array.dtype.kind not in "fiub":
        raise InputError(f"{name} holds {array.dtype}, but real numbers are needed")
    if array.ndim == 1:
        array = array[:, None]
    if array.ndim != 2 or array.size == 0:
        raise InputError(f"{name} has shape {array.shape}, but (rows, columns) is needed")
    if to_single and array.dtype.itemsize > 4:
        _require_resolved(array, name)
    table = RowTable(array)
    first, count = 0, 0
    with np.errstate(over="ignore", invalid="ignore"):
        for places, rows in table.chunks():
            # One pass and no (n, d) mask: summed in double precision, single-precision terms cannot overflow.
            if not np.isfinite(rows.sum(dtype=np.float64)):
                bad = np.flatnonzero(~np.isfinite(rows).all(axis=1))
                first = first if count else places.start + int(bad[0])
                count += len(bad)
    if count:
        raise InputError(
            f"{name} has NaN, infinite or overflowing values in {count} of {len(table)} rows,"
            f" the first at row {first}; remove them"
        )
    return table


def _require_resolved(array: NDArray[Any], name: str) -> None:
    """Refuse columns that vary by little more than single precision resolves where they lie.

    A column whose values differ by rounding errors of double precision alone counts as constant.
    """
    low, high = (np.full(array.shape[1], end) for end in (np.inf, -np.inf))
    for some in spans(len(array), array.shape[1]):
        low, high = np.minimum(low, array[some].min(axis=0)), np.maximum(high, array[some].max(axis=0))
    with np.errstate(invalid="ignore", over="ignore"):
        reach, spread = np.maximum(np.abs(low), np.abs(high)), high - low
        lost = (spread < RESOLVED_STEPS * np.finfo(np.float32).eps * reach) & (
            spread > CONSTANT_RELATIVE_RANGE * reach
        )
    if lost.any():
        column = int(lost.argmax())
        raise InputError(
            f"{name}: column {column} lies at {reach[column]:.4g} and varies by {spread[column]:.3g},"
            " which is too fine for single precision; subtract a constant from it first"
        )


def location_and_scale(
    rows: NDArray[np.float32] | RowTable,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mean and standard deviation of every column, shape (d,) each; the scale of a constant column is 1.

    Summed in double precision: in single, a constant column's deviation is rounding error, and dividing
    by it would turn the first value that differs into an enormous one.
    """
    table = RowTable.of(rows)
    mean = np.zeros(table.width)
    for _, chunk in table.chunks():
        mean += chunk.sum(axis=0, dtype=np.float64)
    mean /= len(table)
    squares = np.zeros(table.width)
    for _, chunk in table.chunks():
        squares += np.square(chunk - mean).sum(axis=0)
    scale = np.sqrt(squares / len(table))
    return mean.astype(np.float32), np.where(scale > 0, scale, 1).astype(np.float32)


def as_labels(values: ArrayLike, name: str = "labels") -> NDArray[np.int64]:
    """Return whole-number labels as 0..C-1, shape (n,); whole floats are taken as integers.

    Raises
    ------
    InputError
        When the labels are no vector of whole numbers.
    """
    array = _as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} have shape {array.shape}, but one label a row is needed")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.round(array)).all()):
        raise InputError(f"{name} are not whole numbers; give one class number a row")
    if array.dtype.kind not in "fiubU":
        raise InputError(f"{name} hold {array.dtype}, but class numbers are needed")
    return np.unique(array, return_inverse=True)[1].astype(np.int64)


def _as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    try:
        return np.asarray(values)
    except ValueError:
        raise InputError(f"{name} is no array: its rows differ in length") from None


def same_length(n: int, m: int, first: str, second: str) -> None:
    """Refuse two arrays of different length.

    Raises
    ------
    InputError
        When the lengths differ.
    """
    if n != m:
        raise InputError(f"{first} has {n} rows and {second} has {m}; they must describe the same items")
