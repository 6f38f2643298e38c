"""The plain form of what a caller's Dataset gives: an item, its label, and what both add to a digest."""

import math
from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.datasets.base import Item

_CHANNELS = (1, 3)


class _Digest(Protocol):
    def update(self, data: bytes, /) -> object: ...


def as_pair(found: Any, where: str) -> tuple[Any, Any]:
    """Take an item and its label apart."""
    if not isinstance(found, tuple | list) or len(found) != 2:
        size = f" of {len(found)}" if isinstance(found, tuple | list | dict) else ""
        raise InputError(f"{where} is a {type(found).__name__}{size}; it must be a pair (item, label)")
    return found[0], found[1]


def plain_item(item: Any, where: str) -> Item:
    """Bring an item to a PIL image in RGB, a float32 row, a tensor on the CPU, tensors by name, or a text."""
    if isinstance(item, Image.Image):
        return item if item.mode == "RGB" else item.convert("RGB")
    if isinstance(item, str):
        return item
    if isinstance(item, Mapping) and item and all(isinstance(value, Tensor) for value in item.values()):
        return {str(key): value.detach().cpu() for key, value in item.items()}
    if isinstance(item, np.ndarray) and item.dtype.kind in "fiub":
        item = torch.from_numpy(np.ascontiguousarray(item))
    if not isinstance(item, Tensor):
        raise InputError(
            f"{where} holds a {type(item).__name__}; an item must be a PIL image, a tensor, an array or a"
            " text"
        )
    item = item.detach().cpu()
    if item.dtype == torch.uint8 and item.ndim in (2, 3):
        return Image.fromarray(_pixels(item, where).numpy()).convert("RGB")
    is_row = item.ndim == 1 and (item.is_floating_point() or item.dtype in (torch.uint8, torch.bool))
    return item.float().numpy() if is_row else item


def plain_label(label: Any, where: str) -> int | float | str | list[float]:
    """Bring a label to a whole number, a finite number, a name, or a list of numbers."""
    if isinstance(label, Tensor | np.ndarray | np.generic):
        values = np.asarray(label.detach().cpu() if isinstance(label, Tensor) else label).reshape(-1)
        if len(values) > 1 and values.dtype.kind in "fiub":
            return [float(value) for value in values]
        label = values[0].item() if len(values) == 1 else label
    if isinstance(label, float) and math.isfinite(label) and not label.is_integer():
        return label
    if isinstance(label, str):
        return label
    if isinstance(label, int | float) and float(label).is_integer():
        return int(label)
    shape = f" of shape {tuple(label.shape)}" if hasattr(label, "shape") else ""
    raise InputError(
        f"{where} has a {type(label).__name__}{shape} for its label; give one class number or name an item"
    )


def stacked_labels(labels: list[Any]) -> Any:
    """Put labels of several numbers an item into one table, shape (n, k)."""
    lengths = {len(label) if isinstance(label, list) else 0 for label in labels}
    if lengths == {0}:
        return labels
    if len(lengths) > 1:
        raise InputError("some items have more labels than others; give every item 0 or 1 for every label")
    return np.array(labels, dtype=np.float64)


def first_of_batch(inputs: Any, where: str) -> Item:
    """Take the first item of a batch that the caller's collate function made."""
    if isinstance(inputs, Mapping):
        return {str(key): first_of_batch(value, where) for key, value in inputs.items()}  # type: ignore[misc]
    if not isinstance(inputs, Tensor):
        raise InputError(f"{where} becomes a {type(inputs).__name__} in its batch; it must become a tensor")
    return inputs[0].detach().cpu()


def is_list(labels: Any) -> bool:
    """Say whether labels are several."""
    return isinstance(labels, list | tuple) or (hasattr(labels, "shape") and len(labels.shape) > 0)


def update_digest(state: _Digest, item: Item) -> None:
    """Put an item into a digest: its kind, its shape and all it holds."""
    if isinstance(item, Mapping):
        for key, value in sorted(item.items()):
            state.update(f"{key}=".encode())
            update_digest(state, value)
    elif isinstance(item, str):
        state.update(f"text {len(item.encode())};{item}".encode())
    elif isinstance(item, Image.Image):
        state.update(f"image {item.size};".encode() + item.tobytes())
    elif isinstance(item, np.ndarray):
        state.update(f"row {item.dtype} {item.shape};".encode() + item.tobytes())
    else:
        state.update(f"tensor {item.dtype} {tuple(item.shape)};".encode())
        state.update(item.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())


def _pixels(item: Tensor, where: str) -> Tensor:
    """Bring the bytes of an image to (height, width), or (height, width, 3)."""
    if item.ndim == 3 and item.shape[0] in _CHANNELS:
        item = item.permute(1, 2, 0)
    if item.ndim == 3 and item.shape[2] not in _CHANNELS:
        raise InputError(f"{where} has shape {tuple(item.shape)}; an image in uint8 has 1 or 3 channels")
    item = item[..., 0] if item.ndim == 3 and item.shape[2] == 1 else item
    return item.contiguous()
