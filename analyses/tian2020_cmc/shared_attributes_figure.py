"""The figure of shared attributes: what each view's encoder keeps of each, by graph."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

STYLES = ((BLUE, "o"), (ORANGE, "s"), ("#009E73", "^"), ("#CC79A7", "D"))
"""Colour and marker of each trained graph, in turn."""

CAPTION = (
    "Numbers: how many of the objectives of a view count the attribute, because both of their views share it."
    " Bars: 95% intervals. Dotted: H(C)."
)


def attributes_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a panel an attribute: the views across, the certified share of H(C) up, a marker a graph.

    The number over a point is how many of its view's own objectives count the attribute. Bars are intervals.

    Parameters
    ----------
    table
        As ``results.csv`` of the study.
    ax, figure
        Where to draw, one axes an attribute; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (attributes,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    attributes = list(dict.fromkeys(table["attribute"]))
    panels = open_panels(ax, figure, attributes, (3.1 * len(attributes), 3.0), room=(0.0, 0.4), sharey=True)
    for axes, attribute in zip(panels.axes, attributes, strict=True):
        _draw_panel(axes, table[table["attribute"] == attribute])
        axes.set_title(attribute, fontsize=FONT_SIZE)
    panels.axes[0].set_ylabel("certified I_class relative to H(C)", fontsize=FONT_SIZE)
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=6, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.1)
    return panels.array


def _draw_panel(axes: Axes, rows: pd.DataFrame) -> None:
    plain_axes(axes)
    axes.tick_params(labelleft=True)
    axes.axhline(1.0, color="black", linewidth=0.6, linestyle=":")
    axes.axhline(0.0, color="black", linewidth=0.4)
    views, graphs = list(dict.fromkeys(rows["view"])), list(dict.fromkeys(rows["graph"]))
    step = 0.55 / max(1, len(graphs) - 1)
    styles = iter(STYLES * len(graphs))
    for k, graph in enumerate(graphs):
        own = rows[rows["graph"] == graph].set_index("view").reindex(views)
        trained = graph != "untrained"
        colour, marker = next(styles) if trained else (GREY, "o")
        places = [place + (k - (len(graphs) - 1) / 2) * step for place in range(len(views))]
        axes.vlines(places, own["i_class_share_low"], own["i_class_share_high"], color=colour, linewidth=1)
        axes.plot(
            places, own["i_class_share"], color=colour, marker=marker, linestyle="none", markersize=4,
            markerfacecolor=colour if trained else "white", label=graph,
        )  # fmt: skip
        if trained:
            for place, weight, top in zip(places, own["view_weight"], own["i_class_share_high"], strict=True):
                axes.annotate(
                    f"{weight:g}", (place, top), xytext=(0, 2), textcoords="offset points", ha="center",
                    fontsize=FONT_SIZE - 2, color=colour,
                )  # fmt: skip
    axes.set_xticks(range(len(views)), views, fontsize=FONT_SIZE - 1)
    axes.set_xlabel("encoder of", fontsize=FONT_SIZE)
    axes.set_ylim(
        min(-0.05, rows["i_class_share_low"].min() - 0.03), max(1.12, rows["i_class_share_high"].max() + 0.08)
    )
