"""Handwritten digits as glyphs: coverage in 0 to 255, 28x28 pixels, one class a digit."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.specs import Spec, parse_spec
from mitools.datasets.readers.digits import open_digits
from mitools.datasets.readers.mnist import read_mnist
from mitools.datasets.synthetic.image_pool import Pool
from mitools.datasets.synthetic.random_draws import Part

GLYPH_SIDE = 28
_STROKE_SIDE = 20  # MNIST draws its digits 20 pixels high in a field of 28


def open_glyphs(text: str, part: Part) -> Pool:
    """Open the glyphs that a spec names.

    Parameters
    ----------
    text
        ``digits`` (scikit-learn's, 8x8, upsampled; nothing to download) or ``mnist:DIR`` (idx files).
    part
        ``train`` and ``test`` have no glyph in common: MNIST's own parts; the first three quarters of
        scikit-learn's digits and the rest.

    Returns
    -------
    Pool
        Ten classes, the digits 0 to 9 in order.

    Raises
    ------
    InputError
        When the spec cannot be read, an idx file is damaged, the images are not 28x28 or a digit is missing.
    """
    spec = parse_spec(text, ["digits", "mnist"])
    spec.only()
    return _upsampled_digits(part) if spec.source == "digits" else _mnist(spec, part)


def resize_glyphs(images: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Resize glyphs, shape (n, height, width), to (n, side, side)."""
    if images.shape[1:] == (side, side):
        return images
    resized = np.empty((len(images), side, side), dtype=np.uint8)
    for position, image in enumerate(images):
        picture = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
        resized[position] = np.asarray(picture)
    return resized


def _mnist(spec: Spec, part: Part) -> Pool:
    folder = Path(spec.need_name("mnist:path/to/folder"))
    data = read_mnist(folder, part)
    if data.images.shape[1:] != (GLYPH_SIDE, GLYPH_SIDE):
        raise InputError(f"{folder}: images of {data.images.shape[1:]} pixels; glyphs are 28x28")
    counts = np.bincount(data.labels, minlength=10)
    if len(counts) > 10 or not counts.all():
        raise InputError(f"{folder}: glyphs are the digits 0 to 9, every one present in part {part}")
    return Pool.grouped(f"mnist-{part}", data.classes, data.labels, data.images)


def _upsampled_digits(part: Part) -> Pool:
    data = open_digits(Spec("digits", "digits"))
    split = len(data) * 3 // 4
    chosen = slice(None, split) if part == "train" else slice(split, None)
    strokes = resize_glyphs(data.images[chosen], _STROKE_SIDE).astype(np.int32)
    # Upsampling eight pixels to twenty blurs the strokes; a steeper slope thins and sharpens them.
    strokes = np.clip(128 + 2 * (strokes - 150), 0, 255).astype(np.uint8)
    images = np.zeros((len(strokes), GLYPH_SIDE, GLYPH_SIDE), dtype=np.uint8)
    margin = (GLYPH_SIDE - _STROKE_SIDE) // 2
    images[:, margin:-margin, margin:-margin] = strokes
    return Pool.grouped(f"digits-{part}", data.classes, data.labels[chosen], images)
