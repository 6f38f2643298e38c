"""The figure of encoders compared: what each certifies, beside what a linear classifier gets right."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import AxesArray, SomeAxes, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, ORANGE, plain_axes, shorten


def accuracy_beside_information(
    table: pd.DataFrame, by: str, ax: SomeAxes | None = None, figure: Figure | None = None
) -> AxesArray:
    """Draw a row an encoder: certified I_class with H(C) on the left, linear accuracy on the right.

    Parameters
    ----------
    table
        One row an encoder, from the top down, with `by`, ``h_c_bits``, and ``i_class_bits`` and
        ``linear_acc`` with their limits ``i_class_low``, ``linear_acc_low`` and so on.
    by
        The column that names the rows.
    ax, figure
        Where to draw, two axes; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (2,).

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    rows = np.arange(len(table))[::-1]
    size = (7.2, 0.9 + 0.36 * len(table))
    panels = open_panels(ax, figure, ["certified I_class", "linear accuracy"], size, sharey=True)
    information, accuracy = panels.axes
    for axes, column, stem, color in (
        (information, "i_class_bits", "i_class", BLUE),
        (accuracy, "linear_acc", "linear_acc", ORANGE),
    ):
        plain_axes(axes)
        values, low, high = (column_values(table, name) for name in (column, f"{stem}_low", f"{stem}_high"))
        axes.barh(rows, values, height=0.6, color=color, edgecolor="black", linewidth=0.5)
        axes.hlines(rows, low, high, color="black", linewidth=1)
        for row, value in zip(rows, values, strict=True):
            text = f"{value:.2f}" if axes is information else f"{value:.1%}"
            axes.annotate(
                text, (1.02, float(row)), xycoords=("axes fraction", "data"), va="center",
                fontsize=FONT_SIZE - 1,
            )  # fmt: skip
    entropy = float(table["h_c_bits"].iloc[0])
    information.axvline(entropy, color="black", linestyle="--", linewidth=1)
    information.annotate(
        f"H(C) = {entropy:.2f}", (entropy, 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
        textcoords="offset points", ha="center", fontsize=FONT_SIZE,
    )  # fmt: skip
    information.set_xlim(
        min(0.0, float(table["i_class_bits"].min())), max(1.04 * entropy, float(table["i_class_high"].max()))
    )
    accuracy.set_xlim(0, 1.02)
    accuracy.set_xticks(np.linspace(0, 1, 6))
    information.set_yticks(rows, [shorten(str(name), 40) for name in table[by]], fontsize=FONT_SIZE)
    for label in information.get_yticklabels():
        label.set_parse_math(False)
    information.set_ylabel(by, fontsize=FONT_SIZE, parse_math=False)
    information.set_xlabel("certified I_class (bits)", fontsize=FONT_SIZE, parse_math=False)
    accuracy.set_xlabel("linear accuracy (share right)", fontsize=FONT_SIZE)
    if panels.figure is not None:
        panels.figure.tight_layout(w_pad=3.5)
    return panels.array
