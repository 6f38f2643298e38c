"""Source accuracy and transfer over epochs, of both methods without and with AutoAugment (Fig. 8)."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.augmented.words import NAMES
from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, VANILLA
from mitools.analyses.cui2022.curves import draw_means
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
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE

STYLES: dict[str, dict[str, Any]] = {
    VANILLA: {"color": BLUE, "linestyle": "-", "marker": "o", "markerfacecolor": BLUE},
    CTC: {"color": ORANGE, "linestyle": "-", "marker": "s", "markerfacecolor": ORANGE},
    f"{VANILLA}-auto": {"color": BLUE, "linestyle": "--", "marker": "o", "markerfacecolor": "white"},
    f"{CTC}-auto": {"color": ORANGE, "linestyle": "--", "marker": "s", "markerfacecolor": "white"},
}
"""Colour and marker are the method's; dashes and open markers are AutoAugment's."""


def transfer_with_and_without(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a panel of source accuracy and one of transfer to each target, a curve a setting.

    Parameters
    ----------
    table
        As ``results.csv`` has it; seeds are averaged.
    ax, figure
        Where to draw, one axes for the source and one a target; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (1 + targets,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("logistic_acc", "test_acc"))
    names = targets_of(table)
    panels = open_panels(
        ax,
        figure,
        ["source accuracy", *names],
        (0.9 + 2.8 * (1 + len(names)), 3.0),
        layout="constrained",
        room=(0.0, 0.8),
    )
    draw_means(panels.axes[0], table[table["data"] == SOURCE_DATA], "test_acc", STYLES)
    panels.axes[0].set_title("source, own classifier", fontsize=FONT_SIZE)
    panels.axes[0].set_ylabel("accuracy (share right)", fontsize=FONT_SIZE)
    for axes, name in zip(panels.axes[1:], names, strict=True):
        draw_means(axes, table[table["data"] == name], "logistic_acc", STYLES)
        axes.set_title(f"transfer to {name}", fontsize=FONT_SIZE)
    for axes in panels.axes:
        axes.set_xlabel("epoch (0: untrained)", fontsize=FONT_SIZE)
    handles = [Line2D([], [], markersize=4, label=NAMES[name], **style) for name, style in STYLES.items()]
    add_key(panels, handles, loc="outside upper center", ncols=2, fontsize=FONT_SIZE)
    caption = f"Transfer is read by logistic regression. {bars_caption(int(table['seed'].nunique()))}"
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)
    return panels.array
