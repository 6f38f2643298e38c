"""What an image of Colorful Moving-MNIST shows, and the sizes of its world."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.synthetic.glyphs import GLYPH_SIDE

CANVAS_SIDE = 64
"""Height and width of an image in pixels."""

BACKGROUND_SIDE = 96
"""Height and width of the pictures that backgrounds are cut from."""

DIGIT_OFFSETS = CANVAS_SIDE - GLYPH_SIDE + 1
"""Pixel offsets that keep the digit inside the canvas, along each axis."""

WINDOW_OFFSETS = BACKGROUND_SIDE - CANVAS_SIDE + 1
"""Pixel offsets of the canvas in a background, along each axis."""

SPEED = 0.1 * CANVAS_SIDE
"""Pixels a frame."""

FACTORS = ("digit", "position", "background")

FIRST_VIEW, SECOND_VIEW = 0, 1
"""Streams of random words, one a view."""

WORDS_PER_VIEW = 10
"""Random words: digit, glyph, background class, image, window's row and column, four for the motion."""


class Scene(NamedTuple):
    """What n images show, all int64: shape (n,), but (n, 2) for rows and columns."""

    digit: NDArray[np.int64]
    glyph: NDArray[np.int64]
    background: NDArray[np.int64]
    image: NDArray[np.int64]
    window: NDArray[np.int64]
    point: NDArray[np.int64]


FACTOR_FIELDS = {
    "digit": ("digit", "glyph"),
    "position": ("point",),
    "background": ("background", "image", "window"),
}
"""The fields of a scene that each factor determines."""
