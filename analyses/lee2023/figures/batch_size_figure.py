"""The figure of batch sizes: what the training loss shows and the encoder holds (Lee et al., Fig. 4)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, PALE, plain_axes

BARS = (
    ("in_training_bits", "in training, of the loss", PALE),
    ("nt_xent_bits", "after training, NT-Xent critic", ORANGE),
    ("i_class_bits", "after training, certificate", BLUE),
)
"""Column, label and colour of each bar of a group."""

BAR_WIDTH = 0.26
"""Of the distance between two groups."""


def batch_size_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> Axes:
    """Draw three bars a batch size, below the line of H(C) and beside the training ceiling log2(2K - 1).

    Linear accuracy stands above each group; bars of intervals are drawn where the table has them.

    Parameters
    ----------
    table
        One row a batch size in rising order, with ``k_tr``, ``h_c_bits``, ``in_training_ceiling_bits``,
        ``untrained_i_class_bits``, ``linear_acc``, the columns of :data:`BARS`, and ``_low`` and ``_high``
        of the last two.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When the table has no rows.
    """
    require_columns(table)
    places = np.arange(len(table))
    size = (1.6 + 0.85 * len(table), 3.6)
    axes = open_panels(ax, figure, ["batch sizes"], size, room=(0.0, 0.8)).axes[0]
    plain_axes(axes)
    for offset, (column, label, color) in zip((-BAR_WIDTH, 0, BAR_WIDTH), BARS, strict=True):
        height = column_values(table, column)
        axes.bar(
            places + offset, height, BAR_WIDTH, label=label, color=color, edgecolor="black", linewidth=0.5
        )  # fmt: skip
        stem = column.removesuffix("_bits")
        if f"{stem}_low" in table:
            low, high = (column_values(table, f"{stem}_{end}") for end in ("low", "high"))
            axes.vlines(places + offset, low, high, color="black", linewidth=1)
    ceiling = column_values(table, "in_training_ceiling_bits")
    axes.hlines(
        ceiling, places - 0.46, places + 0.46, color=GREY, linestyle=":", linewidth=1.4,
        label="ceiling in training, log2(2K - 1)",
    )  # fmt: skip
    entropy = float(table["h_c_bits"].iloc[0])
    axes.axhline(entropy, color="black", linestyle="--", linewidth=1, label=f"H(C) = {entropy:.2f} bits")
    untrained = float(table["untrained_i_class_bits"].iloc[0])
    axes.axhline(
        untrained,
        color=BLUE,
        linestyle="-.",
        linewidth=1,
        label=f"untrained, certificate: {untrained:.2f} bits",
    )
    top = max(entropy, ceiling.max(), *(table[column].max() for column, _, _ in BARS))
    for place, accuracy in zip(places, table["linear_acc"], strict=True):
        axes.annotate(
            f"{accuracy:.1%}", (float(place), 1.0), xycoords=("data", "axes fraction"), xytext=(0, 3),
            textcoords="offset points", ha="center", fontsize=FONT_SIZE - 1,
        )  # fmt: skip
    axes.set_title("linear accuracy", fontsize=FONT_SIZE, pad=16)
    axes.set_ylim(min(0.0, float(table["in_training_bits"].min())), 1.06 * top)
    axes.set_xlim(-0.6, len(table) - 0.4)
    axes.set_xticks(places, [str(k) for k in table["k_tr"]])
    axes.set_xlabel("training batch size K_Tr", fontsize=FONT_SIZE, parse_math=False)
    axes.set_ylabel("mutual information of same-class pairs (bits)", fontsize=FONT_SIZE)
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, -0.16), ncols=2, fontsize=FONT_SIZE - 1, frameon=False
    )  # fmt: skip
    return axes
