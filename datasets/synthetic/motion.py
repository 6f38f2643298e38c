"""Straight motion inside a square, reflected at its borders, in closed form for any frame.

Positions are whole numbers on a lattice of 2^16 points a pixel, so that every machine draws the same
pixels. A reflection maps the lattice onto itself: a start that is uniform on it stays uniform for ever,
and the two axes stay independent (directions come in all four reflections alike).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.synthetic.random_draws import below

POINTS_PER_PIXEL = 1 << 16


class Motion(NamedTuple):
    """Where digits start and how they move: shape (n, 2) each, rows then columns, in lattice points."""

    start: NDArray[np.int64]
    velocity: NDArray[np.int64]


def draw_motions(words: NDArray[np.uint64], offsets: int, speed: float) -> Motion:
    """Draw starts uniform over the square and directions uniform over the circle.

    Parameters
    ----------
    words
        Shape (n, 4): random 32-bit words.
    offsets
        How many pixel offsets the digit may take along each axis.
    speed
        Pixels a frame.
    """
    start = below(words[:, :2], offsets * POINTS_PER_PIXEL)
    sine, cosine = quarter_circle(words[:, 2].astype(np.float64) * (np.pi / 2 / 2**32))
    velocity = np.rint(np.stack((sine, cosine), axis=1) * (speed * POINTS_PER_PIXEL)).astype(np.int64)
    signs = 1 - 2 * np.stack((below(words[:, 3], 4) % 2, below(words[:, 3], 4) // 2), axis=1)
    return Motion(start, velocity * signs)


def quarter_circle(angle: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sine and cosine of angles in [0, pi/2] by their Taylor series.

    Sums and products of float64 are the same everywhere; the sine of a mathematical library is not.
    """
    square = angle * angle
    sine, cosine = np.ones_like(angle), np.ones_like(angle)
    for k in range(11, 0, -1):
        sine = 1.0 - sine * square / (2 * k * (2 * k + 1))
        cosine = 1.0 - cosine * square / ((2 * k - 1) * 2 * k)
    return angle * sine, cosine


def positions(motion: Motion, frames: NDArray[np.int64], offsets: int) -> NDArray[np.int64]:
    """Lattice positions in some frames; frame 1 is the start.

    Parameters
    ----------
    motion
        Of n digits.
    frames
        Shape (t,), at least 1.
    offsets
        How many pixel offsets the digit may take along each axis.

    Returns
    -------
    NDArray[np.int64]
        Shape (n, t, 2), in ``range(offsets * POINTS_PER_PIXEL)``.
    """
    straight = motion.start[:, None] + (frames - 1)[None, :, None] * motion.velocity[:, None]
    return reflect(straight, offsets * POINTS_PER_PIXEL)


def reflect(points: NDArray[np.int64], length: int) -> NDArray[np.int64]:
    """Fold a straight line of lattice points into ``range(length)``: there and back, for ever."""
    around = points % (2 * length)
    return np.minimum(around, 2 * length - 1 - around)


def cells(points: NDArray[np.int64], offsets: int, grid: int) -> NDArray[np.int64]:
    """Quantise lattice positions, shape (n, 2), to grid x grid cells of equal size, numbered row by row.

    Uniform positions fall into every cell alike (exactly where `grid` divides the lattice's points, to
    within one point in two million otherwise): the entropy of the cell is 2 log2(grid) bits.
    """
    row, column = (points * grid // (offsets * POINTS_PER_PIXEL)).T
    return row * grid + column


def cell_points(
    cell: NDArray[np.int64], words: NDArray[np.uint64], offsets: int, grid: int
) -> NDArray[np.int64]:
    """Draw a lattice position, uniform within each cell.

    Parameters
    ----------
    cell
        Shape (n,), as from :func:`cells`.
    words
        Shape (n, 2): random 32-bit words.
    offsets, grid
        As for :func:`cells`.
    """
    place = np.stack((cell // grid, cell % grid), axis=1)
    first, beyond = (-(-edge * offsets * POINTS_PER_PIXEL // grid) for edge in (place, place + 1))
    return first + below(words, beyond - first)
