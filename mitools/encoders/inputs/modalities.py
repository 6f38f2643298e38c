"""Items of several modalities as one batch: images, depth, surface normals, frames."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.datasets.base import LabelledData, MultimodalData, modalities_of
from mitools.encoders.inputs.preprocess import Preprocess


@dataclass(frozen=True)
class Modalities:
    """How items become a batch by modality, each of the network's size.

    Attributes
    ----------
    names
        Of the modalities, ``image`` among them where it is read.
    images
        How images are resized; nothing is normalised here.
    """

    names: tuple[str, ...]
    images: Preprocess

    @property
    def size(self) -> int | None:
        """Height and width of the input in pixels, or None for the items' own size."""
        return self.images.size

    @property
    def key(self) -> str:
        """Everything above as one line."""
        return f"{self.images.key}, of {', '.join(self.names)}"

    def batch(self, data: LabelledData, indices: Sequence[int]) -> dict[str, Tensor]:
        """Read items; returns a tensor (B, ...) a modality: images as uint8, what else as the data have it.

        Raises
        ------
        InputError
            When the data or an item lack a modality, or items differ in size.
        """
        found: dict[str, Tensor] = {}
        for name in self.names:
            parts = [self._one(data, index, name) for index in indices]
            if len({part.shape for part in parts}) > 1:
                raise InputError(f"{name} of {data.name} differs in size; give the encoder an image_size=N")
            found[name] = torch.stack(parts)
        return found

    def blank(self, count: int, size: int) -> dict[str, Tensor]:
        """Give a batch of zeros, as of data with these modalities; a clip has 16 frames."""
        shapes = {"image": (3,), "depth": (1,), "normals": (3,), "segmentation": (1,), "clip": (16, 3)}
        floats = ("depth", "normals")
        return {
            name: torch.zeros(
                count,
                *shapes.get(name, (1,)),
                size,
                size,
                dtype=torch.float32 if name in floats else torch.uint8,
            )
            for name in self.names
        }

    def _one(self, data: LabelledData, index: int, name: str) -> Tensor:
        if name == "image":
            item = data[index][0]
            if isinstance(item, str | np.ndarray | Tensor | dict):
                raise InputError(f"{data.name} holds no images")
            return self.images.evaluate(item)  # type: ignore[arg-type]
        values = require_modality(data, name).modality(index, name)
        if values is None:
            raise InputError(f"item {index} of {data.name} lacks its {name}; leave it out")
        one = torch.from_numpy(np.ascontiguousarray(values))
        return one if self.size is None else resized(one, self.size)


def require_modality(data: LabelledData, name: str) -> MultimodalData:
    """Give data that have a modality.

    Raises
    ------
    InputError
        When they lack it; those that they have are named.
    """
    known = modalities_of(data)
    if name not in known or not isinstance(data, MultimodalData):
        raise InputError(f"{data.name} has no {name}; its views can be drawn from {', '.join(known)}")
    return data


def resized(values: Tensor, size: int) -> Tensor:
    """Bring (..., H, W) to (..., size, size) as images are: the shorter side to it, then the centre.

    Each value is that of the nearest pixel: a mean over an edge would be the depth of no surface.
    """
    height, width = values.shape[-2:]
    shorter = min(height, width)
    scaled = (int(size * height / shorter), int(size * width / shorter))
    if scaled != (height, width):
        flat = values.reshape(1, -1, height, width)
        nearest = functional.interpolate(flat, scaled, mode="nearest-exact")
        values = nearest.reshape(*values.shape[:-2], *scaled)
    top, left = (round((side - size) / 2) for side in scaled)
    return values[..., top : top + size, left : left + size]
