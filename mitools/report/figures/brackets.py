"""The figures of an audit: what goes with accuracy, and between which limits I_class lies."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    PALE,
    axis_label,
    plain_axes,
    save_figure,
    shorten,
)
from mitools.statistics.coefficients import coefficients
from mitools.statistics.correlation import LOWER_IS_BETTER

Floats = NDArray[np.floating[Any]]

MOST_NAMES = 20
"""Beyond this many encoders the points carry numbers, and a key below the panels the names."""


def scatter_against_target(
    table: pd.DataFrame,
    columns: Sequence[str],
    target: str,
    path: Path,
    lower_is_better: Iterable[str] = LOWER_IS_BETTER,
) -> list[Path]:
    """Draw a panel a column: the column across, the target up, a named point an encoder.

    Better lies to the right in every panel: where lower is better the axis is turned, and the coefficients in
    the title are those of the turned column, as in :func:`mitools.statistics.correlation.correlate`. Interval
    bars are drawn where the table has ``<column without _bits>_low`` and ``_high``. Encoders whose value or
    target is absent are left out of the panel, and the title counts them.

    Parameters
    ----------
    table
        One row an encoder, with the columns ``encoder``, `target` and `columns`.
    columns
        One panel each.
    target
        Such as ``linear_acc``.
    path
        Where to write; ``.png`` and ``.svg`` are put behind it.
    lower_is_better
        Columns whose axis is turned; others than those drawn are ignored.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column, or no column is named.
    OSError
        When the folder cannot be written.
    """
    if not columns:
        raise InputError("there is no column to draw; name at least one")
    _need(table, ["encoder", target, *columns])
    turned = set(lower_is_better)
    across = min(3, len(columns))
    down = math.ceil(len(columns) / across)
    figure = Figure(figsize=(4.3 * across, 3.5 * down))
    grid = figure.subplots(down, across, sharey=True, squeeze=False)
    panels = list(grid.flat)
    names = [str(name) for name in table["encoder"]]
    numbered = len(names) > MOST_NAMES
    marks = [str(k) for k in range(1, len(names) + 1)] if numbered else [shorten(name, 26) for name in names]
    y = _floats(table, target)
    drawn = [
        _scatter(axes, table, column, y, column in turned)
        for axes, column in zip(panels, columns, strict=False)
    ]
    for row in grid:
        row[0].set_ylabel(axis_label(target), fontsize=FONT_SIZE, parse_math=False)
    for axes in panels[len(columns) :]:
        axes.remove()
    figure.tight_layout(h_pad=1.6, w_pad=1.2)
    for axes, (x, keep, bars) in zip(panels, drawn, strict=False):
        chosen = [mark for mark, kept in zip(marks, keep, strict=True) if kept]
        place_labels(axes, x[keep], y[keep], chosen, FONT_SIZE - 1.5, bars)
    if numbered:
        _key(figure, names)
    return save_figure(figure, path)


def bracket_chart(table: pd.DataFrame, path: Path) -> list[Path]:
    """Draw for each encoder the bracket from the certified lower limit to H(C), in which I_class lies.

    The dark bar ends at the lower limit: so much is certified. The hatched bar from there to H(C) is what
    remains open; a point marks the reading. Where the interval reaches H(C) the value is identified, and a
    star says so. Encoders are sorted by their reading; one without a reading keeps its line and says so.

    Parameters
    ----------
    table
        One row an encoder, with ``encoder``, ``h_c_bits``, ``i_class_bits``, ``i_class_low`` and
        ``i_class_identified``.
    path
        Where to write; ``.png`` and ``.svg`` are put behind it.

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
    _need(table, ["encoder", "h_c_bits", "i_class_bits", "i_class_low", "i_class_identified"])
    # The highest on top, one without a reading at the bottom.
    table = table.iloc[np.argsort(np.nan_to_num(_floats(table, "i_class_bits"), nan=-np.inf), kind="stable")]
    n = len(table)
    rows = np.arange(n)
    entropy, point, low = (_floats(table, name) for name in ("h_c_bits", "i_class_bits", "i_class_low"))
    known = np.isfinite(entropy) & np.isfinite(point) & np.isfinite(low)
    identified = known & (table["i_class_identified"].astype(str).str.lower() == "true").to_numpy()
    # The axes fill the figure, so that a row is as high for one encoder as for fifty; what lies outside
    # (names, notes, the key) is taken in when the figure is saved.
    figure = Figure(figsize=(4.6, 0.1 + 0.28 * n))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    plain_axes(axes)
    # A limit below 0 certifies nothing, and one above H(C) leaves nothing open.
    axes.barh(rows[known], np.clip(low[known], 0.0, None), height=0.6, color=BLUE)
    axes.barh(
        rows[known], np.clip(entropy - low, 0.0, None)[known], left=low[known], height=0.6,
        facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0.6,
    )  # fmt: skip
    axes.plot(point[known], rows[known], "D", markersize=5, color="white", markeredgecolor="black")
    star: dict[str, Any] = {"marker": "*", "markersize": 11, "linestyle": "", "color": ORANGE}
    star |= {"markeredgecolor": "black"}
    axes.plot(entropy[identified], rows[identified], **star)
    for row in rows:
        if known[row]:
            limit = f"at least {low[row]:.3f}" if low[row] > 0 else "nothing certified"
            note = f"{point[row]:.3f}, {limit}" + (", identified" if identified[row] else "")
        else:
            note = "no estimate"
        axes.annotate(
            note, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=FONT_SIZE - 1
        )
    _draw_entropy(axes, entropy)
    axes.set_yticks(rows, [shorten(str(name), 44) for name in table["encoder"]], fontsize=FONT_SIZE)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(-0.6, n - 0.4)
    axes.set_xlabel("mutual information of same-class pairs (bits)", fontsize=FONT_SIZE)
    handles = [
        Patch(color=BLUE, label="certified: I_class is at least this"),
        Patch(facecolor=PALE, edgecolor=GREY, hatch="////", label="open: I_class lies in here"),
        Line2D([], [], marker="D", linestyle="", color="white", markeredgecolor="black", label="reading"),
        Line2D([], [], color="black", linestyle="--", linewidth=1, label="H(C), which I_class cannot exceed"),
    ]
    if identified.any():
        handles.append(Line2D([], [], label="identified: I_class = H(C)", **star))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=0, ncols=2,
        bbox_transform=offset_copy(axes.transAxes, figure, y=-34, units="points"),
        fontsize=FONT_SIZE - 1, frameon=False,
    )  # fmt: skip
    return save_figure(figure, path)


def _scatter(
    axes: Axes, table: pd.DataFrame, column: str, y: Floats, turned: bool
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Draw one panel without its names; return x, which rows are drawn, and places along the bars."""
    plain_axes(axes)
    axes.tick_params(labelleft=True)
    x = _floats(table, column)
    keep = np.isfinite(x) & np.isfinite(y)
    stem = column.removesuffix("_bits")
    bars = np.empty((0, 2))
    if {f"{stem}_low", f"{stem}_high"} <= set(table.columns):
        low, high = _floats(table, f"{stem}_low"), _floats(table, f"{stem}_high")
        barred = keep & np.isfinite(low) & np.isfinite(high)
        axes.hlines(y[barred], low[barred], high[barred], color=GREY, linewidth=1, zorder=1)
        along = np.linspace(low[barred], high[barred], 15)
        bars = np.column_stack([along.ravel(), np.broadcast_to(y[barred], along.shape).ravel()])
    axes.plot(x[keep], y[keep], "o", markersize=4.5, color=BLUE, markeredgecolor="black", markeredgewidth=0.5)
    axes.margins(0.16, 0.16)
    axes.locator_params(axis="x", nbins=6)
    label = axis_label(column) + (", axis turned: lower is better" if turned else "")
    axes.set_xlabel(label, fontsize=FONT_SIZE, parse_math=False)
    if turned:
        axes.invert_xaxis()
    axes.set_title(_title(-x[keep] if turned else x[keep], y[keep], int((~keep).sum())), fontsize=FONT_SIZE)
    if not keep.any():
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", fontsize=FONT_SIZE)
    return x, keep, bars


def _title(x: Floats, y: Floats, absent: int) -> str:
    """Coefficients of a panel, or why there are none."""
    n = len(x)
    if n < 3:
        text = f"no correlation from {n} encoder{'s' * (n != 1)}"
    elif np.ptp(x) == 0 or np.ptp(y) == 0:
        text = "no correlation: constant"
    else:
        pearson, kendall, _ = coefficients(x, y, np.ones((1, n)))[:, 0]
        text = f"Pearson {pearson:.2f}, Kendall {kendall:.2f}, n = {n}"
    return text + (f", {absent} without a value" if absent else "")


def _key(figure: Figure, names: Sequence[str]) -> None:
    """Write "number name" for every encoder below the panels, in columns."""
    width, height = figure.get_size_inches()
    across = max(1, int(width / 2.9))
    down = math.ceil(len(names) / across)
    for k, name in enumerate(names):
        column, row = divmod(k, down)
        left, top = (column + 0.12) / across, -(row + 1) * 0.16 / height
        figure.text(left, top, str(k + 1), fontsize=FONT_SIZE - 1, ha="right")
        figure.text(left + 0.1 / width, top, shorten(name, 40), fontsize=FONT_SIZE - 1, parse_math=False)


def _draw_entropy(axes: Axes, entropy: Floats) -> None:
    """Draw H(C) as a line over all rows, or over each where encoders were read on different classes."""
    finite = entropy[np.isfinite(entropy)]
    if not len(finite):
        return
    if np.ptp(finite) < 1e-9:
        axes.axvline(finite[0], color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"H(C) = {finite[0]:.3f} bits", (finite[0], 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 3), textcoords="offset points", ha="center", fontsize=FONT_SIZE,
        )  # fmt: skip
        return
    for row in np.flatnonzero(np.isfinite(entropy)):
        axes.vlines(entropy[row], row - 0.45, row + 0.45, color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"H(C) = {entropy[row]:.3f}", (entropy[row], row + 0.3), xytext=(-2, 0),
            textcoords="offset points", ha="right", va="bottom", fontsize=FONT_SIZE - 2,
        )  # fmt: skip


def _need(table: pd.DataFrame, columns: Sequence[str]) -> None:
    absent = [name for name in columns if name not in table.columns]
    if absent:
        raise InputError(f"the figure needs the column {absent[0]!r}, which the table lacks")
    if not len(table):
        raise InputError("the table has no rows, so there is nothing to draw")


def _floats(table: pd.DataFrame, column: str) -> Floats:
    """Return a column as float64; None and text that is no number as NaN."""
    return pd.to_numeric(table[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)
