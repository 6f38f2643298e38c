"""Cutting windows out of image tables and drawing glyphs over canvases, whole batches at a time.

All arithmetic is on whole numbers, so the pixels are the same on every machine and device.

On the CPU the work is numpy's: it copies windows row by row where torch's indexing goes pixel by pixel
(15 times slower), and it starts no threads (on a busy machine torch's cost more here than they bring).
"""

from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_CANVASES_AT_ONCE = 32  # canvases whose windows stay in the processor's cache

_Array = TypeVar("_Array", NDArray[np.uint16], Tensor)


def crop(images: Tensor, index: Tensor, top: Tensor, left: Tensor, side: int) -> Tensor:
    """Cut a square window out of each chosen image.

    Parameters
    ----------
    images
        Shape (m, channels, height, width), on any device.
    index, top, left
        Shape (n,), int64, on the same device: which image, and the window's first row and column.
    side
        Height and width of the windows in pixels.

    Returns
    -------
    Tensor
        Shape (n, channels, side, side), contiguous.
    """
    if images.device.type == "cpu":
        return torch.from_numpy(_windows(images, side)[index.numpy(), :, top.numpy(), left.numpy()])
    return _crop_by_index(images, index, top, left, side)


def draw_glyphs(
    canvas: Tensor, glyphs: Tensor, index: Tensor, color: Tensor, top: Tensor, left: Tensor
) -> None:
    """Draw a coloured glyph over each canvas.

    Parameters
    ----------
    canvas
        Shape (n, 3, height, width), uint8, contiguous; changed in place.
    glyphs
        Shape (m, side, side), uint8: coverage; 255 hides what lies under it.
    index
        Shape (n,), int64: which glyph.
    color
        Shape (n, 3), uint8.
    top, left
        Shape (n,), int64: where each glyph's first row and column come to lie.
    """
    if canvas.device.type != "cpu":
        _draw_by_index(canvas, glyphs[index], color, top, left)
        return
    windows = _windows(canvas, glyphs.shape[-1])
    for start in range(0, len(canvas), _CANVASES_AT_ONCE):
        rows = np.arange(start, min(start + _CANVASES_AT_ONCE, len(canvas)))
        here = (rows, slice(None), top.numpy()[rows], left.numpy()[rows])
        alpha = glyphs.numpy()[index.numpy()[rows], None].astype(np.uint16)
        ink = color.numpy()[rows, :, None, None].astype(np.uint16)
        windows[here] = _blend(windows[here].astype(np.uint16), alpha, ink)


def _blend(under: _Array, alpha: _Array, color: _Array) -> _Array:
    """Mix by coverage, rounding down; every step fits into 16 bits."""
    mixed = under * (255 - alpha) + color * alpha
    return (mixed + (mixed >> 8) + 1) >> 8  # mixed // 255, without a division


def _windows(images: Tensor, side: int) -> NDArray[np.uint8]:
    """Every square window of the images, as a view: shape (n, channels, tops, lefts, side, side)."""
    return np.lib.stride_tricks.sliding_window_view(images.numpy(), (side, side), axis=(2, 3), writeable=True)


def _crop_by_index(images: Tensor, index: Tensor, top: Tensor, left: Tensor, side: int) -> Tensor:
    return images.unfold(2, side, 1).unfold(3, side, 1)[index, :, top, left].contiguous()


def _draw_by_index(canvas: Tensor, alpha: Tensor, color: Tensor, top: Tensor, left: Tensor) -> None:
    n, channels, height, width = canvas.shape
    along = torch.arange(alpha.shape[-1], device=canvas.device)
    rows, columns = top[:, None] + along, left[:, None] + along
    pixels = (rows[:, :, None] * width + columns[:, None, :]).view(n, 1, -1).expand(-1, channels, -1)
    flat = canvas.view(n, channels, height * width)
    under, over, ink = (
        t.to(torch.int32) for t in (flat.gather(2, pixels), alpha.view(n, 1, -1), color[:, :, None])
    )
    flat.scatter_(2, pixels, _blend(under, over, ink).to(torch.uint8))
