"""The figure of shared factors: the errors of each task, and the bits beside them, by what views share."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, plain_axes

CAPTION = (
    "A point a seed, bars: 95% intervals over images. Filled: the views share the factor. Dotted: chance, and"
    " below the entropy of the factor. Bits are lower bounds by a linear classifier."
)


def factors_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw a column a factor: errors above, bits below, what the views share across.

    Parameters
    ----------
    table
        As ``results.csv`` of the study.
    ax, figure
        Where to draw, two axes a factor; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2 * factors,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    factors = list(dict.fromkeys(table["factor"]))
    names = [f"{factor} {what}" for what in ("error", "bits") for factor in factors]
    panels = open_panels(
        ax, figure, names, (3.2 * len(factors), 5.4), columns=len(factors), room=(0.0, 0.5), sharex=True
    )
    for factor, above, below in zip(factors, panels.axes, panels.axes[len(factors) :], strict=False):
        rows = table[table["factor"] == factor]
        pixels = factor == "position"
        _draw(above, rows, "error", 1.0 if pixels else 100.0)
        above.axhline(
            rows["chance"].mean() * (1 if pixels else 100), color="black", linewidth=0.6, linestyle=":"
        )
        above.set_ylim(bottom=0)
        above.set_ylabel("distance (pixels)" if pixels else "error (%)", fontsize=FONT_SIZE)
        above.set_title(factor, fontsize=FONT_SIZE)
        _draw(below, rows.rename(columns={"linear_bits": "linear"}), "linear", 1.0)
        below.axhline(rows["h_bits"].iloc[0], color="black", linewidth=0.6, linestyle=":")
        below.axhline(0.0, color="black", linewidth=0.4)
        below.set_ylabel("label information (bits)", fontsize=FONT_SIZE)
        shared = list(dict.fromkeys(table["shared"]))
        below.set_xticks(range(len(shared)), shared, rotation=40, ha="right", fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.0)
    add_caption(panels, CAPTION, width=150, y=-0.01)
    return panels.array


def _draw(axes: Axes, rows: pd.DataFrame, column: str, scale: float) -> None:
    plain_axes(axes)
    for place, (_, own) in enumerate(rows.groupby("shared", sort=False)):
        colour = BLUE if own["is_shared"].all() else GREY
        spots = [place + 0.12 * (k - (len(own) - 1) / 2) for k in range(len(own))]
        axes.vlines(
            spots, scale * own[f"{column}_low"], scale * own[f"{column}_high"], color=colour, linewidth=1
        )
        axes.plot(
            spots, scale * own[column], color=colour, marker="o", linestyle="none", markersize=4,
            markerfacecolor=colour if own["is_shared"].all() else "white",
        )  # fmt: skip
