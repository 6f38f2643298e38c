"""Train and test loss on the source beside transfer to the targets, over epochs (Fig. 12, A.4)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.changes import SOURCE_DATA
from mitools.analyses.cui2022.figures import COLUMN_LABELS, RUN_NAMES, RUN_STYLES
from mitools.analyses.cui2022.seed_means import bars_caption, means_over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import (
    AxesArray,
    SomeAxes,
    add_caption,
    add_key,
    characters,
    open_panels,
)
from mitools.report.figures.style import FONT_SIZE, GREY, plain_axes

PART_MARKERS = {"train": "v", "test": "o"}


def losses_beside_transfer(
    losses: pd.DataFrame,
    table: pd.DataFrame,
    border: int,
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw the losses of the runs' own classifiers, and beside them transfer to each target.

    Parameters
    ----------
    losses
        As ``losses.csv`` has them.
    table
        As ``results.csv`` has it.
    border
        The epoch at which CTC's second stage begins; dotted.
    ax, figure
        Where to draw, one axes for the losses and one a target; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (1 + targets,).

    Raises
    ------
    InputError
        When a table has no rows or lacks a column.
    """
    require_columns(losses, ("train_loss_bits", "test_loss_bits"))
    require_columns(table, ("logistic_acc",))
    seeds = int(losses["seed"].nunique())
    losses = means_over_seeds(losses, ("run", "epoch"))
    targets = means_over_seeds(table[table["data"] != SOURCE_DATA], ("run", "epoch", "data"))
    names = list(dict.fromkeys(targets["data"]))
    panels = open_panels(
        ax,
        figure,
        ["losses on the source", *names],
        (0.9 + 2.8 * (1 + len(names)), 2.9),
        layout="constrained",
        room=(0.0, 0.6),
    )
    first, *others = panels.axes
    for part, marker in PART_MARKERS.items():
        _draw(first, losses, f"{part}_loss_bits", marker)
    # Losses go over decades, from an untrained network to one that knows its training images by heart.
    first.set_yscale("log")
    first.set_title("source, its own classifier", fontsize=FONT_SIZE)
    first.set_ylabel("cross-entropy (bits, log scale)", fontsize=FONT_SIZE)
    for axes, name in zip(others, names, strict=True):
        _draw(axes, targets[targets["data"] == name], "logistic_acc", "o")
        axes.set_title(f"transfer to {name}", fontsize=FONT_SIZE)
        axes.set_ylabel(COLUMN_LABELS["logistic_acc"], fontsize=FONT_SIZE)
    for axes in panels.axes:
        axes.axvline(border, color=GREY, linestyle=":", linewidth=1.2)
        axes.set_xlabel("epoch (0: untrained)", fontsize=FONT_SIZE)
    handles = [
        Line2D([], [], marker="o", markersize=4, label=RUN_NAMES[run], **style)
        for run, style in RUN_STYLES.items()
        if run in set(losses["run"])
    ]
    handles.append(
        Line2D([], [], color=GREY, linestyle=":", linewidth=1.2, label=f"CTC's stages, epoch {border}")
    )
    add_key(panels, handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE)
    counts = {part: int(losses[f"{part}_n"].max()) for part in PART_MARKERS}
    caption = (
        f"Triangles: loss on the {counts['train']:,} images trained on, as they are; circles: on"
        f" {counts['test']:,} other images of the source, and accuracy on the target. {bars_caption(seeds)}"
    )
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)
    return panels.array


def _draw(axes: Axes, rows: pd.DataFrame, column: str, marker: str) -> None:
    plain_axes(axes)
    stem = column.removesuffix("_bits")
    for run, curve in rows.groupby("run", sort=False):
        style = RUN_STYLES[str(run)]
        axes.plot(curve["epoch"], curve[column], marker=marker, markersize=4, linewidth=1.2, **style)
        axes.vlines(
            curve["epoch"], curve[f"{stem}_low"], curve[f"{stem}_high"], color=style["color"], linewidth=0.8
        )
