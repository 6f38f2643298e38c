"""Items of a data set as one batch of a network's input."""

from collections.abc import Iterable

import torch
from PIL import Image
from torch import Tensor

from mitools.datasets.base import LabelledData
from mitools.encoders.preprocess import Preprocess
from mitools.errors import InputError
from mitools.pairing.augmented import SimCLRViews


def read_inputs(
    data: LabelledData, indices: Iterable[int], preprocess: Preprocess, views: SimCLRViews | None = None
) -> Tensor:
    """Read items and bring them to one shape; :func:`finish_inputs` turns them into numbers.

    Returns
    -------
    Tensor
        Images as uint8, (B, 3, height, width) or with views (B, V, 3, height, width); feature rows as
        float32, (B, d).

    Raises
    ------
    InputError
        When an item cannot be read, or images kept at their own size differ in it.
    """
    inputs = []
    for index in map(int, indices):
        item = data[index][0]
        if not isinstance(item, Image.Image):
            inputs.append(torch.from_numpy(item))
        elif views is None:
            inputs.append(preprocess.evaluate(item))
        else:
            inputs.append(views.draw(item, index, preprocess.size))
    shapes = sorted({tuple(tensor.shape) for tensor in inputs})
    if len(shapes) > 1:
        (*_, height, width), (*_, other_height, other_width) = shapes[:2]
        raise InputError(
            f"images of {data.name} differ in size ({width}x{height}, {other_width}x{other_height}); "
            "give the encoder an image_size=N"
        )
    return torch.stack(inputs)


def finish_inputs(inputs: Tensor, preprocess: Preprocess) -> Tensor:
    """Normalise a batch of images; a batch of feature rows stays as it is."""
    return preprocess.finish(inputs) if inputs.dtype == torch.uint8 else inputs
