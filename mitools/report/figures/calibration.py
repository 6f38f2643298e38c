"""The figure of a calibration: what each method reads against the truth."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.report.figures.columns import Floats, column_values, require_columns
from mitools.report.figures.panels import (
    AxesArray,
    Panels,
    SomeAxes,
    add_caption,
    add_key,
    open_panels,
)
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, KIND_MARKERS, plain_axes

CALIBRATION_COLUMNS = (
    "truth_bits",
    "reading_bits",
    "low_bits",
    "high_bits",
    "ceiling_bits",
    "null_bits",
)
"""The numbers of a reading; all but the first two may be empty."""

REFERENCE_METHOD = "class_posterior"
"""The method whose readings are shown in the panels of the others."""

MOST_CEILING_SHOWN = 1.5
"""A ceiling above this many times the highest truth or reading is named at the panel's top, not drawn."""

CHARACTERS_A_PANEL = 62
"""Of the caption, below a panel of a saved figure."""

_REFERENCE_LINE: dict[str, Any] = {"color": GREY, "linestyle": "--", "linewidth": 1, "zorder": 1}
_CEILING_LINE: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1.2}
_INTERVAL_CAP: dict[str, Any] = {"marker": "_", "color": "black", "linestyle": "", "markersize": 9}
_NULL_CROSS: dict[str, Any] = {"marker": "x", "color": "black", "linestyle": "", "markersize": 4}


def calibration_chart(
    table: pd.DataFrame, caption: str = "", ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a panel a method: the true value across, the reading up, and the diagonal where both agree.

    The marker says the kind: a triangle that points up is a lower bound, one that points down an upper
    bound, a circle a point estimate; a hollow one is an asymptotic bound. Bars are the intervals. A dotted
    line is the most that the method could have returned, and crosses at a truth of 0 are what it reads when
    the pairs are permuted. Where the class posterior was read, a grey line shows it in the other panels:
    what a linear classifier reads on rows that it has not seen.

    Parameters
    ----------
    table
        One row a reading, with ``method``, ``kind`` and :data:`CALIBRATION_COLUMNS`; limits, ceilings and
        nulls that are absent are None or NaN.
    caption
        Text below the panels, such as :func:`mitools.report.calibration.finding`.
    ax, figure
        Where to draw, one axes a method; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (methods,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("method", "kind", *CALIBRATION_COLUMNS))
    methods = [str(method) for method in dict.fromkeys(table["method"])]
    across = 2 if len(methods) == 4 else min(3, len(methods))
    size = (3.2 * across + 0.4, 3.2 * math.ceil(len(methods) / across))
    panels = open_panels(ax, figure, methods, size, columns=across, room=(0.0, 0.8), sharex=True, sharey=True)
    low, high = _limits(table)
    widest = 1.08 * max(column_values(table, "truth_bits").max(), 1e-3)
    reference = table[table["method"] == REFERENCE_METHOD]
    for k, (axes, method) in enumerate(zip(panels.axes, methods, strict=True)):
        axes.set_xlim(-0.05 * widest, widest)
        axes.set_ylim(low, high)
        _draw_panel(axes, method, table[table["method"] == method], reference)
        if panels.is_left(k):
            axes.set_ylabel("reading (bits)", fontsize=FONT_SIZE)
        if panels.is_lowest(k):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("true mutual information (bits)", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout(h_pad=1.4, w_pad=1.2)
    _add_key_and_caption(panels, table, caption, across)
    return panels.array


def _draw_panel(axes: Axes, method: str, rows: pd.DataFrame, reference: pd.DataFrame) -> None:
    plain_axes(axes)
    truth, reading, low, high, ceiling, null = (column_values(rows, column) for column in CALIBRATION_COLUMNS)
    kind = str(rows["kind"].iloc[0])
    axes.axline((0, 0), slope=1, color="black", linewidth=0.8, zorder=1)
    if method != REFERENCE_METHOD:
        of_reference = (column_values(reference, column) for column in ("truth_bits", "reading_bits"))
        axes.plot(*of_reference, **_REFERENCE_LINE)
    axes.plot(truth, reading, **_marker(kind), zorder=2)
    # Above the marker, which would hide a short one; the caps show in black and white.
    for ends in (low, high):
        axes.plot(truth, ends, **_INTERVAL_CAP, zorder=3)
    axes.vlines(truth, low, high, color="black", linewidth=1, zorder=3)
    axes.plot(np.zeros(len(null)), null, **_NULL_CROSS, zorder=3)
    _draw_ceiling(axes, ceiling[np.isfinite(ceiling)])
    axes.set_title(f"{method}\n{kind}", fontsize=FONT_SIZE, parse_math=False)


def _draw_ceiling(axes: Axes, ceiling: Floats) -> None:
    """Draw the lowest ceiling of a method, or name it where it lies far above all else."""
    if not len(ceiling):
        return
    lowest, top = float(ceiling.min()), axes.get_ylim()[1]
    if lowest < top:
        axes.axhline(lowest, **_CEILING_LINE)
    text = f"ceiling {lowest:.1f}" + ("" if lowest < top else ", above this figure")
    axes.annotate(
        text, (0.03, min(lowest, top)), xycoords=("axes fraction", "data"), xytext=(0, -2),
        textcoords="offset points", va="top", fontsize=FONT_SIZE - 1.5,
    )  # fmt: skip


def _add_key_and_caption(panels: Panels, table: pd.DataFrame, caption: str, across: int) -> None:
    kinds = list(dict.fromkeys(str(kind) for kind in table["kind"]))
    handles = [Line2D([], [], color="black", linewidth=0.8, label="reading = truth")]
    handles += [Line2D([], [], label=kind, **_marker(kind)) for kind in kinds]
    handles.append(Line2D([], [], label="interval", **_INTERVAL_CAP))
    if np.isfinite(column_values(table, "ceiling_bits")).any():
        handles.append(Line2D([], [], label="ceiling", **_CEILING_LINE))
    if np.isfinite(column_values(table, "null_bits")).any():
        handles.append(Line2D([], [], label="permuted pairs", **_NULL_CROSS))
    if REFERENCE_METHOD in set(table["method"]) and table["method"].nunique() > 1:
        handles.append(Line2D([], [], label=f"{REFERENCE_METHOD}'s lower bound", **_REFERENCE_LINE))
    columns = 2 * across
    add_key(
        panels, handles, loc="upper left", bbox_to_anchor=(0.0, 0.0), ncols=columns, fontsize=FONT_SIZE - 1
    )
    height = 1.0 if panels.figure is None else panels.figure.get_size_inches()[1]
    below = -(0.18 * math.ceil(len(handles) / columns) + 0.1) / height
    add_caption(panels, caption, width=CHARACTERS_A_PANEL * across, y=below, font_size=FONT_SIZE)


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of the reading's axis; the truth's ends alike."""
    truth, reading, low, high, ceiling, null = (
        column_values(table, column) for column in CALIBRATION_COLUMNS
    )
    top = np.nanmax(np.concatenate([truth, reading, high]))
    near = ceiling[ceiling < MOST_CEILING_SHOWN * top]
    top = max(top, near.max(initial=0.0), 1e-3)
    bottom = min(0.0, float(np.nanmin(np.concatenate([reading, low, null]))))
    return 1.05 * bottom - 0.04 * top, 1.06 * top


def _marker(kind: str) -> dict[str, Any]:
    face = "white" if kind == "asymptotic lower bound" else BLUE
    style = {"marker": KIND_MARKERS[kind], "linestyle": "", "markersize": 6, "markeredgewidth": 0.7}
    return style | {"markeredgecolor": "black", "markerfacecolor": face}
