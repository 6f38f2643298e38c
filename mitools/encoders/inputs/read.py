"""Items of a data set as one batch of a network's input."""

from collections.abc import Iterable, Mapping
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.datasets.base import Item, LabelledData
from mitools.datasets.selection import items_at
from mitools.datasets.torch_items import whole_batch
from mitools.encoders.inputs.callers_transform import CallersTransform
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.tokens import Tokens

Preparation = Preprocess | Tokens | CallersTransform | Modalities
"""How items become inputs; its ``key`` is part of every key under which features are kept."""

Inputs = Tensor | dict[str, Tensor]
"""A batch of images or feature rows; or of texts or several modalities, as tensors by name."""

TENSORS = "tensors of a transform"
"""What :func:`item_kind` calls items that their owner has made for a network."""


@overload
def read_inputs(data: LabelledData, indices: Iterable[int], preprocess: Preprocess) -> Tensor: ...


@overload
def read_inputs(
    data: LabelledData, indices: Iterable[int], preprocess: Tokens | Modalities
) -> dict[str, Tensor]: ...


@overload
def read_inputs(data: LabelledData, indices: Iterable[int], preprocess: Preparation) -> Inputs: ...


def read_inputs(data: LabelledData, indices: Iterable[int], preprocess: Preparation) -> Inputs:
    """Read items and bring them to one shape; :func:`finish_inputs` turns them into numbers.

    Returns
    -------
    Tensor or dict of Tensor
        Images as uint8, (B, 3, height, width); feature rows as float32, (B, d); texts as tokens,
        (B, length) each; several modalities by their names, see :class:`Modalities`.

    Raises
    ------
    InputError
        When an item cannot be read, is of a kind that the encoder does not read, or images kept at their
        own size differ in it.
    """
    if isinstance(preprocess, Tokens):
        return preprocess.batch([_text(data, index) for index in map(int, indices)])
    indices = [int(index) for index in indices]
    if isinstance(preprocess, Modalities):
        return preprocess.batch(data, indices)
    if (batch := whole_batch(data, indices)) is not None:
        return batch
    inputs: list[Any] = []
    for item in items_at(data, indices):
        if isinstance(item, str):
            raise InputError(f"{data.name} holds texts and not images; use an hf: encoder of texts")
        if isinstance(item, np.ndarray):
            inputs.append(torch.from_numpy(item))
        elif isinstance(item, Tensor | Mapping):
            inputs.append(item)
        else:
            inputs.append(preprocess.evaluate(item))
    return _stacked(inputs, data.name)


def _stacked(inputs: list[Any], name: str) -> Inputs:
    if isinstance(inputs[0], Mapping):
        return {key: _stacked([one[key] for one in inputs], name) for key in inputs[0]}  # type: ignore[misc]
    shapes = sorted({tuple(tensor.shape) for tensor in inputs})
    if len(shapes) > 1 and inputs[0].dtype == torch.uint8:
        (*_, height, width), (*_, other_height, other_width) = shapes[:2]
        raise InputError(
            f"images of {name} differ in size ({width}x{height}, {other_width}x{other_height}); "
            "give the encoder an image_size=N"
        )
    if len(shapes) > 1:
        one, other = ("x".join(map(str, shape)) for shape in shapes[:2])
        raise InputError(f"items of {name} differ in shape ({one}, {other}); bring them to one shape")
    return torch.stack(inputs)


@overload
def finish_inputs(inputs: Tensor, preprocess: Preprocess) -> Tensor: ...


@overload
def finish_inputs(inputs: Inputs, preprocess: Preparation) -> Inputs: ...


def finish_inputs(inputs: Inputs, preprocess: Preparation) -> Inputs:
    """Normalise a batch of images; feature rows and tokens stay as they are."""
    if isinstance(inputs, Tensor) and isinstance(preprocess, Preprocess) and inputs.dtype == torch.uint8:
        return preprocess.finish(inputs)
    return inputs


def inputs_to(inputs: Inputs, device: torch.device) -> Inputs:
    """Copy a batch to a device, without waiting for it where the batch lies in pinned memory."""
    if isinstance(inputs, Tensor):
        return inputs.to(device, non_blocking=True)
    return {name: tensor.to(device, non_blocking=True) for name, tensor in inputs.items()}


def inputs_count(inputs: Inputs) -> int:
    """Count the items of a batch."""
    return len(inputs) if isinstance(inputs, Tensor) else len(next(iter(inputs.values())))


def item_kind(item: Item) -> str:
    """Name the kind of an item: ``texts``, ``feature rows``, ``images`` or :data:`TENSORS`."""
    if isinstance(item, str):
        return "texts"
    if isinstance(item, Tensor | Mapping):
        return TENSORS
    return "feature rows" if isinstance(item, np.ndarray) else "images"


def _text(data: LabelledData, index: int) -> str:
    item = data[index][0]
    if not isinstance(item, str):
        raise InputError(f"{data.name} holds {item_kind(item)} and not texts; use another encoder")
    return item
