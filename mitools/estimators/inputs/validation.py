"""What arrays an estimator accepts, checked once at the door."""

import sys
from collections.abc import Sequence
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
    array = as_array(values, name)
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
    """Return labels as 0..C-1, shape (n,): whole numbers (whole floats as well) or strings.

    Raises
    ------
    InputError
        When the labels are no vector of whole numbers or strings.
    """
    return as_classes(values, name)[1]


def as_classes(values: ArrayLike, name: str = "labels") -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes that occur, in order, shape (C,), and every row's place among them, shape (n,).

    Raises
    ------
    InputError
        As :func:`as_labels`.
    """
    array = _as_label_array(values, name)
    classes, places = np.unique(array, return_inverse=True)
    return classes, places.astype(np.int64)


def as_known_classes(values: ArrayLike, classes: NDArray[Any], name: str = "labels") -> NDArray[np.int64]:
    """Return every row's place among classes that are known, shape (n,).

    Parameters
    ----------
    values
        Labels of new rows.
    classes
        As :func:`as_classes` gave them for others.
    name
        Of the values, for messages.

    Raises
    ------
    InputError
        When a label is none of the classes.
    """
    return place_among(_as_label_array(values, name), classes, name)


def place_among(array: NDArray[Any], classes: NDArray[Any], name: str) -> NDArray[np.int64]:
    """Find the place of every value, shape (n,), among classes in order.

    Raises
    ------
    InputError
        When a value is none of them.
    """
    if (array.dtype.kind == "U") != (classes.dtype.kind == "U"):
        unknown = np.ones(len(array), dtype=bool)
    else:
        places = np.minimum(np.searchsorted(classes, array), len(classes) - 1)
        unknown = classes[places] != array
    if unknown.any():
        raise InputError(
            f"{name} hold {array[unknown][0].item()!r}, which is none of the {len(classes)} classes of the"
            " fit; leave such rows out"
        )
    return places.astype(np.int64)


def _as_label_array(values: ArrayLike, name: str) -> NDArray[Any]:
    array = as_array(values, name)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1 or array.size == 0:
        raise InputError(f"{name} have shape {array.shape}, but one label a row is needed")
    if array.dtype.kind == "f" and not (np.isfinite(array).all() and (array == np.round(array)).all()):
        raise InputError(f"{name} are not whole numbers; give one class number a row")
    if array.dtype.kind not in "fiubU":
        raise InputError(f"{name} hold {array.dtype}, but class numbers are needed")
    return array


def as_array(values: ArrayLike, name: str) -> NDArray[Any]:
    """Return what holds numbers or labels as a NumPy array, of whatever kind its values are.

    Parameters
    ----------
    values
        An array, a list, a pandas Series or DataFrame, or a torch tensor on any device: what is in it counts,
        apart from any gradient.
    name
        Of the values, for messages.

    Raises
    ------
    InputError
        When rows differ in length, or a tensor holds no values.
    """
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if torch is not None:
        if isinstance(values, torch.Tensor):
            return _array_of_tensor(values, name)
        if isinstance(values, Sequence) and len(values) and isinstance(values[0], torch.Tensor):
            values = [as_array(value, name) for value in values]
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{name} is no array: its rows differ in length") from None
    if array.dtype == object:
        if pandas is not None and isinstance(values, pandas.DataFrame):
            numeric = all(pandas.api.types.is_numeric_dtype(column) for column in values.dtypes)
            # Columns of several nullable types have no common NumPy type of their own.
            return values.to_numpy(np.float64, na_value=np.nan) if numeric else array
        if array.size and all(isinstance(value, str) for value in array.flat):
            return array.astype(np.str_)
    return array


def _array_of_tensor(tensor: Any, name: str) -> NDArray[Any]:
    """Copy a tensor's values from its device and its graph; what NumPy has no type for becomes float32."""
    if tensor.is_meta:
        raise InputError(f"{name} is a tensor on the meta device, which holds no values")
    values = tensor.detach().cpu().to_dense()
    narrow = values.is_floating_point() and values.element_size() < 4
    return (values.float() if narrow else values).resolve_conj().resolve_neg().numpy()


def require_columns(table: RowTable, columns: int, name: str) -> RowTable:
    """Return new rows of as many columns as were fitted to.

    Raises
    ------
    InputError
        When they have fewer or more.
    """
    if table.width != columns:
        raise InputError(f"{name} has {table.width} columns, but the fit had {columns}; give the same ones")
    return table


def same_length(n: int, m: int, first: str, second: str) -> None:
    """Refuse two arrays of different length.

    Raises
    ------
    InputError
        When the lengths differ.
    """
    if n != m:
        raise InputError(f"{first} has {n} rows and {second} has {m}; they must describe the same items")
