"""The forest plot of the study of measures: how each goes with accuracy, with its interval."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import SomeAxes, add_caption, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes


def forest_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw one line a measure, the closest on top: Pearson's r with its interval, apart, and within families.

    Parameters
    ----------
    table
        ``measure``, ``pearson``, ``pearson_low``, ``pearson_high``, ``apart_pearson`` (accuracy read on other
        images), and where there are families ``within_pearson``.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table, ["measure", "pearson", "pearson_low", "pearson_high", "apart_pearson"])
    table = table.sort_values("pearson", kind="stable")
    panels = open_panels(ax, figure, ["forest"], (5.2, 0.9 + 0.19 * len(table)))
    axes, places = panels.axes[0], np.arange(len(table))
    axes.axvline(0, color=GREY, linewidth=0.6)
    axes.hlines(places, table["pearson_low"], table["pearson_high"], color=BLUE, linewidth=1.4)
    axes.plot(table["pearson"], places, "o", color=BLUE, markersize=4, label="all encoders")
    axes.plot(
        table["apart_pearson"], places, "x", color=BLUE, markersize=4.5, label="accuracy on the other half"
    )
    if "within_pearson" in table:
        axes.plot(
            table["within_pearson"], places, "d", color=ORANGE, markersize=3.5, fillstyle="none",
            label="within methods",
        )  # fmt: skip
    axes.set_yticks(places, table["measure"], fontsize=FONT_SIZE - 1)
    axes.set_ylim(-0.7, len(table) - 0.3)
    axes.set_xlim(-1.05, 1.05)
    axes.set_xlabel("Pearson's r with linear accuracy, turned so that more is better", fontsize=FONT_SIZE)
    axes.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="upper left")
    plain_axes(axes)
    if panels.figure is not None:
        panels.figure.tight_layout()
    add_caption(panels, "Lines: 95%, over runs and halves of the images together.", width=90)
    return axes
