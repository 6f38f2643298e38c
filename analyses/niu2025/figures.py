"""The figures of the two analyses: predictions against the theorem, and dependence beside correlation."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

TITLES = {
    "one_hot": "one-hot\n(share above 0.9)",
    "uniform": "uniform\n(entropy, bits)",
    "independent": "independent\n(shared by two, bits)",
    "invariant": "invariant\n(one value in two views)",
}


def predictions_against_theory(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw each prediction's number before and after training, with its interval and what is predicted.

    Parameters
    ----------
    table
        With ``stage``, ``prediction``, ``value``, ``low``, ``high`` and ``theory``.
    ax, figure
        Where to draw, four axes.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    panels = open_panels(ax, figure, list(TITLES), (7.4, 2.5))
    for axes, (name, title) in zip(panels.axes, TITLES.items(), strict=True):
        plain_axes(axes)
        rows = table[table["prediction"] == name]
        places = np.arange(len(rows))
        values, low, high = (column_values(rows, column) for column in ("value", "low", "high"))
        colors = [GREY if stage == "untrained" else BLUE for stage in rows["stage"]]
        axes.bar(places, values, width=0.6, color=colors, edgecolor="black", linewidth=0.5)
        axes.vlines(places, low, high, color="black", linewidth=1)
        theory = float(rows["theory"].iloc[0])
        axes.axhline(theory, color=ORANGE, linestyle="--", linewidth=1.2)
        axes.set_xticks(places, list(rows["stage"]), fontsize=FONT_SIZE - 1)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_ylim(min(0.0, float(np.min(low))), 1.12 * max(theory, float(np.max(high)), 1e-3))
    panels.axes[0].set_ylabel("dashed: Theorem 1", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout()
    return panels.array


def dependence_beside_correlation(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw, a row a case, what two columns share by their correlation, and what they share in all.

    Parameters
    ----------
    table
        With ``case``, ``of``, ``linear_bits``, ``redundancy_bits`` and its limits.
    ax, figure
        Where to draw, one axes.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    panels = open_panels(ax, figure, ["dependence"], (6.4, 0.9 + 0.42 * len(table)))
    axes = panels.axes[0]
    plain_axes(axes)
    rows = np.arange(len(table))[::-1]
    names = ("linear_bits", "redundancy_bits", "redundancy_low", "redundancy_high")
    linear, values, low, high = (column_values(table, name) for name in names)
    axes.barh(rows + 0.2, linear, height=0.36, color=ORANGE, label="normal variables of such correlation")
    axes.barh(rows - 0.2, values, height=0.36, color=BLUE, label="in bins, less chance")
    axes.hlines(rows - 0.2, low, high, color="black", linewidth=1)
    axes.axvline(0, color="black", linewidth=0.8)
    labels = [f"{row['case']}: {row['of']}" for _, row in table.iterrows()]
    axes.set_yticks(rows, labels, fontsize=FONT_SIZE)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_xscale("symlog", linthresh=0.01)
    axes.set_xlim(left=min(-0.001, 1.5 * float(np.min(low))))
    axes.set_xlabel("information of two columns (bits; linear below 0.01)", fontsize=FONT_SIZE)
    axes.legend(fontsize=FONT_SIZE - 1, frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2)
    if panels.figure is not None:
        panels.figure.tight_layout()
    return panels.array
