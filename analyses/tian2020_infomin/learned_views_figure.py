"""The figure of learned views: accuracy, and the label's information, over what two views share (Fig. 7)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.tian2020_infomin.learned_views_words import Z95, per_setting
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

COLOURS = {"raw": GREY, "unsupervised": BLUE, "supervised": ORANGE, "semi_supervised": "#009E73"}
"""By how views are learned."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""By colour space, in turn."""

CAPTION = (
    "Large: means over runs, with 95% intervals of images and runs. Small: single runs. White inside:"
    " generators that preserve volume.\n"
    "Dotted: what the image says of the label. Grey ticks: what permuted pairs read."
)


def learned_views_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw two panels over the bits that two views share: linear accuracy, and the weaker view's label bits.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of the study has them.
    ax, figure
        Where to draw, two axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    table = table.assign(weaker_bits=table[["view1_bits", "view2_bits"]].min(axis=1))
    found = per_setting(table)
    found["weaker_bits"] = found["setting"].map(table.groupby("setting")["weaker_bits"].mean())
    titles = ["encoders trained on the views", "the views themselves"]
    panels = open_panels(ax, figure, titles, (7.2, 3.4), room=(0.0, 0.5))
    markers = dict(zip(dict.fromkeys(table["space"]), MARKERS * len(table), strict=False))
    accuracy, label = panels.axes
    for axes, column in ((accuracy, "linear_acc"), (label, "weaker_bits")):
        plain_axes(axes)
        _draw(axes, found, table, column, markers)
        axes.set_title(titles[0] if column == "linear_acc" else titles[1], fontsize=FONT_SIZE)
        axes.set_xlabel("I(v1;v2), InfoNCE held out: lower bound (bits)", fontsize=FONT_SIZE)
        axes.plot(
            found["shared_null"], [0.0] * len(found), color=GREY, marker="|", markersize=8, linestyle="none",
            transform=axes.get_xaxis_transform(), clip_on=False,
        )  # fmt: skip
    accuracy.set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    label.set_ylabel("label information of the weaker view (bits)", fontsize=FONT_SIZE)
    label.axhline(found["image_bits"].iloc[0], color="black", linestyle=":", linewidth=1)
    handles, _ = accuracy.get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.2)
    return panels.array


def _draw(axes: Axes, found: pd.DataFrame, table: pd.DataFrame, column: str, markers: dict[str, str]) -> None:
    for _, row in found.iterrows():
        colour, marker = COLOURS[row["learn"]], markers[row["space"]]
        inside = "white" if row["coupling"] == "volume_preserving" else colour
        x, y = row["shared_bits"], row[column]
        runs = table[table["setting"] == row["setting"]]
        axes.plot(
            runs["shared_bits"], runs[column], color=colour, marker=marker, markersize=2.5, alpha=0.6,
            linestyle="none", markerfacecolor=inside, markeredgewidth=0.5,
        )  # fmt: skip
        wide = Z95 * row["shared_stderr"]
        axes.hlines(y, x - wide, x + wide, color=colour, linewidth=1)
        if column == "linear_acc":
            high = Z95 * row["linear_acc_stderr"]
            axes.vlines(x, y - high, y + high, color=colour, linewidth=1)
        axes.plot(
            x, y, color=colour, marker=marker, markersize=6, linestyle="none", markerfacecolor=inside,
            label=row["setting"].replace("_", "-"),
        )  # fmt: skip
