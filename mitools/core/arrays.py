"""Whatever people keep numbers and labels in, as a numpy array."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

ARRAYS = "an array, a tensor, a DataFrame, a Series or a list"
"""What :func:`as_array` takes, for messages."""


def as_array(values: Any, name: str) -> NDArray[Any]:
    """Copy or view anything that holds an array as numpy sees it, without its gradient and on the CPU.

    Neither torch nor pandas is imported for it: who has made a tensor or a table has imported them.

    Parameters
    ----------
    values
        An array; a tensor on any device, with gradients, in any precision (bfloat16 becomes float32); a
        DataFrame of numbers; a Series of numbers or names; a list or tuple of numbers, names, rows or
        tensors.
    name
        What messages call it.

    Raises
    ------
    InputError
        When it is none of these, its rows differ in length, a cell is empty, or it holds other objects than
        numbers and names.

    Examples
    --------
    >>> as_array([[1, 2], [3, 4]], "x").shape
    (2, 2)
    >>> as_array({"a": 1}, "x")
    Traceback (most recent call last):
    mitools.core.errors.InputError: x is a dict; give an array, a tensor, a DataFrame, a Series or a list
    """
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if torch is not None and isinstance(values, torch.Tensor):
        return _of_tensor(values, torch, name)
    if pandas is not None and isinstance(values, pandas.DataFrame):
        return _of_frame(values, pandas, name)
    if pandas is not None and isinstance(values, pandas.Series | pandas.Index):
        return _of_objects(values.to_numpy(), name)
    if torch is not None and isinstance(values, list | tuple):
        values = [_of_tensor(v, torch, name) if isinstance(v, torch.Tensor) else v for v in values]
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        raise InputError(f"{name} has masked values; fill them or leave those rows out")
    if isinstance(values, str | bytes | dict | set) or not hasattr(values, "__len__"):
        raise InputError(f"{name} is a {type(values).__name__}; give {ARRAYS}")
    try:
        array = np.asarray(values)
    except (ValueError, TypeError):
        raise InputError(f"{name} is no array: its rows differ in length") from None
    if isinstance(values, list | tuple) and array.ndim == 1:
        array = _told_apart(values, array, name)
    return _of_objects(array, name)


def _told_apart(values: Sequence[Any], array: NDArray[Any], name: str) -> NDArray[Any]:
    """Keep apart what NumPy makes one: large whole numbers, and texts that it cuts or makes of numbers."""
    is_large = array.dtype == np.float64 and len(array) > 0 and array.max() >= 2.0**63
    if is_large and all(isinstance(value, int | np.integer) for value in values):
        if min(values) < 0:
            raise InputError(f"{name} holds {min(values)} and {max(values)}, which no 64 bits hold together")
        return np.array(values, dtype=np.uint64)
    if array.dtype.kind == "U":
        _require_own_text(values, name)
    return array


def _require_own_text(values: Sequence[Any], name: str) -> None:
    """Refuse names that NumPy's texts do not tell apart: a number and its text, a zero at the end."""
    texts = {value for value in values if isinstance(value, str)}
    alike = next((one for one in values if not isinstance(one, str) and _text_of(one) in texts), None)
    if alike is not None:
        raise InputError(f"{name} holds {alike!r} and the text {_text_of(alike)!r}; write them alike")
    cut = next((text for text in texts if text.endswith("\0")), None)
    if cut is not None:
        raise InputError(f"{name} holds {cut!r}, whose end NumPy drops; name it without the zero character")


def _text_of(value: Any) -> str:
    """Write a value as NumPy writes it beside texts."""
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _of_tensor(tensor: Any, torch: Any, name: str) -> NDArray[Any]:
    if tensor.device.type == "meta":
        raise InputError(f"{name} is a tensor on the meta device, which holds no numbers")
    tensor = tensor.detach()
    if tensor.layout != torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    try:
        return np.asarray(tensor.resolve_conj().resolve_neg().cpu().numpy())
    except TypeError:  # a precision that numpy does not have
        return np.asarray(tensor.float().cpu().numpy())


def _of_frame(frame: Any, pandas: Any, name: str) -> NDArray[Any]:
    types = pandas.api.types
    other = [str(column) for column, kind in frame.dtypes.items() if not types.is_numeric_dtype(kind)]
    if other and len(frame.columns) > 1:
        raise InputError(
            f"{name}: column {other[0]!r} holds no numbers; leave it out or turn it into numbers"
        )
    if other:
        return _of_objects(frame.iloc[:, 0].to_numpy(), name)
    if all(isinstance(kind, np.dtype) for kind in frame.dtypes):
        return np.asarray(frame.to_numpy())
    return np.asarray(frame.to_numpy(np.float64, na_value=np.nan))


def _of_objects(array: NDArray[Any], name: str) -> NDArray[Any]:
    """Give objects that are all names, or all numbers, the dtype they should have."""
    if array.dtype.kind == "T":  # numpy's strings of any length
        return array.astype(str)
    if array.dtype.kind != "O":
        return array
    kinds = {type(value) for value in array.flat}
    if all(issubclass(kind, str) for kind in kinds):
        _require_own_text(array.ravel().tolist(), name)
        return array.astype(str)
    for row, value in enumerate(array.reshape(len(array), -1)):
        if any(_is_missing(cell) for cell in value):
            raise InputError(f"{name} has nothing in row {row}; leave such rows out")
    numbers = array if any(issubclass(kind, str) for kind in kinds) else np.asarray(array.tolist())
    numbers = _told_apart(array.tolist(), numbers, name) if array.ndim == 1 else numbers
    if numbers.dtype.kind not in "fiub":
        held = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise InputError(f"{name} holds objects ({held}); give numbers, or one name a row")
    return numbers


def _is_missing(value: Any) -> bool:
    return value is None or type(value).__name__ in {"NAType", "NaTType"} or value != value
