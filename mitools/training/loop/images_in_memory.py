"""A whole data set as one tensor of pixels, so that no step waits for a decoder."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.datasets.base import LabelledData
from mitools.encoders.inputs.preprocess import Preprocess

LARGEST_BYTES = 16 << 30


class ImagesInMemory(NamedTuple):
    """Images and their labels.

    Attributes
    ----------
    pixels
        Shape (n, 3, height, width), uint8.
    labels
        Shape (n,), int64.
    """

    pixels: Tensor
    labels: Tensor

    def __len__(self) -> int:
        """Count the images."""
        return len(self.pixels)


def load_images(data: LabelledData, size: int | None, advance: Advance | None = None) -> ImagesInMemory:
    """Decode every image once.

    Parameters
    ----------
    data
        Labelled images.
    size
        Bring them to this size (shorter side, then centre crop); None for their own, which must be one.
    advance
        Called with how many are read.

    Raises
    ------
    InputError
        When the data are no images, they differ in size, or would fill more than 16 GiB.
    """
    preprocess = Preprocess(size=size)
    pixels: Tensor | None = None
    for index in range(len(data)):
        image = data[index][0]
        if not isinstance(image, Image.Image):
            raise InputError(f"{data.name} holds no images; training reads images alone")
        one = preprocess.evaluate(image)
        if pixels is None:
            if len(data) * one.numel() > LARGEST_BYTES:
                raise InputError(
                    f"{data.name}: {len(data):,} images of {one.shape[2]}x{one.shape[1]} fill more than"
                    f" {LARGEST_BYTES >> 30} GiB; give an image_size or a limit="
                )
            pixels = torch.empty(len(data), *one.shape, dtype=torch.uint8)
        if one.shape != pixels.shape[1:]:
            raise InputError(f"images of {data.name} differ in size; give the recipe an image_size")
        pixels[index] = one
        if advance and (index + 1) % 256 == 0:
            advance(f"reading {data.name}", index + 1, len(data))
    if pixels is None:
        raise InputError(f"{data.name} is empty")
    return ImagesInMemory(pixels, torch.from_numpy(np.asarray(data.labels, dtype=np.int64)))


def noise_like(images: ImagesInMemory, count: int, seed: int) -> ImagesInMemory:
    """Draw images of independent uniform pixels (Lee et al., Appendix C)."""
    generator = torch.Generator().manual_seed(seed)
    shape = (count, *images.pixels.shape[1:])
    pixels = torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)
    return ImagesInMemory(pixels, torch.zeros(count, dtype=torch.int64))
