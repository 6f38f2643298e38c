"""The figure of encoder quality: bits, pixel accuracy and mean IoU, every seed and their mean."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

PANELS = {
    "i_class_bits": "certified I_class (bits)",
    "linear_acc": "linear accuracy (share right)",
    "linear_test_acc": "linear accuracy on the test part (share right)",
    "mlp_test_acc": "with a hidden layer, on the test part (share right)",
    "recognition_acc": "clips recognised (share)",
    "pixel_accuracy": "segmentation: pixel accuracy",
    "mean_iou": "segmentation: mean IoU",
    "in_training_bits": "in-training estimate (bits)",
}
"""What an axis says of a column that may be drawn."""

CEILINGS = {"in_training_bits": "in_training_ceiling_bits"}
"""Columns that have a ceiling, and the column of it: a dotted line over each setting."""

STYLES = ((BLUE, "o"), (ORANGE, "s"), ("#009E73", "^"), ("#CC79A7", "D"))
"""Colour and marker of each method that is neither untrained nor supervised, in turn."""

PLAIN = {"untrained": (GREY, "o"), "supervised": ("black", "P")}

CAPTION = (
    "Small points: one seed each. Large points and bars: mean over seeds, and Student's 95% interval of it."
    " What two settings differ by is told from pairs of one seed, not from whether bars overlap."
)


def quality_chart(
    table: pd.DataFrame,
    across: str,
    columns: Sequence[str],
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw a panel a measure: settings across, a marker a method, every seed as a small point.

    Parameters
    ----------
    table
        One row a setting, method and seed, as ``results.csv`` of the studies has them.
    across
        The column whose values stand on the horizontal axis, in their order.
    columns
        The measures, of :data:`PANELS`.
    ax, figure
        Where to draw, one axes a measure; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (measures,).

    Raises
    ------
    InputError
        When the table lacks a column or has no rows.
    """
    require_columns(table, [across, "method", *columns])
    titles = [PANELS[column] for column in columns]
    panels = open_panels(ax, figure, titles, (3.5 * len(titles), 3.2), room=(0.0, 0.5))
    for axes, column in zip(panels.axes, columns, strict=True):
        _draw_panel(axes, table, across, column)
        axes.set_title(PANELS[column], fontsize=FONT_SIZE)
    handles, _ = panels.axes[-1].get_legend_handles_labels()
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=6, fontsize=FONT_SIZE - 1)
    add_caption(panels, CAPTION, width=65 * len(titles), y=-0.09)
    return panels.array


def _draw_panel(axes: Axes, table: pd.DataFrame, across: str, column: str) -> None:
    plain_axes(axes)
    settings, methods = list(dict.fromkeys(table[across])), list(dict.fromkeys(table["method"]))
    trained = iter(STYLES * len(methods))
    styles = {method: PLAIN.get(method) or next(trained) for method in methods}
    labelled = set()
    for place, setting in enumerate(settings):
        own = table[table[across] == setting]
        if column in CEILINGS:
            ceiling = own[CEILINGS[column]].mean()
            axes.hlines(ceiling, place - 0.3, place + 0.3, color="black", linewidth=0.8, linestyle=":")
        present = list(dict.fromkeys(own["method"]))
        for number, method in enumerate(present):
            values = own.loc[own["method"] == method, column].dropna().to_numpy(float)
            if not values.size:
                continue
            x = place + (number - (len(present) - 1) / 2) * 0.7 / max(len(present), 3)
            colour, marker = styles[method]
            mean = over_seeds(values)
            axes.plot(np.full(values.size, x), values, ".", color=colour, alpha=0.45, markersize=3)
            if not np.isnan(mean.low):
                axes.vlines(x, mean.low, mean.high, color=colour, linewidth=1)
            axes.plot(
                [x], [mean.mean], marker=marker, color=colour, linestyle="none", markersize=4.5,
                markerfacecolor="white" if method == "untrained" else colour,
                label=None if method in labelled else method,
            )  # fmt: skip
            labelled.add(method)
    slanted = max(map(len, map(str, settings))) > 9
    axes.set_xticks(
        range(len(settings)), settings, fontsize=FONT_SIZE - 1, rotation=35 if slanted else 0,
        ha="right" if slanted else "center",
    )  # fmt: skip
