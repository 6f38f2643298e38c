"""The figure of learned views: accuracy and the label's information over what views share (Figs. 7, 8)."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.tian2020_infomin.learned_views.learned_views_words import (
    MEASURED,
    RAW,
    of_own_encoder,
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
    """Draw linear accuracy, and the weaker view's label bits, over what views share; and other networks.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of the study has them.
    ax, figure
        Where to draw, two axes, or three where there are several networks; see
        :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2,), or (3,): accuracy on raw and semi-supervised views by network.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    every, table = table, with_weaker_view(of_own_encoder(table))
    found = per_setting(table)
    titles = ["encoders trained on the views", "the views themselves"]
    several = every["encoder"].nunique() > 1
    names = [*titles, *(["networks"] * several)]
    panels = open_panels(ax, figure, names, (3.6 * len(names), 3.4), room=(0.0, 0.5))
    markers = dict(zip(dict.fromkeys(table["space"]), MARKERS * len(table), strict=False))
    accuracy, label, *others = panels.axes
    for axes, name, title in zip((accuracy, label), ("linear_acc", "weaker"), titles, strict=True):
        plain_axes(axes)
        _draw(axes, found, table, name, markers)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xlabel("I(v1;v2), InfoNCE held out: lower bound (bits)", fontsize=FONT_SIZE)
    accuracy.set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    label.set_ylabel("label information of the weaker view (bits)", fontsize=FONT_SIZE)
    label.axhline(found["image_bits"].iloc[0], color="black", linestyle=":", linewidth=1)
    for axes in others:
        _draw_networks(axes, every, markers)
    handles, _ = accuracy.get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.14)
    return panels.array


def _draw(axes: Axes, found: pd.DataFrame, table: pd.DataFrame, name: str, markers: dict[str, str]) -> None:
    column = MEASURED[name]
    for _, row in found.iterrows():
        raw, style = row["learn"] == RAW, _style(row, markers)
        x, y = row["shared_bits"], row[column]
        runs = table[table["setting"] == row["setting"]]
        axes.plot(runs["shared_bits"], runs[column], markersize=2.5, alpha=0.6, **style)
        wide = row["shared_margin"]
        axes.hlines(y, x - wide, x + wide, color=style["color"], linewidth=1)
        high = row[f"{name}_margin"]
        axes.vlines(x, y - high, y + high, color=style["color"], linewidth=1)
        axes.plot(x, y, markersize=10 if raw else 6, label=row["setting"].replace("_", "-"), **style)


def _style(row: pd.Series, markers: dict[str, str]) -> dict[str, Any]:
    # Supervised views may lie on the raw ones that they began as: those are wider, and white inside.
    colour = COLOURS[row["learn"]]
    return {
        "color": colour, "marker": markers[row["space"]], "linestyle": "none",
        "fillstyle": "left" if row["coupling"] == "volume_preserving" else "full",
        "markerfacecolor": "white" if row["learn"] == RAW else colour,
    }  # fmt: skip


def _draw_networks(axes: Axes, table: pd.DataFrame, markers: dict[str, str]) -> None:
    """Draw accuracy on raw and semi-supervised views of the learned spaces, network by network."""
    plain_axes(axes)
    semi = table["learn"] == "semi_supervised"
    shown = table[(semi | (table["learn"] == RAW)) & table["space"].isin(table.loc[semi, "space"])]
    networks = shown.groupby("encoder", sort=False)
    for place, (_, rows) in enumerate(networks):
        found = per_setting(rows)
        beside = (pd.Series(range(len(found))) - (len(found) - 1) / 2) * 0.5 / len(found)
        for shift, (_, row) in zip(beside, found.iterrows(), strict=True):
            style, y, high = _style(row, markers), row["linear_acc"], row["linear_acc_margin"]
            axes.vlines(place + shift, y - high, y + high, color=style["color"], linewidth=1)
            axes.plot(place + shift, y, markersize=6, **style)
    axes.set_xticks(range(len(networks)), [str(name) for name, _ in networks], fontsize=FONT_SIZE - 1)
    axes.set_xlim(-0.6, len(networks) - 0.4)
    axes.set_title("networks", fontsize=FONT_SIZE)
    axes.set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
