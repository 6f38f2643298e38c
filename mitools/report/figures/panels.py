"""Where a chart is drawn: on the caller's axes, on a new figure that is shown, or on a figure that is saved.

Every chart takes ``ax`` and ``figure``. Without either it makes a figure of pyplot's, which a notebook shows.
Given ``ax`` it draws there and leaves the figure around it alone: no layout, no size, no text outside the
axes. Given an empty ``figure`` it fills it and lays it out for a file.
"""

import math
import textwrap
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.transforms import ScaledTranslation, Transform
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.report.figures.style import FONT_SIZE

AxesArray = NDArray[np.object_]
"""Shape (panels,) or (rows, columns), of :class:`matplotlib.axes.Axes`."""

SomeAxes = Axes | Sequence[Axes] | AxesArray
"""One axes, or one for every panel of a chart."""

CHARACTER_WIDTH = 0.52
"""Mean width of a character in font sizes, by which captions are folded."""

WIDE_CHARACTER = 0.58
"""The same for texts that must not leave the figure."""


class Panels(NamedTuple):
    """The axes that a chart draws on, one a panel.

    Attributes
    ----------
    axes
        In reading order.
    columns
        Panels in a row; None on the caller's axes, whose places are not known.
    figure
        The figure that the chart is to lay out for a file, if there is one.
    shown
        The figure of pyplot's that was made for the chart, if there is one; it lays itself out.
    """

    axes: list[Axes]
    columns: int | None = None
    figure: Figure | None = None
    shown: Figure | None = None

    @property
    def array(self) -> AxesArray:
        """The axes as an array, shape (panels,)."""
        array = np.empty(len(self.axes), dtype=np.object_)
        array[:] = self.axes
        return array

    def is_left(self, panel: int) -> bool:
        """Whether no panel is known to lie to the left of this one."""
        return self.columns is None or panel % self.columns == 0

    def is_lowest(self, panel: int) -> bool:
        """Whether no panel is known to lie below this one."""
        return self.columns is None or panel + self.columns >= len(self.axes)


def open_panels(
    ax: SomeAxes | None,
    figure: Figure | None,
    names: Sequence[str],
    size: tuple[float, float],
    *,
    columns: int | None = None,
    room: tuple[float, float] = (0.0, 0.0),
    layout: Literal["constrained"] | None = None,
    gridspec: dict[str, Any] | None = None,
    sharex: bool = False,
    sharey: bool = False,
) -> Panels:
    """Find or make the axes of a chart.

    Parameters
    ----------
    ax, figure
        As the chart was given them; not both.
    names
        What each panel shows.
    size
        Width and height of a saved figure in inches.
    columns
        Panels in a row; all when None.
    room
        Inches more that a figure in a notebook needs for what a saved one has outside its edges.
    layout
        The layout engine of a saved figure; one in a notebook is always constrained.
    gridspec
        Margins of a saved figure, as ``gridspec_kw`` of ``Figure.subplots``.
    sharex, sharey
        Whether panels of one figure share their axes; the caller's axes are as they are.

    Raises
    ------
    InputError
        When there are more or fewer axes than panels, or both axes and a figure are given.
    """
    columns = columns or len(names)
    shape = (math.ceil(len(names) / columns), columns)
    if ax is not None:
        if figure is not None:
            raise InputError("give axes to draw on or an empty figure to fill, not both")
        given = [ax] if isinstance(ax, Axes) else list(np.asarray(ax, dtype=object).ravel())
        if len(given) != len(names):
            raise InputError(
                f"the chart has {len(names)} panel{'s' * (len(names) > 1)} ({', '.join(names)}) and was given"
                f" {len(given)} axes; give one a panel, as plt.subplots({shape[0]}, {shape[1]}) makes them"
            )
        return Panels(given)
    shown = None
    if figure is None:
        from matplotlib import pyplot

        wide, high = size[0] + room[0], size[1] + room[1]
        shown, grid = pyplot.subplots(
            *shape, figsize=(wide, high), layout="constrained", squeeze=False, sharex=sharex, sharey=sharey
        )
    else:
        figure.set_size_inches(*size)
        figure.set_layout_engine(layout)
        grid = figure.subplots(*shape, squeeze=False, sharex=sharex, sharey=sharey, gridspec_kw=gridspec)
    for spare in list(grid.flat)[len(names) :]:
        spare.remove()
    return Panels(list(grid.flat)[: len(names)], columns, figure, shown)


def add_key(panels: Panels, handles: Sequence[Artist], **in_file: Any) -> Legend:
    """Add one legend for all panels: outside of them on a figure of their own, else below the lowest.

    Parameters
    ----------
    panels
        Complete but for the legend.
    handles
        With labels.
    **in_file
        Arguments of ``Figure.legend`` for a saved figure; ``ncols`` and ``handlelength`` hold elsewhere too.
    """
    if panels.figure is not None:
        return panels.figure.legend(handles=list(handles), frameon=False, **in_file)
    options: dict[str, Any] = {key: in_file[key] for key in ("ncols", "handlelength") if key in in_file}
    options |= {"frameon": False, "fontsize": FONT_SIZE - 1}
    if panels.shown is not None:
        return panels.shown.legend(handles=list(handles), loc="outside upper left", **options)
    axes = _lowest_left(panels.axes)
    below = points_below(axes, _hanging_points(axes) + 4)
    return axes.legend(
        handles=list(handles), loc="upper left", bbox_to_anchor=(0.0, 0.0), bbox_transform=below,
        borderaxespad=0, **options | {"ncols": 1},
    )  # fmt: skip


def add_caption(
    panels: Panels, text: str, *, width: int | None = None, y: float = -0.01, font_size: float = FONT_SIZE - 1
) -> None:
    """Write a text below all panels: of a figure of their own, else below the lowest panel.

    Parameters
    ----------
    panels
        Complete but for the caption: a saved figure is laid out here, once and for all.
    text
        Each of its lines is folded; nothing is written where it is empty.
    width
        Characters in a line of a saved figure; not folded when None.
    y
        Place of the text's upper edge in a saved figure, as a share of its height.
    font_size
        In points.
    """
    style: dict[str, Any] = {"fontsize": font_size, "va": "top", "ha": "left", "parse_math": False}
    if panels.figure is not None:
        panels.figure.draw_without_rendering()  # layout runs here, and would move what is measured later
        panels.figure.set_layout_engine("none")
        panels.figure.text(0.01, y, text if width is None else fold(text, width), **style)
    elif text and panels.shown is not None:
        folded = fold(text, characters(panels.shown.get_figwidth(), font_size, WIDE_CHARACTER))
        panels.shown.supxlabel(folded, x=0.01, **style | {"va": "bottom"})
    elif text:
        axes = _lowest_left(panels.axes)
        inches = max(axes.get_window_extent().width / axes.figure.dpi, 2.0)
        folded = fold(text, characters(inches, font_size, WIDE_CHARACTER))
        axes.annotate(
            folded, (0.0, 0.0), xycoords="axes fraction", xytext=(0, -_hanging_points(axes) - 6),
            textcoords="offset points", annotation_clip=False, **style,
        )  # fmt: skip


def points_below(axes: Axes, points: float) -> Transform:
    """Give the axes' own coordinates, moved down by a number of points."""
    return axes.transAxes + ScaledTranslation(0.0, -points / 72, axes.figure.dpi_scale_trans)


def characters(inches: float, font_size: float, width: float = CHARACTER_WIDTH) -> int:
    """Count the characters that fit into a line, at a mean width in font sizes."""
    return int(inches * 72 / (width * font_size))


def fold(text: str, width: int) -> str:
    """Fold every line of a text to at most `width` characters."""
    return "\n".join(textwrap.fill(line, width) for line in text.splitlines())


def _lowest_left(axes: Sequence[Axes]) -> Axes:
    """Pick the axes that lies lowest, and of those the leftmost."""
    places = [(round(one.get_position().y0, 3), one.get_position().x0) for one in axes]
    return axes[places.index(min(places))]


def _hanging_points(axes: Axes) -> float:
    """How far labels, legends and captions reach below an axes, in points."""
    box = axes.get_tightbbox()
    lowest = axes.bbox.y0 if box is None else box.y0
    return float(max(axes.bbox.y0 - lowest, 0.0) * 72 / axes.figure.dpi)
