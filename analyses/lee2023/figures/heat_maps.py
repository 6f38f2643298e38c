"""The figure of task dependence: what is left of each task by training on each (Lee et al., Figs. 6, 7)."""

from typing import Literal

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import Floats, require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, open_panels
from mitools.report.figures.style import FONT_SIZE

MAPS = (
    ("linear_acc", "linear accuracy (share right)"),
    ("i_class_share", "certified I_class relative to H(C)"),
)
"""Column and title of each map."""


def heat_maps(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw a map of accuracy and one of information: the training task across, the evaluated one up.

    Below each number stands its 95% interval, where the table has one.

    Parameters
    ----------
    table
        One row a pair of tasks, with ``trained_on``, ``task`` and the columns of :data:`MAPS`; a pair that
        is absent stays blank.
    ax, figure
        Where to draw, one axes a map; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    across, up = (list(dict.fromkeys(table[column])) for column in ("trained_on", "task"))
    size = (2.2 + 1.8 * len(across), 0.9 + 0.55 * len(up))
    panels = open_panels(ax, figure, [title for _, title in MAPS], size)
    limits = _with_shares(table)
    for axes, (column, title) in zip(panels.axes, MAPS, strict=True):
        values, low, high = (
            limits.pivot(index="task", columns="trained_on", values=name)
            .reindex(up, columns=across)
            .to_numpy(np.float64)
            for name in (column, f"{column}_low", f"{column}_high")
        )
        _draw_map(axes, values, low, high)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xticks(range(len(across)), across, fontsize=FONT_SIZE)
        axes.set_yticks(range(len(up)), up, fontsize=FONT_SIZE)
        axes.set_xlabel("trained on", fontsize=FONT_SIZE)
        axes.set_ylabel("evaluated on", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    return panels.array


def _with_shares(table: pd.DataFrame) -> pd.DataFrame:
    """Add the limits of the intervals where the table has them: those of the bits become shares of H(C)."""
    known = table.assign(**{f"{name}_{end}": np.nan for name, _ in MAPS for end in ("low", "high")})
    for end in ("low", "high"):
        if f"linear_acc_{end}" in table:
            known[f"linear_acc_{end}"] = table[f"linear_acc_{end}"]
        if {f"i_class_{end}", "h_c_bits"} <= set(table):
            known[f"i_class_share_{end}"] = table[f"i_class_{end}"] / table["h_c_bits"]
    return known


def _draw_map(axes: Axes, values: Floats, low: Floats, high: Floats) -> None:
    """Draw shares from the smallest up to 1 as colours, each with its interval."""
    least = min(np.floor(10 * np.nanmin(values)) / 10, 0.9)
    drawn = axes.imshow(values, cmap="Blues", vmin=least, vmax=1.0, aspect="auto")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            ends = (low[row, column], high[row, column])
            interval = f"\n{ends[0]:.2f} to {ends[1]:.2f}" if np.isfinite(ends).all() else ""
            color = "white" if value > least + 0.6 * (1 - least) else "black"
            axes.text(
                column, row, f"{value:.2f}{interval}", ha="center", va="center", color=color,
                fontsize=FONT_SIZE - 1.5,
            )  # fmt: skip
    beyond: Literal["max", "neither"] = "max" if np.nanmax(values) > 1 else "neither"
    bar = axes.figure.colorbar(drawn, ax=axes, pad=0.03, extend=beyond)
    bar.ax.tick_params(labelsize=FONT_SIZE - 1)
    bar.outline.set_visible(False)
