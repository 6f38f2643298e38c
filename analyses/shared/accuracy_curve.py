"""Points of accuracy over an estimate, with the intervals of both."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from mitools.analyses.shared.accuracy_by_setting import Z95
from mitools.report.figures.columns import Floats
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.panels import Panels
from mitools.report.figures.style import FONT_SIZE, GREY

MARKS_A_BAR = 101
"""Places along an interval that names are kept away from."""


def draw_curve(
    axes: Axes, found: pd.DataFrame, name: str, colour: str, marker: str, label: str, connected: bool
) -> None:
    """Draw a point a setting: an estimate across, linear accuracy up, bars of 95% intervals.

    Parameters
    ----------
    axes
        Where to draw.
    found
        As :func:`mitools.analyses.shared.accuracy_by_setting.per_setting` gives it.
    name
        Of the estimate: ``NAME_bits``, ``_low`` and ``_high`` are read.
    colour, marker, label
        Of the points.
    connected
        Whether a line leads through the settings in their order.
    """
    bits, accuracy = found[f"{name}_bits"], found["linear_acc"]
    margin = Z95 * found["linear_acc_stderr"]
    axes.vlines(bits, accuracy - margin, accuracy + margin, color=colour, linewidth=1)
    axes.hlines(accuracy, found[f"{name}_low"], found[f"{name}_high"], color=colour, linewidth=1)
    axes.plot(
        bits, accuracy, color=colour, marker=marker, markersize=4, linewidth=0.6,
        linestyle="-" if connected else "none", label=label,
    )  # fmt: skip


def name_points(panels: Panels, found: Sequence[pd.DataFrame], names: Sequence[str]) -> None:
    """Write the setting beside every point, where it covers neither other names nor what is drawn.

    Parameters
    ----------
    panels
        Complete, caption and all: places are chosen in pixels.
    found
        One table a panel; one row a point, as :func:`draw_curve` reads it, and where there are several
        curves the column ``colour``.
    names
        Of the estimate that each panel has across.
    """
    if panels.figure is None:
        # Layout runs here. Names are placed by where it puts the points, and must not move them again.
        panels.axes[0].figure.canvas.figure.draw_without_rendering()
    for axes, points, name in zip(panels.axes, found, names, strict=True):
        bits, accuracy = points[f"{name}_bits"].to_numpy(float), points["linear_acc"].to_numpy(float)
        texts = place_labels(
            axes, bits, accuracy, [str(one) for one in points["setting"]], FONT_SIZE - 1.5,
            _marks(axes, points, name),
        )  # fmt: skip
        for text, colour in zip(texts, points.get("colour", [GREY] * len(points)), strict=True):
            text.set_color(colour)
            text.set_in_layout(panels.figure is not None)


def _marks(axes: Axes, points: pd.DataFrame, name: str) -> Floats:
    """Places along the bars, and along the lines that join points; shape (m, 2)."""
    shares = np.linspace(0, 1, MARKS_A_BAR)[:, None]
    bits, low, high, accuracy = (
        points[column].to_numpy(float)
        for column in (f"{name}_bits", f"{name}_low", f"{name}_high", "linear_acc")
    )
    margin = Z95 * points["linear_acc_stderr"].to_numpy(float)
    level = np.broadcast_arrays(low + shares * (high - low), accuracy)
    upright = np.broadcast_arrays(bits, accuracy + (2 * shares - 1) * margin)
    bars = [np.stack(pair, axis=-1).reshape(-1, 2) for pair in (level, upright)]
    drawn = [_along(points) for points in _lines(axes)]
    marks = np.concatenate([np.asarray(places, dtype=float) for places in (*bars, *drawn)])
    return marks[np.isfinite(marks).all(axis=1)]


def _lines(axes: Axes) -> list[Floats]:
    """Points of all lines in data coordinates; of one across the whole axes, its two ends.

    What else is placed by the axes and not by the data, such as marks on an edge, is no line.
    """
    found = []
    for line in axes.get_lines():
        points = np.array(line.get_xydata(), dtype=float)
        if line.get_transform() is not axes.transData:  # of axhline and axvline: 0 to 1 is the whole axes
            if len(points) != 2:
                continue
            level = points[0, 1] == points[1, 1]
            points[:, int(not level)] = axes.get_xlim() if level else axes.get_ylim()
        found.append(points)
    return found


def _along(points: Floats) -> Floats:
    """Places along the line through points in their order, shape (m, 2)."""
    shares = np.linspace(0, 1, MARKS_A_BAR)[:, None, None]
    between = points[:-1] + shares * np.diff(points, axis=0)
    return np.concatenate([points, between.reshape(-1, 2)])
