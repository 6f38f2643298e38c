"""The figure of stronger augmentations: accuracy over the views' information after and during training."""

import pandas as pd
from matplotlib.figure import Figure

from mitools.analyses.shared.accuracy_by_setting import per_setting
from mitools.analyses.shared.accuracy_curve import draw_curve, name_points
from mitools.analyses.tian2020_infomin.augmentation_words import AVERAGED, TITLES
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, add_key, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

HEADS = {"linear": (BLUE, "o"), "mlp": (ORANGE, "s")}
"""Colour and marker of each head."""

AXES = {
    "after": "I_NCE of the trained critic on other images (bits)",
    "in_training": "I_NCE on the batches of the last epoch (bits)",
}
"""What each row of panels has across."""

CAPTION = (
    "Bars: 95% intervals of images and seeds; of I_NCE on the batches, of seeds. Grey lines: the encoders"
    " before training. With JigSaw the upper row reads two draws of the augmentation, the lower one the crops"
    " too."
)


def augmentation_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a row of panels an estimate and a column a curve: bits across, accuracy up, a line a head.

    Parameters
    ----------
    table
        One row a point of a curve and seed, as ``results.csv`` of the study has them.
    ax, figure
        Where to draw, six axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (6,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    names = [f"{TITLES[curve]}, {name}" for name in AXES for curve in TITLES]
    panels = open_panels(
        ax, figure, names, (4.2 * len(TITLES), 8.0), columns=len(TITLES), room=(0.0, 0.4), sharey=True
    )
    places = [(name, curve) for name in AXES for curve in TITLES]
    drawn: list[pd.DataFrame] = []
    for axes, (name, curve) in zip(panels.axes, places, strict=True):
        plain_axes(axes)
        axes.tick_params(labelleft=True)
        by_head = table[table["curve"] == curve].groupby("head", sort=False)
        found_by_head = {str(head): per_setting(rows, averaged=AVERAGED) for head, rows in by_head}
        drawn.append(
            pd.concat([found.assign(colour=HEADS[head][0]) for head, found in found_by_head.items()])
        )
        for head, found in found_by_head.items():
            colour, marker = HEADS[head]
            draw_curve(axes, found, name, colour, marker, f"{head} head", connected=True)
        axes.axhline(table["untrained_acc"].mean(), color=GREY, linewidth=0.8, label="untrained")
        axes.set_title(TITLES[curve], fontsize=FONT_SIZE)
        axes.set_xlabel(AXES[name], fontsize=FONT_SIZE)
    for number in (0, len(TITLES)):
        panels.axes[number].set_ylabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    handles, _ = panels.axes[0].get_legend_handles_labels()
    add_key(panels, handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=3, fontsize=FONT_SIZE - 1)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.5)
    add_caption(panels, CAPTION, y=-0.05)
    name_points(panels, drawn, [name for name, _ in places])
    return panels.array
