"""The figure of accuracy over the information of views (Tian et al. 2020, Fig. 5), with its errors."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.shared.accuracy_by_setting import per_setting
from mitools.analyses.shared.accuracy_curve import draw_curve, name_points
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

PANELS = (
    ("mine_in_sample", "MINE in-sample, as in the paper: no bound", ORANGE, "o"),
    ("mine_held_out", "MINE held out: lower bound", BLUE, "^"),
    ("infonce", "InfoNCE held out: lower bound", BLUE, "^"),
)
"""Estimate, title, colour and marker of each panel."""

CAPTION = (
    "Bars: 95% intervals, of the pairs of views across, of images and seeds up. Views are averaged over a"
    " grid of cells before they are measured."
)


def accuracy_chart(
    table: pd.DataFrame, connected: bool = False, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a panel an estimate: the views' information across, linear accuracy up, a point a setting.

    Bars are 95% intervals; hollow points are the untrained encoders, grey ticks at the lower edge what
    permuted pairs read, and a dotted line the ceiling where it is near.

    Parameters
    ----------
    table
        One row a setting and seed, as ``results.csv`` of the study has them.
    connected
        Whether a line leads through the settings in their order.
    ax, figure
        Where to draw, one axes an estimate; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (3,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    found = per_setting(table)
    panels = open_panels(
        ax,
        figure,
        [title for _, title, _, _ in PANELS],
        (3.5 * len(PANELS), 3.3),
        room=(0.0, 0.4),
        sharey=True,
    )
    for axes, (name, title, colour, marker) in zip(panels.axes, PANELS, strict=True):
        _draw_panel(axes, found, name, colour, marker, connected)
        axes.set_title(title, fontsize=FONT_SIZE)
        axes.set_xlabel("I of the two raw views (bits)", fontsize=FONT_SIZE)
    panels.axes[0].set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    handles, _ = panels.axes[-1].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=4, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.1)
    name_points(panels, [found] * len(PANELS), [name for name, *_ in PANELS])
    return panels.array


def _draw_panel(
    axes: Axes, found: pd.DataFrame, name: str, colour: str, marker: str, connected: bool
) -> None:
    plain_axes(axes)
    axes.tick_params(labelleft=True)
    bits = found[f"{name}_bits"]
    draw_curve(axes, found, name, colour, marker, "trained by cmc", connected)
    axes.plot(
        bits, found["untrained_acc"], color=GREY, marker="o", markersize=3.5, markerfacecolor="white",
        linestyle="none", label="untrained",
    )  # fmt: skip
    bottom = axes.get_xaxis_transform()
    axes.plot(
        found[f"{name}_null"], [0.0] * len(found), color=GREY, marker="|", markersize=8, linestyle="none",
        transform=bottom, clip_on=False, label="permuted pairs",
    )  # fmt: skip
    ceiling = found.get(f"{name}_ceiling")
    if ceiling is not None and bits.max() > 0.8 * ceiling.iloc[0]:
        axes.axvline(ceiling.iloc[0], color="black", linestyle=":", linewidth=1, label="ceiling")
