"""Matrices of encoders: what one adds to another, and how alike two are, with a dendrogram."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.cluster.hierarchy import dendrogram, leaves_list, linkage
from scipy.spatial.distance import squareform

from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, add_caption, open_panels
from mitools.report.figures.style import FONT_SIZE, GREY, shorten

NAME_LENGTH = 24
CELL_INCHES = 0.62


def complement_matrix(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw what the encoder of a row adds to that of a column, in bits, with its interval.

    Parameters
    ----------
    table
        As :func:`mitools.comparing.complement.complement` returns it: ``encoder``, ``given``,
        ``complement_bits``, ``low_bits``, ``high_bits``, ``verdict``.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table, ["encoder", "given", "complement_bits", "low_bits", "high_bits", "verdict"])
    names = list(dict.fromkeys(table["encoder"]))
    values = _square(table, "complement_bits", names)
    panels = open_panels(ax, figure, ["complement"], _size(len(names)))
    axes = panels.axes[0]
    most = max(float(np.nanmax(values)), 0.05)
    axes.imshow(np.ma.masked_invalid(values), cmap="Blues", vmin=0.0, vmax=1.15 * most)
    for row in table.to_dict("records"):
        across, down = names.index(row["given"]), names.index(row["encoder"])
        told = row["verdict"] == "adds"
        text = f"{row['complement_bits'] + 0.0:.2f}\n{row['low_bits']:.2f} to {row['high_bits']:.2f}"
        color = "white" if row["complement_bits"] > 0.65 * most else "black" if told else GREY
        axes.text(across, down, text, ha="center", va="center", color=color, fontsize=FONT_SIZE - 2)
    _name(axes, names)
    axes.set_xlabel("beside this encoder", fontsize=FONT_SIZE)
    axes.set_ylabel("this one adds (bits)", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout()
    add_caption(
        panels,
        "What a linear reader of both says of the label beyond a reader of one, on held-out items; 95% paired"
        " intervals. Grey: not told from 0 over all pairs.",
        width=90,
    )
    return axes


def similarity_chart(
    matrix: pd.DataFrame, kind: str, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a dendrogram of the encoders, and their similarities in its order.

    Clusters are joined by their average distance, 1 less the similarity.

    Parameters
    ----------
    matrix
        Symmetric, with the encoders' names; see :func:`mitools.comparing.similarity.similarity_matrix`.
    kind
        What the similarity is called.
    ax, figure
        Where to draw, two axes: the tree and the matrix.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2,).

    Raises
    ------
    InputError
        When the matrix has fewer than two encoders.
    """
    require_columns(matrix)
    names = [str(name) for name in matrix.columns]
    wide, high = _size(len(names))
    panels = open_panels(
        ax, figure, ["dendrogram", "matrix"], (1.35 * wide, high), gridspec={"width_ratios": [1, 2.6]}
    )
    tree, axes = panels.axes
    distance = np.clip(1 - matrix.to_numpy(np.float64), 0.0, None)
    joined = linkage(squareform((distance + distance.T) / 2, checks=False), method="average")
    order = leaves_list(joined)
    dendrogram(
        joined, ax=tree, orientation="left", no_labels=True, color_threshold=0, above_threshold_color=GREY
    )
    tree.invert_yaxis()
    tree.set_xlabel(f"1 - {kind}", fontsize=FONT_SIZE)
    tree.tick_params(labelsize=FONT_SIZE - 1)
    tree.spines[["top", "left", "right"]].set_visible(False)
    values = matrix.to_numpy(np.float64)[np.ix_(order, order)]
    axes.imshow(values, cmap="Blues", vmin=0.0, vmax=1.15, aspect="auto")
    for (down, across), value in np.ndenumerate(values):
        color = "white" if value > 0.7 else "black"
        axes.text(
            across, down, f"{value + 0.0:.2f}", ha="center", va="center", color=color, fontsize=FONT_SIZE - 1
        )
    _name(axes, [names[place] for place in order])
    axes.set_title(kind, fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=1.0)
    return panels.array


def _square(table: pd.DataFrame, column: str, names: list[str]) -> np.ndarray:
    return (
        table.pivot(index="encoder", columns="given", values=column)
        .reindex(index=names, columns=names)
        .to_numpy(np.float64)
    )


def _size(count: int) -> tuple[float, float]:
    side = max(2.2, 1.15 * CELL_INCHES * count)
    return side + 1.6, side + 0.9


def _name(axes: Axes, names: list[str]) -> None:
    short = [shorten(name, NAME_LENGTH) for name in names]
    axes.set_xticks(range(len(names)), short, rotation=40, ha="right", fontsize=FONT_SIZE - 1)
    axes.set_yticks(range(len(names)), short, fontsize=FONT_SIZE - 1)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
