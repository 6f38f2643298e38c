"""Random resized crops of a whole batch, drawn and resized as torchvision does."""

import math
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

ATTEMPTS = 10
"""Boxes that are drawn for an image; the first that fits into it is taken."""

CROP_DRAWS = 2 * ATTEMPTS + 2
"""Random numbers an image: area and aspect of every attempt, then row and column of the corner."""

ASPECTS = (3 / 4, 4 / 3)


class Boxes(NamedTuple):
    """One box an image, in whole pixels.

    Attributes
    ----------
    top, left, height, width
        Shape (B,), int64.
    """

    top: Tensor
    left: Tensor
    height: Tensor
    width: Tensor


def drawn_boxes(draws: Tensor, height: int, width: int, least: float) -> Boxes:
    """Draw one box in each image.

    As torchvision's ``RandomResizedCrop`` draws it: an area of between `least` and all of the image, uniform,
    and an aspect of between 3/4 and 4/3, uniform in its logarithm; what does not fit is drawn again, and
    where nothing fits in ten attempts the box is the largest in the middle.

    Parameters
    ----------
    draws
        Shape (B, CROP_DRAWS), uniform in [0, 1).
    height, width
        Of the images.
    least
        The least share of the area.
    """
    areas, aspects = draws[:, :ATTEMPTS], draws[:, ATTEMPTS : 2 * ATTEMPTS]
    low, high = (math.log(bound) for bound in ASPECTS)
    area, aspect = height * width * (least + (1 - least) * areas), torch.exp(low + (high - low) * aspects)
    heights, widths = ((area / aspect).sqrt().round().long(), (area * aspect).sqrt().round().long())
    fits = (heights > 0) & (heights <= height) & (widths > 0) & (widths <= width)
    first = fits.int().argmax(dim=1, keepdim=True)
    largest_height = height if width / height >= ASPECTS[0] else round(width / ASPECTS[0])
    largest_width = width if width / height <= ASPECTS[1] else round(height * ASPECTS[1])
    any_fits = fits.any(dim=1)
    box_height = torch.where(any_fits, heights.gather(1, first)[:, 0], largest_height)
    box_width = torch.where(any_fits, widths.gather(1, first)[:, 0], largest_width)
    row, column = draws[:, -2], draws[:, -1]
    top = torch.where(any_fits, _below(row, height - box_height + 1), (height - box_height) // 2)
    left = torch.where(any_fits, _below(column, width - box_width + 1), (width - box_width) // 2)
    return Boxes(top, left, box_height, box_width)


def _below(uniform: Tensor, count: Tensor) -> Tensor:
    """Give a whole number below a count."""
    return torch.minimum((uniform * count).long(), count - 1)


def resized(images: Tensor, boxes: Boxes, mirrored: Tensor, size: tuple[int, int]) -> Tensor:
    """Cut a box out of each image, and bring it to a size by bilinear interpolation.

    Equal to torchvision's ``resized_crop`` where a box is no larger than the size.

    Parameters
    ----------
    images
        Shape (B, 3, H, W).
    boxes
        Inside the images.
    mirrored
        Shape (B,), bool: which are flipped left to right.
    size
        Height and width of what comes out.

    Returns
    -------
    Tensor
        Shape (B, 3, *size).
    """
    rows = _places(boxes.top, boxes.height, size[0], images)
    columns = _places(boxes.left, boxes.width, size[1], images)
    columns = torch.where(mirrored[:, None], columns.flip(1), columns)
    # Places of pixels' centres are brought to [-1, 1], the outer edges of the image.
    y, x = (
        (2 * places + 1) / side - 1 for places, side in zip((rows, columns), images.shape[-2:], strict=True)
    )
    shape = (len(images), *size)
    grid = torch.stack([x[:, None, :].expand(shape), y[:, :, None].expand(shape)], dim=-1)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _places(start: Tensor, length: Tensor, count: int, images: Tensor) -> Tensor:
    """Give where along one side the pixels lie that come out, shape (B, count); none outside the box."""
    steps = (torch.arange(count, device=images.device, dtype=images.dtype) + 0.5) / count
    start, length = (values.to(images.dtype)[:, None] for values in (start, length))
    return start + (steps * length - 0.5).clamp(min=0).minimum(length - 1)
