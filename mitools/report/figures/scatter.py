"""Every measure against a target, with the coefficients above each panel."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    Floats,
    _floats,
    _need,
    axis_label,
    plain_axes,
    save_figure,
    shorten,
)
from mitools.statistics.coefficients import coefficients
from mitools.statistics.correlation import LOWER_IS_BETTER

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
