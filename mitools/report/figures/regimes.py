"""The three regimes: what views say of the label against what they share (Tian et al. 2020, Fig. 1b)."""

from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.report.figures.columns import Floats, column_values, require_columns
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.panels import SomeAxes, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, PALE, plain_axes, shorten
from mitools.shared_information.regimes import FIT_SHARE

REGIMES_COLUMNS = (
    "shared_bits", "shared_low", "shared_high", "shared_up_to", "view1_bits", "view1_low", "view1_high",
    "view1_up_to", "view2_bits", "view2_low", "view2_high", "view2_up_to", "image_bits", "image_low",
    "image_high", "image_up_to", "same_label_low",
)  # fmt: skip

NARROW_SHARE = 0.3
"""Share of the width below which a regime's name is written upright."""

MARKS_A_TEXT, MARKS_A_LINE = 9, 80
"""Places along a text, and along a line, that names are kept away from; along a bar half as many."""

BARS = "dark bars: 95% interval of what is read; grey bars: not excluded with more images"

REGIME_MARKS = {
    "missing information": ("v", BLUE),
    "sweet spot": ("o", "#009E73"),
    "excess": ("^", ORANGE),
    "missing information and excess": ("D", "black"),
    "cannot be told": ("s", GREY),
}
"""Marker and colour of the points of each regime."""

UNLESS = "sweet spot, unless a view misses information"
"""What is written above the band: where views share neither too little nor more than the label."""

MARKER_POINTS = 5.0
"""Size of a marker; names are kept out of a circle of that radius."""

BLUSH = "#F7E3D7"
"""A pale orange: where views share more than the image says of the label."""


def regimes_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw one point a pair of views: what it shares across, what the weaker view says of the label up.

    Left of the band views share less than two images of one label, right of it more than the image may say of
    the label; in it lies the sweet spot, unless a view misses label information. So marker and colour of a
    point name its regime, as a key says. The lines are what the image is seen to say of the label. Dark bars
    are intervals of what is read, and grey ones reach on to what is not excluded with more images: up to an
    arrow at the edge where no end is told. A sweep's points are joined in order.

    Parameters
    ----------
    table
        One row a pair, with ``views``, ``option``, ``value``, ``regime`` and, in bits,
        :data:`REGIMES_COLUMNS`.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("views", "option", "value", "regime", *REGIMES_COLUMNS))
    panels = open_panels(ax, figure, ["regimes"], (6.4, 4.0), room=(0.4, 0.4))
    axes = panels.axes[0]
    plain_axes(axes)
    across = _point(table, "shared")
    up = np.where(
        column_values(table, "view1_bits") <= column_values(table, "view2_bits"),
        _point(table, "view1"),
        _point(table, "view2"),
    )
    image = _point(table, "image")[:, 0]
    _limit(axes, across, up, image)
    least = (1 - FIT_SHARE) * min(float(column_values(table, "same_label_low")[0]), float(image[1]))
    highest_is_left = across[0, np.nanargmax(up[0])] < np.mean(axes.get_xlim())
    _shade(axes, image, least, "right" if highest_is_left else "left")
    of_regime = table["regime"].to_numpy()
    for regime, (marker, color) in REGIME_MARKS.items():
        own = of_regime == regime
        style: dict[str, Any] = {"fmt": marker, "markersize": MARKER_POINTS, "color": color, "capsize": 2}
        style |= {"xerr": _reach(across)[:, own], "yerr": _reach(up)[:, own], "elinewidth": 1}
        axes.errorbar(across[0, own], up[0, own], label=regime, **style)
    _draw_not_excluded(axes, across, up)
    for _, rows in table[table["option"].notna()].groupby("option", sort=False):
        places = table.index.get_indexer(rows.index)
        axes.plot(across[0, places], up[0, places], color=GREY, linewidth=1, linestyle=":", zorder=1)
    names = [_name(row) for _, row in table.iterrows()]
    marks = np.concatenate([_marks(axes, across, up), _marks_of_lines(axes, image[0]), _marks_of_texts(axes)])
    place_labels(axes, across[0], up[0], names, FONT_SIZE - 1, marks)
    axes.set_xlabel(f"shared by the views, I(v1;v2) (bits)\n{BARS}", fontsize=FONT_SIZE)
    axes.set_ylabel("label information of the weaker view, I(v;y) (bits)", fontsize=FONT_SIZE)
    seen = [name for name in REGIME_MARKS if name in of_regime]
    handles = [_key_of(name) for name in seen]
    style_of_key: dict[str, Any] = {"fontsize": FONT_SIZE - 1, "handlelength": 1.0, "columnspacing": 1.2}
    add_key(panels, handles, loc="lower left", bbox_to_anchor=(0.11, 0.92), ncols=len(seen), **style_of_key)
    return axes


def _point(table: pd.DataFrame, name: str) -> Floats:
    """Give readings, both limits, and the end of what is not excluded or nan: shape (4, n)."""
    return np.stack([column_values(table, f"{name}_{end}") for end in ("bits", "low", "high", "up_to")])


def _draw_not_excluded(axes: Axes, across: Floats, up: Floats) -> None:
    line: dict[str, Any] = {"color": GREY, "linewidth": 1, "zorder": 1.5}
    axes.hlines(up[0], across[2], _ends(axes, across), **line)
    axes.vlines(across[0], up[2], up[3], **line)
    open_ended = np.isnan(across[3])
    arrows: dict[str, Any] = {"marker": ">", "linestyle": "none", "markersize": 4, "clip_on": False}
    axes.plot(_ends(axes, across)[open_ended], up[0, open_ended], color=GREY, **arrows)


def _ends(axes: Axes, across: Floats) -> Floats:
    """Give where bars end across: at the edge where no end is told, shape (n,)."""
    return np.where(np.isnan(across[3]), axes.get_xlim()[1], across[3])


def _marks(axes: Axes, across: Floats, up: Floats) -> Floats:
    """Places along the bars of all points and around their markers, shape (m, 2)."""
    shares = np.linspace(0, 1, MARKS_A_LINE // 2)[:, None]
    level = across[1] + shares * (_ends(axes, across) - across[1])
    upright = up[1] + shares * (up[3] - up[1])
    pairs = [np.broadcast_arrays(level, up[0]), np.broadcast_arrays(across[0], upright)]
    along = [np.stack(pair, axis=-1).reshape(-1, 2) for pair in pairs]
    turn = 2 * np.pi * np.linspace(0, 1, MARKS_A_TEXT)[:, None, None]
    ring = np.concatenate([np.cos(turn), np.sin(turn)], axis=-1) * MARKER_POINTS * axes.figure.dpi / 72
    around = axes.transData.transform(np.column_stack([across[0], up[0]])) + ring
    return np.concatenate([*along, axes.transData.inverted().transform(around.reshape(-1, 2))])


def _marks_of_lines(axes: Axes, value: float) -> Floats:
    """Places along the two lines at a value, shape (m, 2)."""
    shares = np.linspace(0, 1, MARKS_A_LINE)
    (left, right), (low, high) = axes.get_xlim(), axes.get_ylim()
    level = np.column_stack([left + shares * (right - left), np.full(MARKS_A_LINE, value)])
    upright = np.column_stack([np.full(MARKS_A_LINE, value), low + shares * (high - low)])
    return np.concatenate([level, upright])


def _marks_of_texts(axes: Axes) -> Floats:
    """Places in what is written on the axes, shape (m, 2)."""
    shares = np.linspace(0, 1, MARKS_A_TEXT)
    grid = np.stack(np.meshgrid(shares, shares), axis=-1).reshape(-1, 2)
    boxes = [text.get_window_extent() for text in axes.texts]
    inside = np.concatenate([box.min + grid * box.size for box in boxes])
    places: Floats = axes.transData.inverted().transform(inside)
    return places


def _reach(point: Floats) -> Floats:
    return np.abs(point[1:3] - point[0])


def _limit(axes: Axes, across: Floats, up: Floats, image: Floats) -> None:
    right = 1.15 * max(float(np.nanmax(across)), float(image[3]))
    top = 1.2 * max(float(np.nanmax(up)), float(image[3]))
    axes.set_xlim(min(0.0, float(np.nanmin(across))) - 0.03 * right, right)
    axes.set_ylim(min(0.0, float(np.nanmin(up))) - 0.05 * top, top)


def _shade(axes: Axes, image: Floats, low: float, side: Literal["left", "right"]) -> None:
    left, right = axes.get_xlim()
    high = image[3]
    axes.axvspan(left, low, color=PALE, alpha=0.5, linewidth=0, zorder=0)
    axes.axvspan(high, right, color=BLUSH, linewidth=0, zorder=0)
    axes.axhline(image[0], color=GREY, linestyle="--", linewidth=1, zorder=1)
    axes.axvline(image[0], color=GREY, linestyle="--", linewidth=1, zorder=1)
    axes.annotate(
        f"I(x;y) = {image[0]:.2f} bits", (float(side == "right"), image[0]),
        xycoords=("axes fraction", "data"), xytext=(-3 if side == "right" else 3, 3),
        textcoords="offset points", ha=side, fontsize=FONT_SIZE - 1, color=GREY,
    )  # fmt: skip
    said: dict[str, Any] = {
        "fontsize": FONT_SIZE - 1,
        "xycoords": ("data", "axes fraction"),
        "textcoords": "offset points",
    }
    leftmost = low + high < left + right
    edge, grows = (max(low, left), "left") if leftmost else (min(high, right), "right")
    axes.annotate(UNLESS, (edge, 1.0), (0, 3), ha=grows, color=GREY, **said)
    # Upright where the shade is narrow.
    for name, start, stop, color in [
        ("missing information", left, low, GREY), ("excess", high, right, ORANGE),
    ]:  # fmt: skip
        turned = 90 if stop - start < NARROW_SHARE * (right - left) else 0
        axes.annotate(
            name, ((start + stop) / 2, 0.0), (0, 4), ha="center", va="bottom", rotation=turned,
            color=color, **said,
        )  # fmt: skip


def _key_of(regime: str) -> Line2D:
    marker, color = REGIME_MARKS[regime]
    return Line2D(
        [], [], marker=marker, color=color, markersize=MARKER_POINTS, linestyle="none", label=regime
    )


def _name(row: pd.Series) -> str:
    if pd.notna(row["option"]):
        return f"{row['value']:g}"
    return shorten(str(row["views"]), 36)
