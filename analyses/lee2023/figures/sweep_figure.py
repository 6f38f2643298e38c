"""The figure of a sweep: accuracy on several tasks against the information of views (Lee et al., Fig. 5)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

TASK_STYLES: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "marker": "s", "linestyle": "--"},
    {"color": BLUE, "marker": "o", "linestyle": "-."},
    {"color": GREY, "marker": "^", "linestyle": ":"},
    {"color": "black", "marker": "D", "linestyle": "-"},
)
"""The curves of tasks, in turn: they differ by marker and line as well as by colour."""

APART = 0.012
"""Of the width of a panel: between the points of two tasks at one setting."""

AUGMENTATION_TITLES = {
    "jitter": "colour jitter alone, by strength",
    "crop": "random crop alone, by least area",
}


def sweep_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw a panel an augmentation: the views' information across, linear accuracy up, a curve a task.

    The setting stands above each column of points, and bars are intervals; the tasks of a column are set
    apart sideways, so that no bar hides another. A dotted line is the most that the estimate across could
    have been.

    Parameters
    ----------
    table
        One row a setting and task, with ``augmentation``, ``value``, ``task``, ``i_views_bits``,
        ``i_views_ceiling_bits``, ``linear_acc`` and its ``_low`` and ``_high``.
    ax, figure
        Where to draw, one axes an augmentation; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (augmentations,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    kinds = list(dict.fromkeys(table["augmentation"]))
    panels = open_panels(ax, figure, kinds, (4.2 * len(kinds), 3.5), room=(0.0, 0.4), sharey=True)
    for axes, kind in zip(panels.axes, kinds, strict=True):
        _draw_panel(axes, table[table["augmentation"] == kind])
        axes.set_title(AUGMENTATION_TITLES.get(kind, kind), fontsize=FONT_SIZE, pad=18)
        # The lines are compared with each other, and not with 0.
        axes.set_ylim(max(0.0, table["linear_acc_low"].min() - 0.02), 1.005)
    panels.axes[0].set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=5, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    return panels.array


def _draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    plain_axes(axes)
    axes.tick_params(labelleft=True)
    tasks = list(rows.groupby("task", sort=False))
    apart = APART * (rows["i_views_ceiling_bits"].iloc[0] - rows["i_views_bits"].min())
    for k, (task, curve) in enumerate(tasks):
        curve = curve.sort_values("i_views_bits")
        across = curve["i_views_bits"] + apart * (k - (len(tasks) - 1) / 2)
        style = TASK_STYLES[k % len(TASK_STYLES)]
        axes.vlines(
            across, curve["linear_acc_low"], curve["linear_acc_high"], color=style["color"], linewidth=1,
        )  # fmt: skip
        axes.plot(
            across, curve["linear_acc"], label=str(task), linewidth=1, markersize=4, **style
        )  # fmt: skip
    for row in rows.drop_duplicates("value").itertuples():
        axes.annotate(
            f"{row.value:g}", (float(str(row.i_views_bits)), 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 2), textcoords="offset points", ha="center", fontsize=FONT_SIZE - 1.5, color=GREY,
            rotation=45,
        )  # fmt: skip
    ceiling = float(rows["i_views_ceiling_bits"].iloc[0])
    axes.axvline(ceiling, color="black", linestyle=":", linewidth=1, label="ceiling of the estimate")
    axes.set_xlabel("I of two views after training, InfoNCE (bits)", fontsize=FONT_SIZE)
