"""What the figures of an information plane share: markers of kinds, styles, captions, and three files."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import whole_file
from mitools.plane.settings import TRAINED_ON
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, save_figure

MARKERS = {"lower bound": "^", "asymptotic lower bound": "^", "upper bound": "v", "point estimate": "o"}
"""The direction of every number: a bound points to where the truth may lie."""

LINES: tuple[Any, ...] = (
    "-",
    "--",
    "-.",
    ":",
    (0, (6, 1, 1, 1, 1, 1)),
    (0, (2, 1)),
    (0, (8, 2)),
    (0, (1, 3)),
)
COLOURS = ("black", BLUE, ORANGE, "#009E73", "#CC79A7", GREY, "#56B4E9", "#8A6D00")
"""Used in turn: no line is told apart by its colour alone."""

ON_WHITE = {"boxstyle": "square,pad=0.05", "facecolor": "white", "edgecolor": "none", "alpha": 0.7}
"""Keeps text readable that lies on a line."""

QUANTITIES = ("I(X;T)", "I(T;Y)")

EMPTY_WARNINGS = ("indistinguishable_from_zero", "saturated", "exceeds_entropy")
"""Of readings that tell nothing of the data: no more than their null, or what the method gives at most."""

CROSSED = "crossed: no more than its null, at its ceiling, or above the entropy"

Floats = NDArray[np.float64]


def need(table: pd.DataFrame) -> None:
    """Refuse a table that holds nothing to draw.

    Raises
    ------
    InputError
        When it has no rows.
    """
    if table.empty:
        raise InputError("the table has no rows, so there is nothing to draw")


def style(place: int) -> dict[str, Any]:
    """Give colour and line of the curve at a place in the legend; another line when colours come again."""
    again = place // len(COLOURS)
    return {"color": COLOURS[place % len(COLOURS)], "linestyle": LINES[(place + again) % len(LINES)]}


def floats(rows: pd.DataFrame, column: str) -> Floats:
    """Return a column as float64, NaN where it is empty."""
    return pd.to_numeric(rows[column], errors="coerce").to_numpy(np.float64, na_value=np.nan)


def reach(rows: pd.DataFrame) -> Floats:
    """Give the lengths of the interval bars below and above, shape (2, n); 0 where there is none."""
    bits = floats(rows, "bits")
    return np.nan_to_num(np.stack([bits - floats(rows, "low_bits"), floats(rows, "high_bits") - bits]))


def counts(rows: pd.DataFrame) -> str:
    """Say how many items numbers are read on."""
    numbers = sorted({int(n) for n in rows["n"]})
    return f"n = {numbers[0]:,}" if len(numbers) == 1 else f"n = {numbers[0]:,} to {numbers[-1]:,}"


def titled(rows: pd.DataFrame) -> str:
    """Name the data that rows are read on, and say where the networks were trained on them."""
    name = str(rows["data"].iloc[0])
    return f"{name} (trained on)" if (rows["role"] == TRAINED_ON).any() else name


def cross_out(axes: Axes, rows: pd.DataFrame, x: Floats, y: Floats) -> bool:
    """Cross out the readings that tell nothing of the data, and say whether there are any.

    Parameters
    ----------
    axes
        Where the readings are drawn.
    rows
        Whose column ``warnings`` tells.
    x, y
        Where they lie, shape (len(rows),) each.
    """
    empty = rows["warnings"].map(lambda text: any(word in text for word in EMPTY_WARNINGS)).to_numpy(bool)
    axes.plot(x[empty], y[empty], "x", color="black", markersize=5, markeredgewidth=0.8, zorder=4)
    return bool(empty.any())


def kind_handles(kinds: Sequence[str]) -> list[Line2D]:
    """Make the legend's entries for kinds of numbers."""
    return [
        Line2D([], [], marker=MARKERS[kind], linestyle="none", color="black", markersize=4, label=kind)
        for kind in dict.fromkeys(kinds)
    ]


def caption(figure: Figure, rows: pd.DataFrame, further: str = "") -> None:
    """Write below a figure what each finite I(X;T) in it measures.

    Parameters
    ----------
    figure
        Complete: it is laid out here, and the text goes below its lower edge.
    rows
        Whose column ``measures`` has the sentences.
    further
        Said after them.
    """
    sentences = [*dict.fromkeys(text for text in rows["measures"] if text), *([further] if further else [])]
    # Layout runs when a figure is drawn, and what is measured before would be cut off.
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    size = FONT_SIZE - 1
    width = int(figure.get_figwidth() * 72 / (0.52 * size))
    text = "\n".join(textwrap.fill(sentence, width) for sentence in sentences)
    figure.text(0.01, -0.01, text, fontsize=size, va="top", ha="left", parse_math=False)


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


def limit(axes: Axes, values: pd.Series, name: str, horizontal: bool) -> list[str]:
    """Draw a dotted line at what a number cannot exceed, where it lies not far outside the panel.

    Returns
    -------
    list of str
        What a title says of the line; nothing where there is none.
    """
    known = pd.to_numeric(values, errors="coerce").dropna()
    low, high = axes.get_ylim() if horizontal else axes.get_xlim()
    if known.empty or known.max() > high + 0.5 * (high - low):
        return []
    draw = axes.axhline if horizontal else axes.axvline
    draw(float(known.max()), color=GREY, linestyle=":", linewidth=0.9, zorder=0)
    return [f"{name} = {known.max():.2f} bits"]


def save(figure: Figure, path: Path) -> list[Path]:
    """Write a figure as PNG, SVG and PDF; see :func:`mitools.report.figures.style.save_figure`."""
    written = save_figure(figure, path)
    target = written[0].with_suffix(".pdf")
    with rc_context({"pdf.fonttype": 42}), whole_file(target) as temporary:
        figure.savefig(temporary, bbox_inches="tight", pad_inches=0.1, metadata={"CreationDate": None})
    return [*written, target]
