"""Columns of a CSV or Parquet file."""

import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import MOST_DIGITS

if TYPE_CHECKING:
    import pyarrow as pa

TABLE_ENDINGS = (".csv", ".parquet")


def column_names(path: Path) -> list[str]:
    """Name the columns of a table.

    Raises
    ------
    InputError
        When the file is missing, damaged, empty or neither CSV (UTF-8, names in its first line) nor Parquet.
    """
    names = _names_in(path)
    if not names:
        raise InputError(f"{path} has no names of columns; a table begins with them")
    return names


def _names_in(path: Path) -> list[str]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if path.suffix not in TABLE_ENDINGS:
        raise InputError(f"{path}: neither .csv nor .parquet; save the table as one of them")
    try:
        if path.suffix == ".parquet":
            return list(pq.read_schema(path).names)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            return next(csv.reader(stream), [])
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except (OSError, ValueError, csv.Error, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def text_columns(path: Path) -> list[str]:
    """Name the columns of a table that may hold text: all of a CSV file, by their type those of Parquet.

    Raises
    ------
    InputError
        As :func:`column_names`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    names = column_names(path)
    if path.suffix == ".csv":
        return names
    kinds = [getattr(kind, "value_type", kind) for kind in pq.read_schema(path).types]
    texts = (pa.string(), pa.large_string())
    return [name for name, kind in zip(names, kinds, strict=True) if kind in texts]


def read_columns(path: Path, names: Sequence[str]) -> "pa.Table":
    """Read some columns of a table; those of a CSV file come as text.

    Raises
    ------
    InputError
        As :func:`column_names`, or when a column is missing, or a row has more or fewer columns.
    """
    import pyarrow as pa
    import pyarrow.csv as pc
    import pyarrow.parquet as pq

    known = column_names(path)
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise InputError(f"{path}: no column {name!r}; nearest: {near}")
    try:
        if path.suffix == ".parquet":
            return pq.read_table(path, columns=list(names))
        return pc.read_csv(
            path,
            parse_options=pc.ParseOptions(newlines_in_values=True),
            convert_options=pc.ConvertOptions(
                include_columns=list(names), column_types={name: pa.string() for name in names}
            ),
        )
    except (OSError, ValueError, pa.ArrowException) as error:
        raise _unreadable(path, error) from None


def column_values(path: Path, table: "pa.Table", name: str) -> list[Any]:
    """Give a column's values, none of which may be missing.

    Raises
    ------
    InputError
        When one is; its row is named, the first being 0.
    """
    values = table[name].to_pylist()
    if None in values:
        raise InputError(f"{path}: column {name!r} has nothing in row {values.index(None)}; drop such rows")
    return values


def number_classes(values: Sequence[Any] | NDArray[Any]) -> tuple[list[str], NDArray[np.int64]]:
    """Give the classes that labels name numbers: in numerical order if all are whole numbers, else by name.

    Returns
    -------
    tuple
        The class names and the labels, shape (n,).

    Raises
    ------
    InputError
        When a number and a text are written alike.
    """
    if not isinstance(values, np.ndarray):
        values = as_they_are(values)
    names = set(values) if values.dtype.kind in "UO" else {None}
    if all(isinstance(name, str) and _is_whole(name) for name in names):
        values = values.astype(np.int64)
    classes, labels = np.unique(values, return_inverse=True)
    return [str(value) for value in classes], labels.astype(np.int64)


def as_they_are(values: Sequence[Any], what: str = "labels") -> NDArray[Any]:
    """Make an array of labels or groups in which different values stay different.

    NumPy's own types drop zero characters at the end of texts, and round large numbers.

    Parameters
    ----------
    values
        n of them.
    what
        What messages call them.

    Raises
    ------
    InputError
        When one is missing or a list, or a number and a text are written alike.
    """
    missing = next((row for row, value in enumerate(values) if value is None or value != value), None)
    if missing is not None:
        raise InputError(f"{what}: row {missing} has none; drop such rows")
    try:
        texts = {value for value in values if isinstance(value, str)}
        numbers = {value for value in values if not isinstance(value, str)} if texts else set()
    except TypeError:
        raise InputError(f"{what} hold lists or the like; give one number or text a row") from None
    alike = next((number for number in numbers if str(number) in texts), None)
    if alike is not None:
        raise InputError(
            f"{what} hold the number {alike} and the text {str(alike)!r}, which may be one or two; write them"
            " alike, or call one of them otherwise"
        )
    if numbers:
        values = [str(value) for value in values]
    if any(text.endswith("\0") for text in texts):
        return np.array(values, dtype=object)
    array = np.array(values)
    if values and array.dtype.kind == "f" and all(isinstance(value, int) for value in values):
        small = min(values) >= 0 and max(values) < 2**64
        return np.array(values, dtype=np.uint64 if small else object)
    return array


def named_apart(names: Sequence[str]) -> list[str]:
    """Give every class a name of its own: of those that share one, each has its number behind it.

    Examples
    --------
    >>> named_apart(["crane", "wolf", "crane"])
    ['crane (0)', 'wolf', 'crane (2)']
    """
    while len(set(names)) < len(names):
        several = {name for name, count in Counter(names).items() if count > 1}
        names = [f"{name} ({k})" if name in several else name for k, name in enumerate(names)]
    return list(names)


def _is_whole(text: str) -> bool:
    digits = text.removeprefix("-")
    # 007 is a name, and so is a number that no label can hold.
    return digits.isdecimal() and len(digits) <= MOST_DIGITS and text == str(int(text))


def _unreadable(path: Path, error: Exception) -> InputError:
    reason = " ".join(str(error).split())[:200]
    return InputError(f"{path}: no readable {path.suffix.removeprefix('.')} file ({reason})")
