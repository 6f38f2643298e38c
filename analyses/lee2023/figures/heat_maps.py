"""The figure of task dependence: what is left of each task by training on each (Lee et al., Figs. 6, 7)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, open_panels
from mitools.report.figures.style import FONT_SIZE

MAPS = (
    ("linear_acc", "linear accuracy (share right)"),
    ("i_class_share", "certified I_class relative to H(C)"),
)
"""Column and title of each map."""


def heat_maps(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw a map of accuracy and one of information: the training task across, the evaluated one up.

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
    size = (1.2 + 1.5 * len(across), 0.9 + 0.55 * len(up))
    panels = open_panels(ax, figure, [title for _, title in MAPS], size)
    for axes, (column, title) in zip(panels.axes, MAPS, strict=True):
        values = table.pivot(index="task", columns="trained_on", values=column).reindex(up, columns=across)
        _draw_map(axes, values.to_numpy(np.float64))
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xticks(range(len(across)), across, fontsize=FONT_SIZE)
        axes.set_yticks(range(len(up)), up, fontsize=FONT_SIZE)
        axes.set_xlabel("trained on", fontsize=FONT_SIZE)
        axes.set_ylabel("evaluated on", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    return panels.array


def _draw_map(axes: Axes, values: np.ndarray) -> None:
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.15, aspect="auto")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > 0.7 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=FONT_SIZE)
