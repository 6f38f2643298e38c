"""The figure of a transfer: average precision by start, one line a seed."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mitools.analyses.detection.comparisons import COMPARED, mean_interval
from mitools.analyses.detection.words import TITLES
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, plain_axes


def precision_by_start(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw, a panel a transfer and measure, every seed's precision by start, with means and intervals.

    Parameters
    ----------
    table
        With ``transfer``, ``start``, ``seed``, ``box_ap`` and perhaps ``mask_ap``, in percent.
    ax, figure
        Where to draw, one axes a panel.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("transfer", "start", "seed", "box_ap"))
    parts = [
        (f"{transfer}: {TITLES[measure]}", part.pivot(index="seed", columns="start", values=measure)[starts])
        for transfer, part in table.groupby("transfer", sort=False)
        for starts in [list(dict.fromkeys(part["start"]))]
        for measure in COMPARED
        if measure in part and part[measure].notna().all()
    ]
    names = [name for name, _ in parts]
    panels = open_panels(ax, figure, names, (1.2 + 2.4 * len(parts), 2.9))
    for axes, (name, values) in zip(panels.axes, parts, strict=True):
        plain_axes(axes)
        places = np.arange(values.shape[1])
        lines = axes.plot(
            places, values.to_numpy().T, color=GREY, alpha=0.5, linewidth=0.8, marker="o", markersize=3
        )
        lines[0].set_label("a seed")
        found = [mean_interval(values[start].to_numpy(np.float64)) for start in values]
        means = np.array([one.mean for one in found])
        reach = means - np.array([one.low for one in found])
        axes.errorbar(
            places + 0.12, means, reach, fmt="D", color=BLUE, markersize=5, capsize=3, linewidth=1.2,
            label="mean, 95% over seeds",
        )  # fmt: skip
        axes.set_xticks(places, [str(start).replace("_", "-\n") for start in values], fontsize=FONT_SIZE)
        for label in axes.get_xticklabels():
            label.set_parse_math(False)
        axes.set_xlim(-0.4, len(places) - 0.5)
        axes.set_ylim(bottom=0)
        axes.set_title(name, fontsize=FONT_SIZE, parse_math=False)
    panels.axes[0].set_ylabel("average precision (percent)", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout()
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=2, fontsize=FONT_SIZE - 1)
    return panels.array
