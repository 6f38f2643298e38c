"""The figure of frequency views: what they share and say of the label, and accuracy over it (Fig. 9)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.analyses.shared.accuracy_curve import name_points
from mitools.analyses.tian2020_infomin.figures.pairs_figure import CAPTION, PANELS, draw_accuracies
from mitools.analyses.tian2020_infomin.frequency_words import by_width
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

LABEL_CURVES = (("label_v1", "blur", BLUE, "o"), ("label_v2", "residual", ORANGE, "s"))
"""Estimate, name, colour and marker of each view."""


def frequency_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw over the width what the views share and say of the label, and accuracy over two estimates.

    Parameters
    ----------
    table
        One row a width and seed, as ``results.csv`` of the study has them.
    ax, figure
        Where to draw, four axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (4,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    found = by_width(table)
    titles = ["what both share", "what each says of the label", "before training", "the loss"]
    panels = open_panels(ax, figure, titles, (14.0, 3.3), room=(0.0, 0.4))
    shared, label, *accuracies = panels.axes
    _draw_over_widths(shared, found, [("shared", "I(v1;v2)", BLUE, "^")], "what both share: lower bound")
    _draw_over_widths(label, found, list(LABEL_CURVES), "what each says of the label: lower bound")
    image = found.iloc[0]
    label.axhspan(image["label_image_low"], image["label_image_high"], color=GREY, alpha=0.2, linewidth=0)
    label.axhline(image["label_image_bits"], color=GREY, linewidth=0.8, label="the image")
    label.legend(fontsize=FONT_SIZE - 1, frameon=False)
    draw_accuracies(accuracies, found, connected=True)
    handles, _ = accuracies[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.75, 0.0), ncols=3, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, "Numbers at points: width of the blur in pixels. " + CAPTION, y=-0.1)
    drawn_over = [name for name, *_ in PANELS]
    name_points(panels._replace(axes=accuracies), [found] * len(PANELS), drawn_over)
    return panels.array


def _draw_over_widths(
    axes: Axes, found: pd.DataFrame, curves: list[tuple[str, str, str, str]], title: str
) -> None:
    plain_axes(axes)
    for name, label, colour, marker in curves:
        bits = found[f"{name}_bits"]
        axes.vlines(found["sigma"], found[f"{name}_low"], found[f"{name}_high"], color=colour, linewidth=1)
        axes.plot(found["sigma"], bits, color=colour, marker=marker, markersize=4, linewidth=0.6, label=label)
    axes.set_xscale("log")
    axes.set_xticks(found["sigma"], list(found["setting"]))
    axes.minorticks_off()
    axes.set_title(title, fontsize=FONT_SIZE)
    axes.set_xlabel("width of the blur (pixels)", fontsize=FONT_SIZE)
    axes.set_ylabel("bits", fontsize=FONT_SIZE)
