"""The four figures of the temporal analysis: curves over epochs of both runs, and the plane."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.changes import CTC, SOURCE, VANILLA
from mitools.core.errors import InputError
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes, save_figure

STYLES: dict[str, dict[str, Any]] = {
    VANILLA: {"color": BLUE, "linestyle": "-", "markerfacecolor": BLUE},
    CTC: {"color": ORANGE, "linestyle": "--", "markerfacecolor": "white"},
}
"""Told apart in black and white: full line and marker, or dashes and an open one."""

NAMES = {VANILLA: "cross-entropy alone", CTC: "CTC"}

LABELS = {
    "recall_at_1": "Recall@1 (share right)",
    "nmi": "k-means NMI (0 to 1)",
    "frozen_acc": "SGD classifier\naccuracy (share right)",
    "logistic_acc": "logistic regression\naccuracy (share right)",
    "input_bits": "I(X;T), InfoNCE (bits)",
    "label_bits": "I(T;Y), Barber-Agakov (bits)",
}

ASIDE = 0.02
"""Share of the epochs by which the two runs stand apart where they have interval bars."""

DETERMINISTIC = (
    "For a deterministic network with continuous T, I(X;T) is infinite; the finite reading is what an InfoNCE"
    " critic finds between T and principal components of the pixels, below log n."
)

OVER_IMAGES = "Bars: 95% intervals over images, of one training run each."


def draw_temporal(table: pd.DataFrame, border: int, folder: Path) -> list[Path]:
    """Draw the four figures.

    Parameters
    ----------
    table
        As ``results.csv`` has it: one row a run, epoch and data set.
    border
        The epoch at which CTC's second stage begins; dotted.
    folder
        Where ``temporal_discriminability``, ``temporal_transfer``, ``temporal_information`` and
        ``temporal_plane`` are written, each as PNG and SVG.

    Raises
    ------
    InputError
        When the table has no rows.
    OSError
        When the folder cannot be written.
    """
    if table.empty:
        raise InputError("the table has no rows, so there is nothing to draw")
    source, targets = table[table["data"] == SOURCE], table[table["data"] != SOURCE]
    measured = _count(source, "n")
    drawn = (
        (
            "discriminability",
            _curves(source, ("recall_at_1", "nmi"), border),
            f"Of the source's images that were not trained on, {measured}; both over all of them, without an"
            " interval. One training run each.",
        ),
        (
            "transfer",
            _curves(targets, ("frozen_acc", "logistic_acc"), border),
            f"Read on n images. {OVER_IMAGES}",
        ),
        (
            "information",
            _curves(table, ("input_bits", "label_bits"), border),
            f"Read on n images. {OVER_IMAGES} {DETERMINISTIC}",
        ),
        (
            "plane",
            _plane(table),
            "Read on n images; numbers are epochs, from 0, the untrained network that both share."
            f" {OVER_IMAGES} {DETERMINISTIC}",
        ),
    )
    written: list[Path] = []
    for name, figure, text in drawn:
        _caption(figure, text)
        written += save_figure(figure, folder / f"temporal_{name}")
    return written


def _curves(table: pd.DataFrame, columns: Sequence[str], border: int) -> Figure:
    """Draw a row of panels a column of the table, and in it a panel a data set, over epochs."""
    names = list(dict.fromkeys(table["data"]))
    across = len(names) > 1
    shape = (len(columns), len(names)) if across else (1, len(columns))
    figure = Figure(figsize=(0.9 + 2.6 * shape[1], 0.8 + 2.0 * shape[0]), layout="constrained")
    panels = figure.subplots(*shape, squeeze=False, sharex=True)
    for k, axes in enumerate(panels.flat):
        column, name = (columns[k // shape[1]], names[k % shape[1]]) if across else (columns[k], names[0])
        _panel(axes, table[table["data"] == name], column, border)
        if not across or k % shape[1] == 0:
            axes.set_ylabel(LABELS[column], fontsize=FONT_SIZE)
        if across and k < shape[1]:
            axes.set_title(_titled(name, table), fontsize=FONT_SIZE, pad=14)
        if k >= panels.size - shape[1]:
            axes.set_xlabel("epoch (0: untrained)", fontsize=FONT_SIZE)
    _legend(figure, table, border, columns[0].endswith("_bits"))
    return figure


def _panel(axes: Axes, rows: pd.DataFrame, column: str, border: int) -> None:
    plain_axes(axes)
    marker = "^" if column.endswith("_bits") else "o"
    stem = column.removesuffix("_bits")
    bars = f"{stem}_low" in rows
    for place, (run, curve) in enumerate(rows.groupby("run", sort=False)):
        style = STYLES[str(run)]
        # Side by side, so that no bar hides another.
        epochs = curve["epoch"] + (place - 0.5) * ASIDE * rows["epoch"].max() * bars
        axes.plot(epochs, curve[column], marker=marker, markersize=4, linewidth=1.2, **style)
        if bars:
            axes.vlines(
                epochs, curve[f"{stem}_low"], curve[f"{stem}_high"], color=style["color"], linewidth=0.8
            )
    axes.axvline(border, color=GREY, linestyle=":", linewidth=1.2)
    limit = {"input_bits": "input_ceiling_bits", "label_bits": "label_entropy_bits"}.get(column)
    if limit is not None:
        what = "ceiling log n" if column == "input_bits" else "H(Y)"
        axes.annotate(
            f"{what} = {rows[limit].max():.2f} bits", (1.0, 1.0), xycoords="axes fraction", ha="right",
            xytext=(0, 2), textcoords="offset points", fontsize=FONT_SIZE - 1.5, color=GREY,
        )  # fmt: skip


def _plane(table: pd.DataFrame) -> Figure:
    """Draw I(T;Y) against I(X;T), a panel a data set and a trajectory a run."""
    names = list(dict.fromkeys(table["data"]))
    figure = Figure(figsize=(0.9 + 2.9 * len(names), 3.3), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        plain_axes(axes)
        axes.set_title(_titled(name, table), fontsize=FONT_SIZE)
        axes.set_xlabel(LABELS["input_bits"], fontsize=FONT_SIZE)
        for run, path in table[table["data"] == name].groupby("run", sort=False):
            _trajectory(axes, path.sort_values("epoch"), STYLES[str(run)], above=run == CTC)
        axes.margins(0.12)
    panels[0].set_ylabel(LABELS["label_bits"], fontsize=FONT_SIZE)
    _legend(figure, table, None, bounds=True)
    return figure


def _trajectory(axes: Axes, path: pd.DataFrame, style: dict[str, Any], above: bool) -> None:
    x, y = (path[column].to_numpy(np.float64) for column in ("input_bits", "label_bits"))
    axes.plot(x, y, marker="^", markersize=4, linewidth=0.9, **style)
    # Names and bars of both ends alone: those of all epochs would hide the path.
    for place in (0, len(path) - 1) if above else (len(path) - 1,):
        one = path.iloc[place]
        axes.hlines(y[place], one["input_low"], one["input_high"], color=style["color"], linewidth=0.8)
        axes.vlines(x[place], one["label_low"], one["label_high"], color=style["color"], linewidth=0.8)
        axes.annotate(
            f"{one['epoch']}", (x[place], y[place]), xytext=(0, 14 if above else -18),
            textcoords="offset points", fontsize=FONT_SIZE, fontweight="bold", color=style["color"],
            zorder=5, ha="center",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip


def _titled(name: str, table: pd.DataFrame) -> str:
    return f"{name}, {_count(table[table['data'] == name], 'n_report')}"


def _legend(figure: Figure, table: pd.DataFrame, border: int | None, bounds: bool) -> None:
    marker, kind = ("^", " (lower bounds)") if bounds else ("o", "")
    handles = [
        Line2D([], [], marker=marker, markersize=4, label=f"{NAMES[run]}{kind}", **style)
        for run, style in STYLES.items()
        if run in set(table["run"])
    ]
    if border is not None:
        handles.append(
            Line2D([], [], color=GREY, linestyle=":", linewidth=1.2, label=f"CTC's stages, epoch {border}")
        )
    figure.legend(
        handles=handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE, frameon=False
    )


def _count(rows: pd.DataFrame, column: str) -> str:
    found = sorted({int(n) for n in rows[column]})
    return f"n = {found[0]:,}" if len(found) == 1 else f"n = {found[0]:,} to {found[-1]:,}"


def _caption(figure: Figure, text: str) -> None:
    """Write below a figure that is laid out."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    width = int(figure.get_figwidth() * 72 / (0.5 * (FONT_SIZE - 1)))
    figure.text(0.01, -0.02, textwrap.fill(text, width), fontsize=FONT_SIZE - 1, va="top", parse_math=False)
