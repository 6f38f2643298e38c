"""What the figures of an information plane share: styles of curves, captions, marks on readings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from mitools.plane.settings import TRAINED_ON
from mitools.report.figures.columns import Floats, column_values
from mitools.report.figures.panels import Panels, add_caption, characters
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, KIND_MARKERS, ORANGE

CURVE_LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (2, 1)),
    (0, (8, 2)),
    (0, (1, 3)),
)
CURVE_COLOURS = ("black", BLUE, ORANGE, "#009E73", "#CC79A7", GREY, "#56B4E9", "#8A6D00")
"""Used in turn, with the lines above: no curve is known by its colour alone."""

WHITE_BOX = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
"""Keeps text readable that lies on a line."""

PLANE_QUANTITIES = ("I(X;T)", "I(T;Y)")

CROSSED_OUT_WARNINGS = ("indistinguishable_from_zero", "saturated", "exceeds_entropy")
"""Of readings that say nothing of the data: no more than their null, or what the method gives at most."""

CROSSED_OUT_CAPTION = "Crossed: no more than its null, at its ceiling, or above the entropy"
"""What a caption says of the crosses."""


def curve_style(place: int) -> dict[str, Any]:
    """Give colour and line of the curve at a place in the legend; another line when colours come again."""
    again = place // len(CURVE_COLOURS)
    return {
        "color": CURVE_COLOURS[place % len(CURVE_COLOURS)],
        "linestyle": CURVE_LINES[(place + again) % len(CURVE_LINES)],
    }


def interval_lengths(rows: pd.DataFrame) -> Floats:
    """Give the lengths of the interval bars below and above, shape (2, n); 0 where there is none."""
    bits, low, high = (column_values(rows, column) for column in ("bits", "low_bits", "high_bits"))
    return np.nan_to_num(np.stack([bits - low, high - bits]))


def item_counts(rows: pd.DataFrame) -> str:
    """Say how many items numbers are read on."""
    numbers = sorted({int(n) for n in rows["n"]})
    return f"n = {numbers[0]:,}" if len(numbers) == 1 else f"n = {numbers[0]:,} to {numbers[-1]:,}"


def data_title(rows: pd.DataFrame) -> str:
    """Name the data that rows are read on, and say where the networks were trained on them."""
    name = str(rows["data"].iloc[0])
    return f"{name} (trained on)" if (rows["role"] == TRAINED_ON).any() else name


def cross_out(axes: Axes, rows: pd.DataFrame, x: Floats, y: Floats) -> bool:
    """Cross out the readings that say nothing of the data, and return whether there are any.

    Parameters
    ----------
    axes
        Where the readings are drawn.
    rows
        Whose column ``warnings`` has the words of :data:`CROSSED_OUT_WARNINGS`.
    x, y
        Where they lie, shape (len(rows),) each.
    """
    crossed = rows["warnings"].map(lambda text: any(word in text for word in CROSSED_OUT_WARNINGS))
    which = crossed.to_numpy(bool)
    axes.plot(x[which], y[which], "x", color="black", markersize=5, markeredgewidth=0.8, zorder=4)
    return bool(which.any())


def kind_handles(kinds: Sequence[str]) -> list[Line2D]:
    """Make the legend's entries for kinds of numbers."""
    return [
        Line2D([], [], marker=KIND_MARKERS[kind], linestyle="none", color="black", markersize=4, label=kind)
        for kind in dict.fromkeys(kinds)
    ]


def add_plane_caption(panels: Panels, rows: pd.DataFrame, further: str) -> None:
    """Write below a chart what each finite I(X;T) in it measures.

    Parameters
    ----------
    panels
        Complete but for the caption.
    rows
        Whose column ``measures`` has the sentences.
    further
        Added after them.
    """
    sentences = [*dict.fromkeys(text for text in rows["measures"] if text), further]
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1) if panels.figure else None
    add_caption(panels, "\n".join(sentences), width=width)


def epoch_axis(axes: Axes, epochs: Sequence[float]) -> None:
    """Space epochs evenly, or by their logarithm where they were kept so; 0 has its place."""
    found = sorted(set(epochs))
    if on_log_grid(found):
        axes.set_xscale("symlog", linthresh=max(1.0, found[1] if found[0] == 0 else found[0]))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch", fontsize=FONT_SIZE)


def on_log_grid(epochs: Sequence[float]) -> bool:
    """Whether epochs lie as on a logarithmic grid: half of them in the first tenth."""
    found = np.array(sorted(set(epochs)), dtype=np.float64)
    return len(found) > 4 and bool(np.mean(found <= found[-1] / 10) >= 0.5)


def stage_borders(rows: pd.DataFrame) -> list[float]:
    """Give the epochs at which a stage of training ends and another begins."""
    epochs = rows.dropna(subset=["stage"]).groupby("stage", sort=False)["epoch"].max()
    return sorted(map(float, epochs))[:-1]


def draw_limit(axes: Axes, values: pd.Series, name: str, horizontal: bool) -> list[str]:
    """Draw a dotted line at what a number cannot exceed, unless it lies far outside the panel.

    Where the layers of a panel have limits of their own, no line would be that of all, and none is drawn.

    Returns
    -------
    list of str
        What a title says of the line; nothing where there is none.
    """
    known = pd.to_numeric(values, errors="coerce").dropna()
    low, high = axes.get_ylim() if horizontal else axes.get_xlim()
    if known.empty or f"{known.min():.2f}" != f"{known.max():.2f}" or known.max() > high + 0.5 * (high - low):
        return []
    draw = axes.axhline if horizontal else axes.axvline
    draw(float(known.max()), color=GREY, linestyle=":", linewidth=0.9, zorder=0)
    return [f"{name} = {known.max():.2f} bits"]
