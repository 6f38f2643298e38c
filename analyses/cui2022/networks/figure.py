"""A grid of small panels: transfer over epochs, a row a network and a column a target (Figs. 9, 11)."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.curves import draw_means
from mitools.analyses.cui2022.figures import RUN_NAMES, RUN_STYLES
from mitools.analyses.cui2022.seed_means import bars_caption
from mitools.analyses.cui2022.settings_table import targets_of
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import (
    AxesArray,
    SomeAxes,
    add_caption,
    add_key,
    characters,
    open_panels,
)
from mitools.report.figures.style import FONT_SIZE, shorten


def grid_of_networks(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw logistic regression's accuracy on each target over the epochs of each network.

    Parameters
    ----------
    table
        As ``results.csv`` has it; seeds are averaged.
    ax, figure
        Where to draw, one axes a network and target, row by row; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (networks * targets,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("logistic_acc",))
    names, networks = targets_of(table), list(dict.fromkeys(table["network"]))
    places = [(network, name) for network in networks for name in names]
    panels = open_panels(
        ax,
        figure,
        [f"{network} on {name}" for network, name in places],
        (1.0 + 2.1 * len(names), 0.9 + 1.6 * len(networks)),
        columns=len(names),
        layout="constrained",
        room=(0.0, 0.6),
        sharex=True,
    )
    styles = {
        name: {"marker": "o", **style} for name, style in RUN_STYLES.items() if name in set(table["method"])
    }
    for place, (axes, (network, name)) in enumerate(zip(panels.axes, places, strict=True)):
        own = table[(table["network"] == network) & (table["data"] == name)]
        draw_means(axes, own.assign(setting=own["method"]), "logistic_acc", styles)
        if place < len(names):
            axes.set_title(name, fontsize=FONT_SIZE)
        if panels.is_left(place):
            axes.set_ylabel(f"{shorten(network, 22)}\naccuracy", fontsize=FONT_SIZE)
        if panels.is_lowest(place):
            axes.set_xlabel("epoch (0: untrained)", fontsize=FONT_SIZE)
    handles = [Line2D([], [], markersize=4, label=RUN_NAMES[name], **style) for name, style in styles.items()]
    add_key(panels, handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE)
    caption = (
        "Accuracy (share right) of logistic regression on the frozen network."
        f" {bars_caption(int(table['seed'].nunique()))}"
    )
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)
    return panels.array
