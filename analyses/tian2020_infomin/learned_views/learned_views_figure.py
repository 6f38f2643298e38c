"""The figure of learned views: accuracy, and the label's information, over what two views share (Fig. 7)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.tian2020_infomin.learned_views.learned_views_words import (
    MEASURED,
    RAW,
    Z95,
    per_setting,
    with_weaker_view,
)
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

COLOURS = {RAW: GREY, "unsupervised": BLUE, "supervised": ORANGE, "semi_supervised": "#009E73"}
"""By how views are learned."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""By colour space, in turn."""

CAPTION = (
    "Large: means over runs, with 95% intervals of images and runs. Small: single runs.\n"
    "Dotted: what the image says of the label. White inside: raw views. Half white: generators that preserve"
    " volume."
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
    table = with_weaker_view(table)
    found = per_setting(table)
    titles = ["encoders trained on the views", "the views themselves"]
    panels = open_panels(ax, figure, titles, (7.2, 3.4), room=(0.0, 0.5))
    markers = dict(zip(dict.fromkeys(table["space"]), MARKERS * len(table), strict=False))
    accuracy, label = panels.axes
    for axes, name, title in zip(panels.axes, ("linear_acc", "weaker"), titles, strict=True):
        plain_axes(axes)
        _draw(axes, found, table, name, markers)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xlabel("I(v1;v2), InfoNCE held out: lower bound (bits)", fontsize=FONT_SIZE)
    accuracy.set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    label.set_ylabel("label information of the weaker view (bits)", fontsize=FONT_SIZE)
    label.axhline(found["image_bits"].iloc[0], color="black", linestyle=":", linewidth=1)
    handles, _ = accuracy.get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.14)
    return panels.array


def _draw(axes: Axes, found: pd.DataFrame, table: pd.DataFrame, name: str, markers: dict[str, str]) -> None:
    column = MEASURED[name]
    for _, row in found.iterrows():
        raw = row["learn"] == RAW
        # Supervised views may lie on the raw ones that they began as: those are wider, and white inside.
        style: dict[str, Any] = {
            "color": COLOURS[row["learn"]], "marker": markers[row["space"]], "linestyle": "none",
            "fillstyle": "left" if row["coupling"] == "volume_preserving" else "full",
            "markerfacecolor": "white" if raw else COLOURS[row["learn"]],
        }  # fmt: skip
        x, y = row["shared_bits"], row[column]
        runs = table[table["setting"] == row["setting"]]
        axes.plot(runs["shared_bits"], runs[column], markersize=2.5, alpha=0.6, **style)
        wide = Z95 * row["shared_stderr"]
        axes.hlines(y, x - wide, x + wide, color=style["color"], linewidth=1)
        high = Z95 * row[f"{name}_stderr"]
        axes.vlines(x, y - high, y + high, color=style["color"], linewidth=1)
        axes.plot(x, y, markersize=10 if raw else 6, label=row["setting"].replace("_", "-"), **style)
