"""Charts of discrete variables: their joint distributions, two views side by side, entropies, galleries."""

from collections.abc import Sequence
from math import log2
from typing import Any

import numpy as np
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mitools.report.figures.panels import AxesArray, Panels, SomeAxes, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes

Floats = NDArray[np.float64]


def joint_matrix(
    joint: Floats, two_views: bool = True, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw the joint probabilities of all pairs of some variables (Niu et al. 2024, Fig. 3a).

    The lines in the colour bar mark what independent variables of equally likely units have: 1/D on the
    diagonal, where both views take one value, and 1/D^2 between two variables.

    Parameters
    ----------
    joint
        Shape (V, D, V, D).
    two_views
        Whether rows are of one view and columns of another; otherwise both are of the items themselves.
    ax, figure
        Where to draw, one axes; see :mod:`mitools.report.figures.panels`.
    """
    variables, units = joint.shape[:2]
    panels = open_panels(ax, figure, ["joint probabilities"], (5.4, 4.6), layout="constrained")
    axes = panels.axes[0]
    width = variables * units
    expected = 1 / units, 1 / units**2
    shown = np.maximum(joint.reshape(width, width), expected[1] / 30)
    drawn = axes.imshow(
        shown, norm=LogNorm(expected[1] / 30, 1.0), cmap="viridis", interpolation="nearest", rasterized=True
    )
    for edge in np.arange(units, width, units) - 0.5:
        axes.axhline(edge, color="white", linewidth=0.5)
        axes.axvline(edge, color="white", linewidth=0.5)
    middles = np.arange(variables) * units + (units - 1) / 2
    axes.set_xticks(middles, [str(k) for k in range(variables)], fontsize=FONT_SIZE - 1)
    axes.set_yticks(middles, [str(k) for k in range(variables)], fontsize=FONT_SIZE - 1)
    axes.set_xlabel("variable, in the second view" if two_views else "variable", fontsize=FONT_SIZE)
    axes.set_ylabel("variable, in the first view" if two_views else "variable", fontsize=FONT_SIZE)
    owner = axes.figure
    bar = owner.colorbar(drawn, ax=axes, shrink=0.85)
    bar.set_ticks([*expected], labels=[f"1/D = {expected[0]:.3g}", f"1/D² = {expected[1]:.3g}"])
    bar.ax.minorticks_off()
    bar.ax.tick_params(labelsize=FONT_SIZE - 1)
    for value in expected:
        bar.ax.axhline(value, color="white", linewidth=1.5)
    bar.set_label("joint probability", fontsize=FONT_SIZE, labelpad=8)
    _lay_out(panels)
    return panels.array


def entropy_bars(
    entropies_bits: Floats, units: int, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw the entropy of every variable, from the greatest down, against the most it can be, log2 D.

    Parameters
    ----------
    entropies_bits
        Shape (M,).
    units
        D.
    ax, figure
        Where to draw, one axes.
    """
    panels = open_panels(ax, figure, ["entropies"], (6.0, 2.6), layout="constrained")
    axes = panels.axes[0]
    plain_axes(axes)
    axes.bar(np.arange(len(entropies_bits)), np.sort(entropies_bits)[::-1], width=1.0, color=BLUE)
    axes.axhline(log2(units), color="black", linestyle="--", linewidth=1)
    axes.annotate(
        f"log2 D = {log2(units):.2f}", (1.0, log2(units)), xycoords=("axes fraction", "data"), xytext=(0, 3),
        textcoords="offset points", ha="right", fontsize=FONT_SIZE,
    )  # fmt: skip
    axes.set_ylim(0, 1.15 * log2(units))
    axes.set_xlabel("variables, in order of their entropy", fontsize=FONT_SIZE)
    axes.set_ylabel("entropy (bits)", fontsize=FONT_SIZE)
    _lay_out(panels)
    return panels.array


def views_side_by_side(
    pictures: Sequence[NDArray[np.uint8]], values: Floats, figure: Figure | None = None
) -> AxesArray:
    """Draw two views of an item and the variables of each (Niu et al. 2024, Fig. 3b and c).

    Parameters
    ----------
    pictures
        Two, of shape (height, width, 3).
    values
        Shape (2, V, D): some variables in each view.
    figure
        An empty figure to fill.
    """
    names = ["first view", "its variables", "second view", "its variables"]
    panels = open_panels(
        None, figure, names, (7.4, 3.6), columns=2, layout="constrained",
        gridspec={"width_ratios": [1, 3]},
    )  # fmt: skip
    for k in range(2):
        picture, table = panels.axes[2 * k : 2 * k + 2]
        picture.imshow(pictures[k])
        picture.set_axis_off()
        picture.set_title(names[2 * k], fontsize=FONT_SIZE)
        drawn = table.imshow(
            values[k], vmin=0, vmax=1, cmap="viridis", aspect="auto", interpolation="nearest"
        )
        table.set_ylabel("variable", fontsize=FONT_SIZE)
        table.set_yticks(range(len(values[k])))
        table.tick_params(labelsize=FONT_SIZE - 1)
    table.set_xlabel("unit", fontsize=FONT_SIZE)
    bar = table.figure.colorbar(drawn, ax=[panels.axes[1], panels.axes[3]], shrink=0.8)
    bar.set_label("probability", fontsize=FONT_SIZE)
    bar.ax.tick_params(labelsize=FONT_SIZE - 1)
    _lay_out(panels)
    return panels.array


def gallery(
    pictures: Sequence[Sequence[NDArray[Any]]], titles: Sequence[str], figure: Figure | None = None
) -> AxesArray:
    """Draw a row of images a unit, those that drive it most on the left (Niu et al. 2024, Figs. 4 and 5).

    Parameters
    ----------
    pictures
        For each unit, images of shape (height, width, 3); units may have fewer than others.
    titles
        One a unit.
    figure
        An empty figure to fill.
    """
    columns = max(len(row) for row in pictures)
    panels = open_panels(
        None, figure, [f"{r},{c}" for r in range(len(pictures)) for c in range(columns)],
        (0.85 * columns + 0.2, 1.05 * len(pictures) + 0.1), columns=columns,
        gridspec={"wspace": 0.05, "hspace": 0.3, "left": 0.01, "right": 0.99, "bottom": 0.01, "top": 0.95},
    )  # fmt: skip
    for r, row in enumerate(pictures):
        for c in range(columns):
            axes = panels.axes[r * columns + c]
            axes.set_axis_off()
            if c < len(row):
                axes.imshow(row[c])
        panels.axes[r * columns].set_title(titles[r], fontsize=FONT_SIZE, loc="left", color=ORANGE)
    return panels.array


def _lay_out(panels: Panels) -> None:
    """Run the layout of a figure for a file, before it is measured what lies outside of it."""
    if panels.figure is not None:
        panels.figure.draw_without_rendering()
        panels.figure.set_layout_engine("none")
