"""What arrays an estimator accepts, checked once at the door."""

import sys
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.centring import Centring, find_centring, whole_as_double
from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import RowTable

FROM_THE_ROWS: Literal["from the rows"] = "from the rows"
"""Columns that single precision does not resolve are looked for in the rows themselves."""

CentringChoice = Centring | None | Literal["from the rows"]
"""What is taken off the columns: that of an earlier fit, nothing, or what the rows need."""


def as_rows(
    values: ArrayLike | RowTable, name: str, centring: CentringChoice = FROM_THE_ROWS
) -> NDArray[np.float32]:
    """Return real, finite rows as float32, shape (n, d); a vector becomes one column.

    Parameters
    ----------
    values, name, centring
        As for :func:`as_table`.

    Raises
    ------
    InputError
        As :func:`as_table`.
    """
    return as_table(values, name, centring).rows()


def as_table(values: ArrayLike | RowTable, name: str, centring: CentringChoice = FROM_THE_ROWS) -> RowTable:
    """Check rows as :func:`as_rows` does, a bounded part at a time, and leave them where they are.

    Parameters
    ----------
    values, name
        The rows, and what messages call them.
    centring
        The shift of columns that float32 does not resolve where they lie. By default they are looked for
        in these rows; new rows are read as those of the fit were, by the centring of its table.

    Raises
    ------
    InputError
        When the values are not numbers, not finite as float32, or have more than two axes or no rows.
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
    table = RowTable(array, centring=find_centring(array) if isinstance(centring, str) else centring)
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


def require_single(rows: RowTable, name: str) -> RowTable:
    """Refuse rows with a column that had to be shifted, where a column's own units count.

    Raises
    ------
    InputError
        When single precision does not resolve a column where it lies.
    """
    if rows.centring is not None:
        column, centre = int(rows.centring.columns[0]), float(rows.centring.centre[0])
        raise InputError(
            f"{name}: column {column} varies about {centre:.4g} by too little for single precision, and its"
            " units count here; subtract a constant from it first"
        )
    return rows


def as_precise_rows(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """Return real, finite rows as float64, shape (n, d), checked like every estimator's input.

    A closed form keeps values different that single precision would make the same, so they are not rounded.
    Whole numbers too large for double precision, such as times in nanoseconds, are shifted to where it
    tells them apart.

    Raises
    ------
    InputError
        As :func:`as_table`.
    """
    shape = as_table(values, name, centring=None).shape
    array = as_array(values, name).reshape(shape)
    return whole_as_double(array) if array.dtype.kind in "iu" else np.asarray(array, dtype=np.float64)


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
