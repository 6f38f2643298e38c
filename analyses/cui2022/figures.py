"""The four figures of the temporal analysis: curves over epochs of both runs, and the plane."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.changes import CTC, SOURCE_DATA, VANILLA
from mitools.analyses.cui2022.seed_means import bars_caption, means_over_seeds
from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import (
    AxesArray,
    Panels,
    SomeAxes,
    add_caption,
    add_key,
    characters,
    open_panels,
)
from mitools.report.figures.save import write_chart
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes

RUN_STYLES: dict[str, dict[str, Any]] = {
    VANILLA: {"color": BLUE, "linestyle": "-", "markerfacecolor": BLUE},
    CTC: {"color": ORANGE, "linestyle": "--", "markerfacecolor": "white"},
}
"""They differ in black and white too: full line and marker, or dashes and an open one."""

RUN_NAMES = {VANILLA: "cross-entropy alone", CTC: "CTC"}

COLUMN_LABELS = {
    "recall_at_1": "Recall@1 (share right)",
    "nmi": "k-means NMI (0 to 1)",
    "frozen_acc": "SGD classifier\naccuracy (share right)",
    "logistic_acc": "logistic regression\naccuracy (share right)",
    "input_bits": "I(X;T), InfoNCE (bits)",
    "label_bits": "I(T;Y), Barber-Agakov (bits)",
}

GAP_BETWEEN_RUNS = 0.02
"""Share of the epochs by which the two runs are drawn side by side where they have interval bars."""

INPUT_INFORMATION_CAVEAT = (
    "For a deterministic network with continuous T, I(X;T) is infinite; the finite reading is what an InfoNCE"
    " critic finds between T and principal components of the pixels, below log n."
)


def write_temporal_figures(table: pd.DataFrame, border: int, folder: Path, subject: str = "") -> list[Path]:
    """Write the four figures.

    Parameters
    ----------
    table
        As ``results.csv`` has it: one row a run, seed, epoch and data set; seeds are averaged.
    border
        The epoch at which CTC's second stage begins; dotted.
    folder
        Where ``temporal_discriminability``, ``temporal_transfer``, ``temporal_information`` and
        ``temporal_plane`` are written, each as PNG, SVG and PDF.
    subject
        Written above each; see :func:`mitools.report.figures.save.write_chart`.

    Raises
    ------
    InputError
        When the table has no rows.
    OSError
        When the folder cannot be written.
    """
    require_columns(table)
    seeds = int(table["seed"].nunique())
    bars, runs = bars_caption(seeds), "One training run each." if seeds == 1 else f"Means over {seeds} seeds."
    table = means_over_seeds(table, ("run", "epoch", "data"))
    source, targets = table[table["data"] == SOURCE_DATA], table[table["data"] != SOURCE_DATA]
    of_source = (
        f"Of the source's images that were not trained on, {_count(source, 'n')}; both over all of them,"
        f" without an interval. {runs}"
    )
    of_targets = f"Read on n images. {bars}"
    curves = {
        "discriminability": (source, ("recall_at_1", "nmi"), of_source),
        "transfer": (targets, ("frozen_acc", "logistic_acc"), of_targets),
        "information": (
            table,
            ("input_bits", "label_bits"),
            f"{of_targets} {INPUT_INFORMATION_CAVEAT}",
        ),
    }
    written: list[Path] = []
    for name, (rows, columns, caption) in curves.items():
        written += write_chart(
            folder / f"temporal_{name}", curves_over_epochs, rows, columns, border, caption, subject=subject
        )
    plane = write_chart(folder / "temporal_plane", plane_of_both_runs, table, bars, subject=subject)
    return [*written, *plane]


def curves_over_epochs(
    table: pd.DataFrame,
    columns: Sequence[str],
    border: int,
    caption: str = "",
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> AxesArray:
    """Draw a row of panels a column of the table, and in it a panel a data set, over epochs.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    columns
        Of :data:`COLUMN_LABELS`; interval bars are drawn where the table has ``_low`` and ``_high``.
    border
        The epoch at which CTC's second stage begins; dotted.
    caption
        Text below the panels.
    ax, figure
        Where to draw, one axes a column and data set, row by row; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (columns * data sets,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, columns)
    names = list(dict.fromkeys(table["data"]))
    several = len(names) > 1
    shape = (len(columns), len(names)) if several else (1, len(columns))
    shown = [(column, name) for column in columns for name in names]
    panels = open_panels(
        ax,
        figure,
        [f"{column} on {name}" for column, name in shown],
        (0.9 + 2.6 * shape[1], 0.8 + 2.0 * shape[0]),
        columns=shape[1],
        layout="constrained",
        room=(0.0, 0.6),
        sharex=True,
    )
    for k, (axes, (column, name)) in enumerate(zip(panels.axes, shown, strict=True)):
        _draw_curves(axes, table[table["data"] == name], column, border)
        if not several or panels.is_left(k):
            axes.set_ylabel(COLUMN_LABELS[column], fontsize=FONT_SIZE)
        if several and k < len(names):
            axes.set_title(_data_title(name, table), fontsize=FONT_SIZE, pad=14)
        if panels.is_lowest(k):
            axes.set_xlabel("epoch (0: untrained)", fontsize=FONT_SIZE)
    _add_key_and_caption(panels, table, border, caption, are_bounds=columns[0].endswith("_bits"))
    return panels.array


def plane_of_both_runs(
    table: pd.DataFrame, bars: str = "", ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw I(T;Y) against I(X;T), a panel a data set and a trajectory a run.

    Parameters
    ----------
    table
        As ``results.csv`` has it, of one seed or averaged.
    bars
        What the intervals are, for the caption.
    ax, figure
        Where to draw, one axes a data set; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (data sets,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    names = list(dict.fromkeys(table["data"]))
    panels = open_panels(
        ax, figure, names, (0.9 + 2.9 * len(names), 3.3), layout="constrained", room=(0.0, 0.8)
    )
    for axes, name in zip(panels.axes, names, strict=True):
        plain_axes(axes)
        axes.set_title(_data_title(name, table), fontsize=FONT_SIZE)
        axes.set_xlabel(COLUMN_LABELS["input_bits"], fontsize=FONT_SIZE)
        for run, rows in table[table["data"] == name].groupby("run", sort=False):
            _draw_trajectory(axes, rows.sort_values("epoch"), RUN_STYLES[str(run)], above=run == CTC)
        axes.margins(0.12)
    panels.axes[0].set_ylabel(COLUMN_LABELS["label_bits"], fontsize=FONT_SIZE)
    caption = (
        "Read on n images; numbers are epochs, from 0, the untrained network that both share."
        f" {bars} {INPUT_INFORMATION_CAVEAT}"
    )
    _add_key_and_caption(panels, table, None, caption, are_bounds=True)
    return panels.array


def _draw_curves(axes: Axes, rows: pd.DataFrame, column: str, border: int) -> None:
    plain_axes(axes)
    marker = "^" if column.endswith("_bits") else "o"
    stem = column.removesuffix("_bits")
    has_bars = f"{stem}_low" in rows
    for place, (run, curve) in enumerate(rows.groupby("run", sort=False)):
        style = RUN_STYLES[str(run)]
        # Side by side, so that no bar hides another.
        epochs = curve["epoch"] + (place - 0.5) * GAP_BETWEEN_RUNS * rows["epoch"].max() * has_bars
        axes.plot(epochs, curve[column], marker=marker, markersize=4, linewidth=1.2, **style)
        if has_bars:
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


def _draw_trajectory(axes: Axes, rows: pd.DataFrame, style: dict[str, Any], above: bool) -> None:
    x, y = (column_values(rows, column) for column in ("input_bits", "label_bits"))
    axes.plot(x, y, marker="^", markersize=4, linewidth=0.9, **style)
    # Names and bars of both ends alone: those of all epochs would hide the path.
    for place in (0, len(rows) - 1) if above else (len(rows) - 1,):
        one = rows.iloc[place]
        axes.hlines(y[place], one["input_low"], one["input_high"], color=style["color"], linewidth=0.8)
        axes.vlines(x[place], one["label_low"], one["label_high"], color=style["color"], linewidth=0.8)
        axes.annotate(
            f"{one['epoch']}", (x[place], y[place]), xytext=(0, 14 if above else -18),
            textcoords="offset points", fontsize=FONT_SIZE, fontweight="bold", color=style["color"],
            zorder=5, ha="center",
            bbox={"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.8},
        )  # fmt: skip


def _data_title(name: str, table: pd.DataFrame) -> str:
    return f"{name}, {_count(table[table['data'] == name], 'n_report')}"


def _add_key_and_caption(
    panels: Panels, table: pd.DataFrame, border: int | None, caption: str, are_bounds: bool
) -> None:
    marker, kind = ("^", " (lower bounds)") if are_bounds else ("o", "")
    handles = [
        Line2D([], [], marker=marker, markersize=4, label=f"{RUN_NAMES[run]}{kind}", **style)
        for run, style in RUN_STYLES.items()
        if run in set(table["run"])
    ]
    if border is not None:
        label = f"CTC's stages, epoch {border}"
        handles.append(Line2D([], [], color=GREY, linestyle=":", linewidth=1.2, label=label))
    add_key(panels, handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE)
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)


def _count(rows: pd.DataFrame, column: str) -> str:
    found = sorted({int(n) for n in rows[column]})
    return f"n = {found[0]:,}" if len(found) == 1 else f"n = {found[0]:,} to {found[-1]:,}"
