"""The figure of the ablations: a column a table of the paper, linear and nearest-neighbour accuracy."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.niu2025.ablations.recipe import IMSVD, TABLES, VICREG
from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

MEASURES = {"linear_test_acc": "linear", "knn20_test_acc": "20 nearest"}
"""One row of panels each."""

TITLES = {
    "batch_size": "batch size",
    "depth": "layers of the projector",
    "width": "outputs of the projector",
    "terms": "terms of the loss",
    "units": "units of a variable",
}

STYLES = {IMSVD: (BLUE, "o", -0.12), VICREG: (ORANGE, "s", 0.12)}
"""Colour, marker and place beside the setting."""

CAPTION = (
    "Small points: one seed each; large points and bars: mean over seeds and Student's 95% interval. Grey:"
    " mean of the untrained networks; ringed: the row that all tables share. What two settings differ by is"
    " told from pairs of one seed, not from whether bars overlap."
)


def ablation_tables(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw accuracy over every setting of the five tables.

    Parameters
    ----------
    table
        One row a table, setting, method and seed, as ``results.csv`` has them.
    ax, figure
        Where to draw, ten axes.

    Raises
    ------
    InputError
        When the table lacks a column or has no rows.
    """
    require_columns(table, ["table", "setting", "method", "seed", "shared", *MEASURES])
    names = [f"{measure}: {title}" for measure in MEASURES.values() for title in TITLES.values()]
    panels = open_panels(ax, figure, names, (11.0, 4.6), columns=len(TABLES), room=(0.0, 0.8))
    places = [(column, name) for column in MEASURES for name in TABLES]
    for number, (axes, (column, name)) in enumerate(zip(panels.axes, places, strict=True)):
        _draw(axes, table, column, name)
        if number < len(TABLES):
            axes.set_title(TITLES[name], fontsize=FONT_SIZE)
        if panels.is_left(number):
            axes.set_ylabel(f"{MEASURES[column]} (share right)", fontsize=FONT_SIZE)
    for row in range(len(MEASURES)):
        _share_heights(panels.axes[row * len(TABLES) : (row + 1) * len(TABLES)])
    handles, _ = panels.axes[0].get_legend_handles_labels()
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=0.8, h_pad=1.2)
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=FONT_SIZE - 1)
    add_caption(panels, CAPTION, width=165, y=-0.06)
    return panels.array


def _draw(axes: Axes, table: pd.DataFrame, column: str, name: str) -> None:
    plain_axes(axes)
    rows = table[table["table"] == name]
    settings = list(dict.fromkeys(rows["setting"].astype(str)))
    start = float(table.loc[table["method"] == "untrained", column].mean())
    axes.axhline(start, color=GREY, linewidth=1, linestyle="--", label="untrained")
    for method, (colour, marker, aside) in STYLES.items():
        own = rows[rows["method"] == method]
        label: str | None = method
        for place, setting in enumerate(settings):
            here = own[own["setting"].astype(str) == setting]
            values = here[column].to_numpy(float)
            if not values.size:
                continue
            x, mean = place + aside, over_seeds(values)
            axes.plot(np.full(values.size, x), values, ".", color=colour, alpha=0.45, markersize=3)
            if not np.isnan(mean.low):
                axes.vlines(x, mean.low, mean.high, color=colour, linewidth=1)
            ring = "black" if here["shared"].any() and method == IMSVD else colour
            axes.plot([x], [mean.mean], marker, color=colour, markersize=5, markeredgecolor=ring, label=label)
            label = None
    slanted = max(map(len, settings)) > 5
    axes.set_xticks(
        range(len(settings)), settings, fontsize=FONT_SIZE - 1, rotation=30 if slanted else 0,
        ha="right" if slanted else "center",
    )  # fmt: skip
    axes.set_xlim(-0.5, len(settings) - 0.5)


def _share_heights(row: list[Axes]) -> None:
    """Give a row of panels one scale, so that tables are compared by eye."""
    limits = np.array([axes.get_ylim() for axes in row])
    for axes in row:
        axes.set_ylim(limits[:, 0].min(), limits[:, 1].max())
