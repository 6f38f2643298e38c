"""What a scene consists of: named attributes, and the sizes, places and colours drawn for each item."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.pinhole import Pinhole
from mitools.datasets.synthetic.attributes import Attributes, uniform_joint
from mitools.datasets.synthetic.motion import quarter_circle
from mitools.datasets.synthetic.random_draws import uniform
from mitools.datasets.synthetic.scenes.shapes import SHAPES

COLOURS = {
    "red": (0.90, 0.12, 0.12), "green": (0.15, 0.75, 0.20), "blue": (0.15, 0.30, 0.95),
    "yellow": (0.95, 0.85, 0.15), "purple": (0.60, 0.20, 0.80), "cyan": (0.15, 0.80, 0.85),
    "orange": (0.98, 0.50, 0.10), "white": (0.93, 0.93, 0.93),
}  # fmt: skip
"""The colours of objects: red, green, blue in [0, 1], as they are shown."""

MATERIALS = ("matt", "glossy", "striped", "checked")
POSES = ("near-left", "near-right", "far-left", "far-right")
LIGHTS = ("left", "right", "above", "front")
CAMERAS = ("low-left", "low-right", "high-left", "high-right")

TRUTH = Attributes(
    {
        "shape": SHAPES,
        "colour": tuple(COLOURS),
        "material": MATERIALS,
        "pose": POSES,
        "light": LIGHTS,
        "camera": CAMERAS,
    },
    uniform_joint([len(SHAPES), len(COLOURS), len(MATERIALS), len(POSES), len(LIGHTS), len(CAMERAS)]),
)
"""All attributes are uniform and independent of each other."""

NUMBERS = 20
"""Uniform numbers an item, beside the one for its attributes."""

WORDS = 2 * (1 + NUMBERS)
"""Random words an item."""

_TARGET = np.array([0.0, -0.3, 0.0])  # what the camera looks at, in metres; y points down
_FOCAL_WIDTHS = 1.2  # focal length in widths of the image: 45 degrees are seen
_COLOURS = np.array(list(COLOURS.values()))
_TO_LIGHT = np.array([[-1.0, -0.9, -0.5], [1.0, -0.9, -0.5], [0.0, -1.0, -0.1], [0.0, -0.6, -1.0]])


class Layout(NamedTuple):
    """What n scenes consist of, float64; lengths in metres.

    The world's frame has its origin on the floor, x right along the wall, y down, z towards the wall.

    Attributes
    ----------
    codes
        Shape (n, 6), int64: the value of each attribute.
    camera
        Shape (n, 3): where the camera is.
    axes
        Shape (n, 3, 3): the camera's x, y and z axes in the world, as columns.
    foot
        Shape (n, 3): the place of the object on the floor.
    turn
        Shape (n, 3, 3): from the world's axes to the object's, which is turned about the vertical.
    size
        Shape (n, 3): as :class:`mitools.datasets.synthetic.scenes.shapes.Size`.
    wall
        Shape (n,): where the wall stands along z.
    to_light
        Shape (n, 3): a unit vector from the scene to the light.
    brightness
        Shape (n,): of the light.
    object_colour, floor_colour, wall_colour
        Shape (n, 3): in [0, 1], as they are shown.
    """

    codes: NDArray[np.int64]
    camera: NDArray[np.float64]
    axes: NDArray[np.float64]
    foot: NDArray[np.float64]
    turn: NDArray[np.float64]
    size: NDArray[np.float64]
    wall: NDArray[np.float64]
    to_light: NDArray[np.float64]
    brightness: NDArray[np.float64]
    object_colour: NDArray[np.float64]
    floor_colour: NDArray[np.float64]
    wall_colour: NDArray[np.float64]


def some_of(layout: Layout, members: NDArray[np.int64]) -> Layout:
    """Take some of the scenes."""
    return layout._replace(**{name: field[members] for name, field in layout._asdict().items()})


def camera_of(size: int) -> Pinhole:
    """Give the camera of images of `size` x `size` pixels."""
    return Pinhole(_FOCAL_WIDTHS * size, _FOCAL_WIDTHS * size, (size - 1) / 2, (size - 1) / 2)


def draw_codes(words: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Draw the attributes of items, shape (n, 6), from the first two random words of each."""
    return TRUTH.draw(uniform(words[:, 0], words[:, 1]))


def draw_layout(words: NDArray[np.uint64]) -> Layout:
    """Draw scenes.

    Parameters
    ----------
    words
        Shape (n, WORDS): random 32-bit words.
    """
    codes = draw_codes(words)
    shape, colour, _, pose, light, camera = codes.T
    numbers = iter(uniform(words[:, 2::2], words[:, 3::2]).T)

    def between(low: NDArray | float, high: NDArray | float) -> NDArray[np.float64]:
        return low + (high - low) * next(numbers)

    right = np.where(camera % 2 == 1, 1.0, -1.0)
    elevation = between(np.where(camera >= 2, 28.0, 10.0), np.where(camera >= 2, 38.0, 18.0))
    azimuth, distance = between(8.0, 24.0), between(2.7, 3.2)
    place, axes = _look_at_target(right, np.radians(azimuth), np.radians(elevation), distance)

    sideways, away = between(0.2, 0.5), between(0.1, 0.4)
    zero = np.zeros(len(codes))
    foot = np.stack(
        (np.where(pose % 2 == 1, sideways, -sideways), zero, np.where(pose >= 2, away, -away)), axis=1
    )
    return Layout(
        codes=codes,
        camera=place,
        axes=axes,
        foot=foot,
        turn=_turn(next(numbers)),
        size=_sizes(shape, next(numbers), next(numbers), next(numbers)),
        wall=between(1.5, 2.0),
        to_light=_unit(
            _TO_LIGHT[light] + np.stack((between(-0.15, 0.15), zero, between(-0.15, 0.15)), axis=1)
        ),
        brightness=between(0.85, 1.0),
        object_colour=_COLOURS[colour] * between(0.9, 1.0)[:, None],
        floor_colour=_muted(next(numbers), next(numbers), next(numbers)),
        wall_colour=_muted(next(numbers), next(numbers), next(numbers)),
    )


def _look_at_target(
    right: NDArray[np.float64],
    azimuth: NDArray[np.float64],
    elevation: NDArray[np.float64],
    distance: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Place cameras around the target and turn them towards it."""
    (sin_a, cos_a), (sin_e, cos_e) = quarter_circle(azimuth), quarter_circle(elevation)
    sin_a = sin_a * right
    forward = np.stack((-sin_a * cos_e, sin_e, cos_a * cos_e), axis=1)
    across = np.stack((cos_a, np.zeros_like(cos_a), sin_a), axis=1)
    down = np.stack((sin_a * sin_e, cos_e, -cos_a * sin_e), axis=1)
    return _TARGET - distance[:, None] * forward, np.stack((across, down, forward), axis=2)


def _turn(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn about the vertical by a share of a quarter turn; a box looks alike after half a turn."""
    sine, cosine = quarter_circle(share * (np.pi / 2))
    zero, one = np.zeros_like(share), np.ones_like(share)
    rows = ((cosine, zero, -sine), (zero, one, zero), (sine, zero, cosine))
    return np.stack([np.stack(row, axis=1) for row in rows], axis=1)


def _sizes(
    shape: NDArray[np.int64],
    first: NDArray[np.float64],
    second: NDArray[np.float64],
    third: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Draw half a width, half a length and a height for each shape."""
    box = np.stack((0.25 + 0.13 * first, 0.25 + 0.13 * second, 0.5 + 0.3 * third), axis=1)
    sphere = 0.3 + 0.12 * first
    cylinder = 0.24 + 0.12 * first
    cone = 0.3 + 0.12 * first
    by_shape = (
        box,
        np.stack((sphere, sphere, 2 * sphere), axis=1),
        np.stack((cylinder, cylinder, 0.5 + 0.35 * third), axis=1),
        np.stack((cone, cone, 0.7 + 0.3 * third), axis=1),
    )
    return np.stack(by_shape)[shape, np.arange(len(shape))]


def _muted(
    grey: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw the greyish colours of floors and walls."""
    level = 0.45 + 0.35 * grey
    return np.stack((level + 0.12 * (first - 0.5), level, level + 0.12 * (second - 0.5)), axis=1)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    x, y, z = vectors.T
    return vectors / np.sqrt(x * x + y * y + z * z)[:, None]
