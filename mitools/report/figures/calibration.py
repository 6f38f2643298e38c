"""The figure of a calibration: what each method reads against the truth."""

import math
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.warnings import SATURATED_SHARE
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, plain_axes, save_figure

Floats = NDArray[np.floating[Any]]

MARKERS = {"lower bound": "^", "asymptotic lower bound": "^", "upper bound": "v", "point estimate": "o"}
"""A bound points to the side on which the truth lies."""

COLUMNS = ("truth_bits", "reading_bits", "low_bits", "high_bits", "ceiling_bits", "null_bits")

REFERENCE = "class_posterior"
_REFERENCE_LINE: dict[str, Any] = {"color": GREY, "linestyle": "--", "linewidth": 1, "zorder": 1}
_CEILING: dict[str, Any] = {"color": "black", "linestyle": ":", "linewidth": 1.2}
_CAP: dict[str, Any] = {"marker": "_", "color": "black", "linestyle": "", "markersize": 9}
_NULL: dict[str, Any] = {"marker": "x", "color": "black", "linestyle": "", "markersize": 4}

OUT_OF_SIGHT = 1.5
"""A ceiling above this many times the highest truth or reading is named at the panel's top, not drawn."""


def calibration_chart(table: pd.DataFrame, path: Path, caption: str = "") -> list[Path]:
    """Draw a panel a method: the true value across, the reading up, and the diagonal where both agree.

    The marker says the kind: a triangle that points up is a lower bound, one that points down an upper
    bound, a circle a point estimate; a hollow one is an asymptotic bound. Bars are the intervals. A dotted
    line is the most that the method could have returned, and crosses at a truth of 0 are what it reads when
    pairs are shuffled apart. Where the class posterior was read, a grey line shows it in the other panels:
    what a linear classifier can tell of rows that it has not seen.

    Parameters
    ----------
    table
        One row a reading, with ``method``, ``kind`` and :data:`COLUMNS`; limits, ceilings and nulls that are
        absent are None or NaN.
    path
        Where to write; ``.png`` and ``.svg`` are put behind it.
    caption
        Text below the panels, such as :func:`finding`.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    OSError
        When the folder cannot be written.
    """
    for column in ("method", "kind", *COLUMNS):
        if column not in table.columns:
            raise InputError(f"the figure needs the column {column!r}, which the table lacks")
    methods = list(dict.fromkeys(table["method"]))
    if not methods:
        raise InputError("the table has no rows, so there is nothing to draw")
    across = 2 if len(methods) == 4 else min(3, len(methods))
    down = math.ceil(len(methods) / across)
    figure = Figure(figsize=(3.2 * across + 0.4, 3.2 * down))
    panels = list(figure.subplots(down, across, sharex=True, sharey=True, squeeze=False).flat)
    low, high = _limits(table)
    widest = 1.08 * max(_floats(table, "truth_bits").max(), 1e-3)
    reference = table[table["method"] == REFERENCE]
    for k, (axes, method) in enumerate(zip(panels, methods, strict=False)):
        axes.set_xlim(-0.05 * widest, widest)
        axes.set_ylim(low, high)
        _panel(axes, str(method), table[table["method"] == method], reference)
        if k % across == 0:
            axes.set_ylabel("reading (bits)", fontsize=FONT_SIZE)
        if k + across >= len(methods):
            axes.tick_params(labelbottom=True)
            axes.set_xlabel("true mutual information (bits)", fontsize=FONT_SIZE)
    for axes in panels[len(methods) :]:
        axes.remove()
    figure.tight_layout(h_pad=1.4, w_pad=1.2)
    _explain(figure, table, caption, across)
    return save_figure(figure, path)


def finding(table: pd.DataFrame) -> str:
    """Say in plain words, from the numbers, how far each method's readings lie from the truth.

    Parameters
    ----------
    table
        As for :func:`calibration_chart`.

    Examples
    --------
    >>> table = pd.DataFrame({"method": "infonce", "kind": "lower bound", "truth_bits": [2.0, 8.0]})
    >>> table = table.assign(reading_bits=[1.9, 5.5], low_bits=[1.8, 5.4], high_bits=[2.0, 5.6])
    >>> finding(table.assign(ceiling_bits=5.6, null_bits=0.0))
    'infonce (lower bound) is off by at most 2.50 bits: it reads 5.50 of 8, 98% of its ceiling.'
    """
    return " ".join(_sentence(str(method), rows) for method, rows in table.groupby("method", sort=False))


def _sentence(method: str, rows: pd.DataFrame) -> str:
    kind = str(rows["kind"].iloc[0])
    truth, reading, low, high, ceiling, _ = (_floats(rows, column) for column in COLUMNS)
    worst = int(np.argmax(np.abs(reading - truth)))
    off = abs(reading[worst] - truth[worst])
    text = f"{method} ({kind}) is off by at most {off:.2f} bits:"
    text += f" it reads {reading[worst]:.2f} of {truth[worst]:g}"
    if reading[worst] > SATURATED_SHARE * ceiling[worst]:
        text += f", {reading[worst] / ceiling[worst]:.0%} of its ceiling"
    text += "."
    if kind == "point estimate":
        known = np.isfinite(low) & np.isfinite(high)
        held = int(((low <= truth) & (truth <= high))[known].sum())
        return text + (
            f" Its interval holds the truth at {held} of {known.sum()} values." if known.any() else ""
        )
    wrong = high < truth if kind == "upper bound" else low > truth
    if wrong.any():
        where = " and ".join(f"{value:g}" for value in truth[wrong])
        side = "below" if kind == "upper bound" else "above"
        text += (
            f" At {where} bits its whole interval lies {side} the truth: it does not keep its promise there."
        )
    return text


def _panel(axes: Axes, method: str, rows: pd.DataFrame, reference: pd.DataFrame) -> None:
    plain_axes(axes)
    truth, reading, low, high, ceiling, null = (_floats(rows, column) for column in COLUMNS)
    kind = str(rows["kind"].iloc[0])
    axes.axline((0, 0), slope=1, color="black", linewidth=0.8, zorder=1)
    if method != REFERENCE:
        axes.plot(_floats(reference, "truth_bits"), _floats(reference, "reading_bits"), **_REFERENCE_LINE)
    axes.plot(truth, reading, **_marker(kind), zorder=2)
    # Above the marker, which would hide a short one; the caps show in black and white.
    for ends in (low, high):
        axes.plot(truth, ends, **_CAP, zorder=3)
    axes.vlines(truth, low, high, color="black", linewidth=1, zorder=3)
    axes.plot(np.zeros(len(null)), null, **_NULL, zorder=3)
    _draw_ceiling(axes, ceiling[np.isfinite(ceiling)])
    axes.set_title(f"{method}\n{kind}", fontsize=FONT_SIZE, parse_math=False)


def _draw_ceiling(axes: Axes, ceiling: Floats) -> None:
    """Draw the lowest ceiling of a method, or name it where it lies far above all else."""
    if not len(ceiling):
        return
    lowest, top = float(ceiling.min()), axes.get_ylim()[1]
    if lowest < top:
        axes.axhline(lowest, **_CEILING)
    text = f"ceiling {lowest:.1f}" + ("" if lowest < top else ", above this figure")
    axes.annotate(
        text, (0.03, min(lowest, top)), xycoords=("axes fraction", "data"), xytext=(0, -2),
        textcoords="offset points", va="top", fontsize=FONT_SIZE - 1.5,
    )  # fmt: skip


def _explain(figure: Figure, table: pd.DataFrame, caption: str, across: int) -> None:
    """Put the key and the caption below the panels."""
    kinds = list(dict.fromkeys(str(kind) for kind in table["kind"]))
    handles = [Line2D([], [], color="black", linewidth=0.8, label="reading = truth")]
    handles += [Line2D([], [], label=kind, **_marker(kind)) for kind in kinds]
    handles.append(Line2D([], [], label="interval", **_CAP))
    if np.isfinite(_floats(table, "ceiling_bits")).any():
        handles.append(Line2D([], [], label="ceiling", **_CEILING))
    if np.isfinite(_floats(table, "null_bits")).any():
        handles.append(Line2D([], [], label="pairs shuffled apart", **_NULL))
    if REFERENCE in set(table["method"]) and table["method"].nunique() > 1:
        handles.append(Line2D([], [], label=f"{REFERENCE}'s lower bound", **_REFERENCE_LINE))
    height = figure.get_size_inches()[1]
    key = figure.legend(
        handles=handles, loc="upper left", bbox_to_anchor=(0.0, 0.0), ncols=2 * across, frameon=False,
        fontsize=FONT_SIZE - 1,
    )  # fmt: skip
    lines = math.ceil(len(key.get_texts()) / (2 * across))
    text = "\n".join(textwrap.fill(line, 62 * across) for line in caption.splitlines())
    below = -(0.18 * lines + 0.1) / height
    figure.text(0.01, below, text, va="top", fontsize=FONT_SIZE, parse_math=False)


def _limits(table: pd.DataFrame) -> tuple[float, float]:
    """Limits of the reading's axis; the truth's ends alike."""
    truth, reading, low, high, ceiling, null = (_floats(table, column) for column in COLUMNS)
    top = np.nanmax(np.concatenate([truth, reading, high]))
    near = ceiling[ceiling < OUT_OF_SIGHT * top]
    top = max(top, near.max(initial=0.0), 1e-3)
    bottom = min(0.0, float(np.nanmin(np.concatenate([reading, low, null]))))
    return 1.05 * bottom - 0.04 * top, 1.06 * top


def _marker(kind: str) -> dict[str, Any]:
    face = "white" if kind == "asymptotic lower bound" else BLUE
    style = {"marker": MARKERS[kind], "linestyle": "", "markersize": 6, "markeredgewidth": 0.7}
    return style | {"markeredgecolor": "black", "markerfacecolor": face}


def _floats(table: pd.DataFrame, column: str) -> Floats:
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
