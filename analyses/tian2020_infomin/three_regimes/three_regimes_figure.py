"""The figure of the three regimes: what is kept of task and nuisances, and how many labels it takes."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.tian2020_infomin.seed_means import over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

LAYERS = ("loss layer", "backbone")

VARIABLES = {"task": (BLUE, "o"), "nuisance": (ORANGE, "s")}
"""Colour and marker of each."""

LINES = {
    "untrained": (GREY, ":"), "missing": ("#CC79A7", "-"), "sweet spot": (BLUE, "-"), "excess": (ORANGE, "-"),
}  # fmt: skip

CAPTION = (
    "Left, middle: share of the task's and of the nuisances' bits that is read, filled by a linear classifier"
    " and open by nearest neighbours, a point a seed; crosses: what a minimal sufficient encoder holds."
    " Right: linear heads on the loss layer, mean over seeds."
)


def regimes_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw what either layer holds, by what the views share, and accuracy over labels a class.

    Parameters
    ----------
    table
        As ``results.csv`` of the study.
    ax, figure
        Where to draw, three axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (3,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    table = table.assign(shared=table["shared"].fillna("").replace("", "untrained"))
    panels = open_panels(ax, figure, [*LAYERS, "labels"], (9.6, 3.1), room=(0.0, 0.6))
    for axes, layer in zip(panels.axes, LAYERS, strict=False):
        _draw_bits(axes, table[table["layer"] == layer])
        axes.set_title(f"at the {layer}", fontsize=FONT_SIZE)
    panels.axes[0].set_ylabel("share of the bits that is read", fontsize=FONT_SIZE)
    _draw_labels(panels.axes[2], table[(table["layer"] == LAYERS[0]) & (table["variable"] == "task")])
    key = [
        Line2D([], [], color=colour, marker=marker, linestyle="none", markersize=4, label=name)
        for name, (colour, marker) in VARIABLES.items()
    ]
    add_key(panels, key, loc="upper center", bbox_to_anchor=(0.33, 0.02), ncols=2, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, width=150, y=-0.1)
    return panels.array


def _draw_bits(axes: Axes, rows: pd.DataFrame) -> None:
    plain_axes(axes)
    axes.axhline(0.0, color="black", linewidth=0.4)
    names = list(dict.fromkeys(rows["shared"]))
    for side, (variable, (colour, marker)) in zip((-0.2, 0.2), VARIABLES.items(), strict=True):
        own = rows[rows["variable"] == variable]
        for place, name in enumerate(names):
            seeds = own[own["shared"] == name]
            nudge = 0.05 * (np.arange(len(seeds)) - (len(seeds) - 1) / 2)
            for reader, shift, face in (("linear", -0.09, colour), ("neighbours", 0.09, "white")):
                axes.plot(
                    place + side + shift + nudge / 2, seeds[f"{reader}_bits"] / seeds["h_bits"],
                    marker=marker, linestyle="none", color=colour, markerfacecolor=face, markersize=3.5,
                )  # fmt: skip
            if name != "untrained":
                share = seeds["predicted_bits"].iloc[0] / seeds["h_bits"].iloc[0]
                axes.plot(place + side, share, marker="x", color="black", markersize=6, linestyle="none")
    regimes = rows.drop_duplicates("shared")
    labels = [
        name if name == regime else name.replace("+", "+\n") + f"\n({regime})"
        for name, regime in zip(regimes["shared"], regimes["regime"], strict=True)
    ]
    axes.set_xticks(range(len(names)), labels, fontsize=FONT_SIZE - 1)
    axes.set_xlabel("what the views share", fontsize=FONT_SIZE)
    axes.set_ylim(-0.08, 1.08)


def _draw_labels(axes: Axes, rows: pd.DataFrame) -> None:
    plain_axes(axes)
    columns = [column for column in rows.columns if column.startswith("accuracy_")]
    counts = [int(column.removeprefix("accuracy_")) for column in columns]
    for (shared, regime), own in rows.groupby(["shared", "regime"], sort=False):
        colour, line = LINES.get(str(regime), ("#009E73", "--"))
        means = [over_seeds(own[column]).mean for column in columns]
        axes.plot(counts, means, color=colour, linestyle=line, marker="o", markersize=3.5, label=shared)
        for seed_row in own[columns].to_numpy():
            axes.plot(counts, seed_row, color=colour, marker=".", linestyle="none", markersize=3, alpha=0.5)
    axes.set_xscale("log")
    axes.set_xticks(counts, [str(count) for count in counts])
    axes.minorticks_off()
    axes.set_xlabel("labels a class", fontsize=FONT_SIZE)
    axes.set_ylabel("accuracy on the task", fontsize=FONT_SIZE)
    axes.set_ylim(0, 1.03)
    axes.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="lower right")
