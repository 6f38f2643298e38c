"""Transfer over source accuracy: a curve of weights a beta, and cross-entropy stopped at each epoch."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.changes import SOURCE_DATA, VANILLA
from mitools.analyses.cui2022.seed_means import bars_caption, means_over_seeds
from mitools.analyses.cui2022.settings_table import targets_of
from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import (
    AxesArray,
    SomeAxes,
    add_caption,
    add_key,
    characters,
    open_panels,
)
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

BASELINE: dict[str, Any] = {"color": BLUE, "marker": "o", "linestyle": "-"}

GREEN = "#009E73"
"""Okabe and Ito's."""

STYLES: tuple[dict[str, Any], ...] = (
    {"color": ORANGE, "marker": "s", "linestyle": "-"},
    {"color": GREEN, "marker": "D", "linestyle": "--"},
    {"color": GREY, "marker": "v", "linestyle": ":"},
)
"""Of the curves of weights, by the place of their beta."""

LABEL_HEIGHTS = (-9, 5, -18)
"""Points by which their labels stand above the mark, so that those of neighbours part."""


def trade_off(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw transfer to each target over the source accuracy of the run's own classifier.

    Parameters
    ----------
    table
        As ``results.csv`` has it; seeds are averaged.
    ax, figure
        Where to draw, one axes a target; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (targets,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("logistic_acc", "test_acc"))
    seeds, names = int(table["seed"].nunique()), targets_of(table)
    panels = open_panels(
        ax, figure, names, (0.9 + 3.4 * len(names), 3.4), layout="constrained", room=(0.0, 0.8)
    )
    betas = sorted(table["beta"].dropna().unique())
    for axes, name in zip(panels.axes, names, strict=True):
        own = table[(table["data"] == name) & (table["epoch"] > 0)]
        plain_axes(axes)
        axes.set_title(f"transfer to {name}", fontsize=FONT_SIZE)
        axes.set_xlabel("source accuracy, own classifier (share right)", fontsize=FONT_SIZE)
        _draw(axes, own[own["setting"] == VANILLA], "epoch", BASELINE, label_height=3)
        for beta, style, height in zip(betas, STYLES, LABEL_HEIGHTS, strict=False):
            _draw(axes, own[own["beta"] == beta].sort_values("alpha"), "alpha", style, height)
        axes.margins(0.12)
        _make_room_for_points(axes)
    panels.axes[0].set_ylabel("logistic regression\naccuracy (share right)", fontsize=FONT_SIZE)
    handles = [Line2D([], [], markersize=4, label="cross-entropy, by epoch", **BASELINE)]
    for beta, style in zip(betas, STYLES, strict=False):
        handles.append(Line2D([], [], markersize=4, label=f"CTC, beta {beta:g}, by alpha", **style))
    add_key(panels, handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE)
    count = int(table[table["data"] == SOURCE_DATA]["test_n"].max())
    caption = (
        f"Source accuracy on {count:,} images not trained on. CTC at the last epoch; numbers beside points"
        f" are the largest alpha, and the first and last epoch. {bars_caption(seeds)} Those of source"
        " accuracy may reach beyond the axes."
    )
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)
    return panels.array


def _make_room_for_points(axes: Axes) -> None:
    """Let source accuracy span the points alone: an early epoch's bar would press them together."""
    points = np.concatenate([line.get_xdata() for line in axes.lines])
    room = 0.12 * np.ptp(points)
    if room > 0:
        axes.set_xlim(points.min() - room, points.max() + room)


def _draw(axes: Axes, rows: pd.DataFrame, name: str, style: dict[str, Any], label_height: int) -> None:
    """Draw a curve through the means of the values of a column, named at its ends."""
    means = means_over_seeds(rows, (name,)).sort_values(name)
    across = [over_seeds(rows[rows[name] == value]["test_acc"]) for value in means[name]]
    middle = [one.mean for one in across]
    axes.plot(middle, means["logistic_acc"], markersize=4, linewidth=1.0, **style)
    bars = {"color": style["color"], "linewidth": 0.7}
    axes.vlines(middle, means["logistic_acc_low"], means["logistic_acc_high"], **bars)
    axes.hlines(means["logistic_acc"], [one.low for one in across], [one.high for one in across], **bars)
    # The others lie close together; every alpha has its place in the figure of gains.
    named = {means[name].max()} if name == "alpha" else {means[name].min(), means[name].max()}
    for value, x, y in zip(means[name], middle, means["logistic_acc"], strict=True):
        if value not in named:
            continue
        axes.annotate(
            f"{value:g}", (x, y), xytext=(4, label_height), textcoords="offset points",
            fontsize=FONT_SIZE - 1.5, color=style["color"],
        )  # fmt: skip
