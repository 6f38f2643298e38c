"""Names beside points, placed so that they cover neither each other nor the points."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from mitools.report.figures.columns import Floats
from mitools.report.figures.style import GREY

_ANGLES = np.deg2rad([0, 180, 90, 270, 45, 135, 225, 315, 20, 160, 200, 340, 65, 115, 245, 295])
_RADII = np.array([7.0, 11.0, 18.0, 28.0, 40.0, 54.0, 72.0])  # points
_LEADER_FROM = 9.0  # points: a label farther away than this gets a line to its point
_ALONG_LEADER = np.linspace(0.15, 0.85, 8)  # shares of a line's length where it is checked for crossings
_SWEEPS = 4


def place_labels(
    axes: Axes, x: Floats, y: Floats, names: Sequence[str], font_size: float, obstacles: Floats
) -> list[Annotation]:
    """Write a name beside each point.

    Every name tries places around its point and takes the cheapest: covering another name costs most, then
    leaving the axes, covering a point, lying nearer to another point than to its own, crossing a point or a
    name with the line to its own, and lying far. A few sweeps let early names give way to later ones.

    Parameters
    ----------
    axes
        With its final position and size: places are chosen in pixels.
    x, y
        Shape (n,), the points, in data coordinates.
    names
        One a point.
    font_size
        In typographic points.
    obstacles
        Shape (m, 2), further data coordinates better left visible, such as places along interval bars.

    Returns
    -------
    list of matplotlib.text.Annotation
        One a name.
    """
    if not len(names):
        return []
    axes.autoscale_view()  # else limits may still change when the figure is drawn
    pixels = axes.figure.dpi / 72
    texts = [
        axes.annotate(
            name,
            (px, py),
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=font_size,
            parse_math=False,
            ha="center",
            va="center",
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkA": 0, "shrinkB": 2},
        )
        for name, px, py in zip(names, x, y, strict=True)
    ]
    # Of the words alone: an annotation's own extent includes its line.
    boxes = [Text.get_window_extent(text) for text in texts]
    sizes = np.array([(box.width, box.height) for box in boxes])
    points = axes.transData.transform(np.column_stack([x, y]))
    hindrances = np.concatenate([points, axes.transData.transform(obstacles)]) if len(obstacles) else points
    frame = axes.get_window_extent()
    offsets = _choose(points, sizes, hindrances, (frame.x0, frame.y0, frame.x1, frame.y1), pixels)
    for text, offset, size in zip(texts, offsets, sizes, strict=True):
        text.set_position(tuple(offset / pixels))
        gap = np.hypot(*np.maximum(np.abs(offset) - size / 2, 0)) / pixels
        if gap < _LEADER_FROM and text.arrow_patch is not None:
            text.arrow_patch.set_visible(False)
    return texts


def _choose(
    points: Floats, sizes: Floats, hindrances: Floats, frame: tuple[float, float, float, float], pixels: float
) -> Floats:
    """Offsets of the label centres from their points, shape (n, 2), all in pixels."""
    n = len(points)
    candidates = np.stack([_candidates(size, pixels) for size in sizes])  # (n, c, 2)
    low = points[:, None] + candidates - sizes[:, None] / 2
    high = low + sizes[:, None]
    lines = points[:, None, None] + _ALONG_LEADER[:, None] * candidates[:, :, None]  # (n, c, steps, 2)
    own = _own_costs(points, low, high, lines, hindrances, frame, pixels)
    area = sizes.prod(axis=1)
    chosen = np.zeros(n, dtype=np.int64)
    placed = np.zeros(n, dtype=bool)
    for _ in range(_SWEEPS):
        for i in range(n):
            others = np.flatnonzero(placed & (np.arange(n) != i))
            other_low, other_high = low[others, chosen[others]], high[others, chosen[others]]
            shared = np.minimum(high[i][:, None], other_high) - np.maximum(low[i][:, None], other_low)
            overlap = np.maximum(shared, 0).prod(axis=-1) / area[i]  # (c, others)
            line = lines[i][:, :, None]
            crossed = ((line > other_low) & (line < other_high)).all(axis=-1).any(axis=1)
            cost = own[i] + (30 * overlap + 3 * (overlap > 0) + 2 * crossed).sum(axis=1)
            chosen[i] = np.argmin(cost)
            placed[i] = True
    offsets: Floats = candidates[np.arange(n), chosen]
    return offsets


def _own_costs(
    points: Floats,
    low: Floats,
    high: Floats,
    lines: Floats,
    hindrances: Floats,
    frame: tuple[float, float, float, float],
    pixels: float,
) -> Floats:
    """Costs of each place of each label, whatever the other labels do; shape (n, c)."""
    distance = np.repeat(_RADII, len(_ANGLES))
    foreign = ~np.eye(len(points), dtype=bool)[:, None]  # (n, 1, n)
    outside = np.maximum(np.array(frame[:2]) - low, 0) + np.maximum(high - np.array(frame[2:]), 0)
    covered = ((hindrances > low[:, :, None]) & (hindrances < high[:, :, None])).all(axis=-1)
    gap = np.maximum(np.maximum(low[:, :, None] - points, points - high[:, :, None]), 0)
    nearer = (np.linalg.norm(gap, axis=-1) < distance[:, None] * pixels) & foreign
    pierced = np.zeros_like(nearer)
    for place in np.moveaxis(lines, 2, 0):
        pierced |= np.linalg.norm(place[:, :, None] - points, axis=-1) < 4 * pixels
    pierced &= foreign & (distance >= _LEADER_FROM)[:, None]
    cost: Floats = (
        0.03 * distance
        + 4 * outside.sum(axis=-1) / pixels
        + 3 * covered.sum(axis=-1)
        + nearer.sum(axis=-1)
        + 3 * pierced.sum(axis=-1)
    )
    return cost


def _candidates(size: Floats, pixels: float) -> Floats:
    """Offsets of a label's centre for every radius and angle, shape (c, 2): its near edge at the radius."""
    direction = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
    reach = _RADII[:, None, None] * pixels * direction + direction * size / 2
    return reach.reshape(-1, 2)
