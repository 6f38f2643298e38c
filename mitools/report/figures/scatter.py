"""Every measure against a target, with the coefficients above each panel."""

import math
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.report.figures.columns import Floats, column_values, require_columns
from mitools.report.figures.label_placement import place_labels
from mitools.report.figures.panels import AxesArray, Panels, SomeAxes, add_caption, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, axis_label, plain_axes, shorten
from mitools.statistics.coefficients import coefficients
from mitools.statistics.correlation import LOWER_IS_BETTER

MOST_NAMED_POINTS = 20
"""Beyond this many encoders the points carry numbers, and a key below the panels the names."""

PANELS_IN_A_ROW = 3


def scatter_against_target(
    table: pd.DataFrame,
    columns: Sequence[str],
    target: str,
    lower_is_better: Iterable[str] = LOWER_IS_BETTER,
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw a panel a column: the column across, the target up, a named point an encoder.

    Better lies to the right in every panel: where lower is better the axis is reversed, and the coefficients
    in the title are those of the negated column, as in :func:`mitools.statistics.correlation.correlate`.
    Interval bars are drawn where the table has ``<column without _bits>_low`` and ``_high``. Encoders whose
    value or target is absent are left out of the panel, and the title counts them.

    Parameters
    ----------
    table
        One row an encoder, with the columns ``encoder``, `target` and `columns`.
    columns
        One panel each.
    target
        Such as ``linear_acc``.
    lower_is_better
        Columns whose axis is reversed; others than those drawn are ignored.
    ax, figure
        Where to draw, one axes a column; see :mod:`mitools.report.figures.panels`. Names are placed by the
        size that the axes have now: draw before the figure is made larger or smaller.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (columns,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column, or no column is named.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"encoder": list("abc"), "nmi": [0.2, 0.5, 0.6], "linear_acc": [0.7, 0.8, 0.9]})
    >>> (axes,) = scatter_against_target(table, ["nmi"], "linear_acc", figure=Figure())
    >>> axes.get_title()
    'Pearson 0.96, Kendall 1.00, n = 3'
    """
    if not columns:
        raise InputError("there is no column to draw; name at least one")
    require_columns(table, ["encoder", target, *columns])
    reversed_columns = set(lower_is_better)
    across = min(PANELS_IN_A_ROW, len(columns))
    size = (4.3 * across, 3.5 * math.ceil(len(columns) / across))
    panels = open_panels(ax, figure, columns, size, columns=across, sharey=True)
    names = [str(name) for name in table["encoder"]]
    numbered = len(names) > MOST_NAMED_POINTS
    labels = [str(k) for k in range(1, len(names) + 1)] if numbered else [shorten(name, 26) for name in names]
    y = column_values(table, target)
    drawn = [
        _draw_panel(axes, table, column, y, column in reversed_columns)
        for axes, column in zip(panels.axes, columns, strict=True)
    ]
    for k, axes in enumerate(panels.axes):
        if panels.is_left(k):
            axes.set_ylabel(axis_label(target), fontsize=FONT_SIZE, parse_math=False)
    if panels.figure is not None:
        panels.figure.tight_layout(h_pad=1.6, w_pad=1.2)
    else:
        # Layout runs here. The names are placed by where it puts the points, and must not move them again.
        panels.axes[0].figure.canvas.figure.draw_without_rendering()
    for axes, (x, is_drawn, bars) in zip(panels.axes, drawn, strict=True):
        chosen = [label for label, kept in zip(labels, is_drawn, strict=True) if kept]
        texts = place_labels(axes, x[is_drawn], y[is_drawn], chosen, FONT_SIZE - 1.5, bars)
        for text in texts:
            text.set_in_layout(panels.figure is not None)
    if numbered:
        _add_names(panels, names)
    return panels.array


def _draw_panel(
    axes: Axes, table: pd.DataFrame, column: str, y: Floats, is_reversed: bool
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Draw one panel without its names; return x, which rows are drawn, and places along the bars."""
    plain_axes(axes)
    axes.tick_params(labelleft=True)
    x = column_values(table, column)
    is_drawn = np.isfinite(x) & np.isfinite(y)
    stem = column.removesuffix("_bits")
    bars = np.empty((0, 2))
    if {f"{stem}_low", f"{stem}_high"} <= set(table.columns):
        low, high = column_values(table, f"{stem}_low"), column_values(table, f"{stem}_high")
        barred = is_drawn & np.isfinite(low) & np.isfinite(high)
        axes.hlines(y[barred], low[barred], high[barred], color=GREY, linewidth=1, zorder=1)
        along = np.linspace(low[barred], high[barred], 15)
        bars = np.column_stack([along.ravel(), np.broadcast_to(y[barred], along.shape).ravel()])
    x_drawn, y_drawn = x[is_drawn], y[is_drawn]
    axes.plot(x_drawn, y_drawn, "o", markersize=4.5, color=BLUE, markeredgecolor="black", markeredgewidth=0.5)
    axes.margins(0.16, 0.16)
    axes.locator_params(axis="x", nbins=6)
    label = axis_label(column) + (", axis turned: lower is better" if is_reversed else "")
    axes.set_xlabel(label, fontsize=FONT_SIZE, parse_math=False)
    if is_reversed:
        axes.invert_xaxis()
    title = _title(-x_drawn if is_reversed else x_drawn, y_drawn, int((~is_drawn).sum()))
    axes.set_title(title, fontsize=FONT_SIZE)
    if not is_drawn.any():
        axes.set_xticks([])
        axes.text(0.5, 0.5, "no values", transform=axes.transAxes, ha="center", fontsize=FONT_SIZE)
    return x, is_drawn, bars


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


def _add_names(panels: Panels, names: Sequence[str]) -> None:
    """Write "number name" for every encoder below the panels, in columns where the figure is ours."""
    if panels.figure is None:
        pairs = (f"{k}\N{NO-BREAK SPACE}{shorten(name, 40)}" for k, name in enumerate(names, 1))
        add_caption(panels, ",  ".join(pairs))
        return
    width, height = panels.figure.get_size_inches()
    across = max(1, int(width / 2.9))
    down = math.ceil(len(names) / across)
    for k, name in enumerate(names):
        column, row = divmod(k, down)
        left, top = (column + 0.12) / across, -(row + 1) * 0.16 / height
        panels.figure.text(left, top, str(k + 1), fontsize=FONT_SIZE - 1, ha="right")
        panels.figure.text(
            left + 0.1 / width, top, shorten(name, 40), fontsize=FONT_SIZE - 1, parse_math=False
        )
