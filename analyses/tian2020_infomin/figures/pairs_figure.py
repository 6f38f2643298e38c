"""Accuracy over what two views share: measured before training, and as the loss shows it."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.shared.accuracy_by_setting import per_setting
from mitools.analyses.shared.accuracy_curve import draw_curve, name_points
from mitools.analyses.tian2020_infomin.pairs_and_accuracy import AVERAGED
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

PANELS = (
    ("shared", "measured before training: lower bound", BLUE, "^", "I(v1;v2), InfoNCE held out (bits)"),
    ("in_training", "the loss of the last epoch: no bound", ORANGE, "o", "I_NCE on the batches (bits)"),
)
"""Estimate, title, colour, marker and axis of each panel."""

CAPTION = "Bars: 95% intervals, which count seeds."


def pairs_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw a panel an estimate: bits across, linear accuracy up, a named point a pair of views.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of the study has them.
    ax, figure
        Where to draw, one axes an estimate; see :mod:`mitools.report.figures.panels`.

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
    found = per_setting(table, averaged=AVERAGED)
    panels = open_panels(
        ax, figure, [title for _, title, *_ in PANELS], (7.0, 3.3), room=(0.0, 0.4), sharey=True
    )
    draw_accuracies(panels.axes, found, connected=False)
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.1)
    name_points(panels, [found] * len(PANELS), [name for name, *_ in PANELS])
    return panels.array


def draw_accuracies(axes: list[Axes], found: pd.DataFrame, connected: bool) -> None:
    """Draw the panels of :data:`PANELS` on two axes.

    Parameters
    ----------
    axes
        One an estimate.
    found
        One row a setting, in the order of the line through them.
    connected
        Whether there is such a line.
    """
    for one, (name, title, colour, marker, label) in zip(axes, PANELS, strict=True):
        plain_axes(one)
        one.tick_params(labelleft=True)
        draw_curve(one, found, name, colour, marker, "trained by cmc", connected)
        one.plot(
            found[f"{name}_bits"], found["untrained_acc"], color=GREY, marker="o", markersize=3.5,
            markerfacecolor="white", linestyle="none", label="untrained",
        )  # fmt: skip
        ceiling = float(found[f"{name}_ceiling"].iloc[0])
        if found[f"{name}_bits"].max() > 0.8 * ceiling:
            one.axvline(ceiling, color="black", linestyle=":", linewidth=1, label="ceiling")
        one.set_title(title, fontsize=FONT_SIZE)
        one.set_xlabel(label, fontsize=FONT_SIZE)
    axes[0].set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
