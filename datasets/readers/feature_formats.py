"""The kinds of file that features come in: npz, npy, safetensors and Parquet, none of which can run code."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.centring import whole_as_double
from mitools.core.errors import InputError
from mitools.core.files import parse_json
from mitools.datasets.readers.columns import as_they_are, column_names, column_values, read_columns
from mitools.datasets.readers.npy import DAMAGE_ERRORS, read_array

_DAMAGE_ERRORS = (*DAMAGE_ERRORS, AttributeError, NotImplementedError, zipfile.BadZipFile, zlib.error)
_SAFETENSORS_TYPES: dict[str, np.dtype[Any]] = {
    "BOOL": np.dtype(np.bool_),
    "F16": np.dtype(np.float16),
    "F32": np.dtype(np.float32),
    "F64": np.dtype(np.float64),
    **{f"{kind}{bits}": np.dtype(f"{kind.lower()}{bits // 8}") for kind in "IU" for bits in (8, 16, 32, 64)},
}

Arrays = tuple[NDArray[Any], NDArray[Any]]


FEATURE_NAMES = ("features", "feats", "feat", "embeddings", "embedding", "embs", "emb", "X", "x", "data")
"""What arrays of features are usually called, in the order in which they are taken."""

LABEL_NAMES = ("labels", "label", "targets", "target", "y", "Y", "classes", "class")
"""What arrays of labels are usually called."""


def read_arrays(path: Path, labels_path: Path | None, label: str | None, name: str | None = None) -> Arrays:
    """Read features and labels as they are in a file; what they may be is for the caller to check.

    ========================  ==============================================================
    ``.npz``, any other name  arrays ``features`` and ``labels``
    ``.npy``                  features, mapped from the file; the labels in `labels_path`
    ``.safetensors``          tensors ``features``, mapped from the file, and ``labels``
    ``.parquet``              a list column ``features``, or else every column but the labels
    ========================  ==============================================================

    In npz and safetensors files the first of :data:`FEATURE_NAMES` and of :data:`LABEL_NAMES` that is there
    is taken, unless `name` and `label` name others.

    Raises
    ------
    InputError
        When a file is missing or damaged, an array is missing or holds Python objects, or a choice is made
        that such a file does not leave.
    """
    if labels_path is not None and path.suffix != ".npy":
        raise InputError(f"{path}: brings its own labels; labels= is for .npy files")
    if path.suffix == ".npy" and not label is name is None:
        raise InputError(f"{path}: holds one array without a name; leave label= and features= out")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.suffix == ".npy":
        if labels_path is None:
            raise InputError(f"{path}: holds no labels; name their file in labels=FILE.npy")
        return read_array(path, mapped=True), read_array(labels_path)
    if path.suffix == ".safetensors":
        return _read_safetensors(path, label, name)
    if path.suffix == ".parquet":
        return _read_parquet(path, label, name)
    if path.suffix != ".npz" and not zipfile.is_zipfile(path):  # numpy would take it for a pickle
        raise InputError(
            f"{path}: no features; accepted: .npz, .safetensors, .parquet, or .npy with labels=FILE"
        )
    return _read_npz(path, label, name)


def _chosen(path: Path, kind: str, there: Sequence[str], asked: str | None, usual: Sequence[str]) -> str:
    """Choose the array that is asked for, or the first that is there by a usual name."""
    found = [key for key in ([asked] if asked else usual) if key in there]
    if not found:
        raise InputError(f"{path}: no {kind} {asked or usual[0]!r} (it has {', '.join(there) or 'none'})")
    return found[0]


def _read_npz(path: Path, label: str | None, name: str | None) -> Arrays:
    key = "it"
    try:
        with np.load(path, allow_pickle=False) as arrays:
            there, read = list(arrays), []
            for asked, usual in ((name, FEATURE_NAMES), (label, LABEL_NAMES)):
                key = _chosen(path, "array", there, asked, usual)
                read.append(arrays[key])
            return read[0], read[1]
    except InputError:
        raise
    except _DAMAGE_ERRORS as error:
        raise InputError(f"{path}: no readable npz file ({_reason(error, key)})") from None


def _read_safetensors(path: Path, label: str | None, name: str | None) -> Arrays:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as tensors:  # checks the header that is read again below
            names = list(tensors.keys())
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            header = parse_json(stream.read(length))
    except (OSError, ValueError, SafetensorError) as error:
        raise InputError(f"{path}: no readable safetensors file ({_reason(error, 'it')})") from None
    arrays = []
    for asked, usual in ((name, FEATURE_NAMES), (label, LABEL_NAMES)):
        key = _chosen(path, "tensor", names, asked, usual)
        kind, shape, (start, end) = (header[key][part] for part in ("dtype", "shape", "data_offsets"))
        if kind not in _SAFETENSORS_TYPES:
            raise InputError(f"{path}: {key} is of {kind}; save it as one of {', '.join(_SAFETENSORS_TYPES)}")
        if start == end:
            arrays.append(np.empty(shape, _SAFETENSORS_TYPES[kind]))
        else:
            arrays.append(np.memmap(path, _SAFETENSORS_TYPES[kind], "r", 8 + length + start, tuple(shape)))
    return arrays[0], arrays[1]


def _read_parquet(path: Path, label: str | None, name: str | None) -> Arrays:
    import pyarrow as pa

    names = column_names(path)
    label = label or next((name for name in ("labels", "label") if name in names), "label")
    lists = name or "features"
    if name is not None and name not in names:
        raise InputError(f"{path}: no column {name!r}; it has {', '.join(names)}")
    columns = [lists] if lists in names else [one for one in names if one != label]
    table = read_columns(path, [*columns, label])
    labels = as_they_are(column_values(path, table, label))
    if columns == [lists]:
        return _rows_of_lists(path, lists, table[lists]), labels
    for one in columns:
        kind = table.schema.field(one).type
        if not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
            raise InputError(f"{path}: column {one!r} holds {kind}, not numbers; leave it out of the file")
    if not columns:
        raise InputError(f"{path}: no column beside {label!r}")
    stored = [table[one].to_numpy() for one in columns]
    return _one_precision(stored), labels


def _one_precision(columns: list[NDArray[Any]]) -> NDArray[Any]:
    """Put columns side by side in a precision that keeps what each of them tells apart."""
    if all(np.can_cast(column.dtype, np.float32, "safe") for column in columns):
        return np.column_stack([column.astype(np.float32) for column in columns])
    whole = [column.dtype.kind in "iu" for column in columns]
    if all(whole) and len({column.dtype for column in columns}) == 1:
        return np.column_stack(columns)
    return np.column_stack(
        [
            whole_as_double(column[:, None])[:, 0] if is_whole else column.astype(np.float64)
            for column, is_whole in zip(columns, whole, strict=True)
        ]
    )


def _rows_of_lists(path: Path, name: str, column: Any) -> NDArray[Any]:
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise InputError(f"{path}: column {name!r} holds {kind}; it must hold lists of numbers")
    lengths = pc.list_value_length(column).unique().to_pylist()
    if len(lengths) != 1 or None in lengths:
        raise InputError(f"{path}: rows of column {name!r} differ in length ({lengths[:3]})")
    return np.concatenate(
        [chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks]
    ).reshape(-1, lengths[0])


def _reason(error: Exception, what: str) -> str:
    reason = " ".join(str(error).split())
    if "allow_pickle" in reason:
        return f"{what} holds Python objects, which could run code; nothing was run"
    return reason
