"""The figure of task dependence: what is left of each task by training on each (Lee et al., Figs. 6, 7)."""

from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.figures.style import FONT_SIZE, save_figure

PANELS = (
    ("linear_acc", "linear accuracy (share right)"),
    ("i_class_share", "certified I_class relative to H(C)"),
)


def heat_maps(table: pd.DataFrame, path: Path) -> list[Path]:
    """Draw a map of accuracy and one of information: the training task across, the evaluated one up.

    Parameters
    ----------
    table
        One row a pair of tasks, with ``trained_on``, ``task`` and the columns of :data:`PANELS`; a pair that
        is absent stays blank.
    path
        Where to write; ``.png`` and ``.svg`` are put behind it.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    InputError
        When the table has no rows.
    OSError
        When the folder cannot be written.
    """
    if table.empty:
        raise InputError("the table has no rows, so there is nothing to draw")
    across, up = (list(dict.fromkeys(table[column])) for column in ("trained_on", "task"))
    figure = Figure(figsize=(1.2 + 1.5 * len(across), 0.9 + 0.55 * len(up)))
    for axes, (column, title) in zip(figure.subplots(1, len(PANELS)), PANELS, strict=True):
        values = table.pivot(index="task", columns="trained_on", values=column).reindex(up, columns=across)
        _draw(axes, values.to_numpy(np.float64))
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xticks(range(len(across)), across, fontsize=FONT_SIZE)
        axes.set_yticks(range(len(up)), up, fontsize=FONT_SIZE)
        axes.set_xlabel("trained on", fontsize=FONT_SIZE)
        axes.set_ylabel("evaluated on", fontsize=FONT_SIZE)
    figure.tight_layout(w_pad=1.5)
    return save_figure(figure, path)


def _draw(axes: Axes, values: np.ndarray) -> None:
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.15, aspect="auto")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value > 0.7 else "black"
            axes.text(column, row, f"{value:.2f}", ha="center", va="center", color=color, fontsize=FONT_SIZE)
