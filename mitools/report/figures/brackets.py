"""The bracket chart: what is certified of each encoder, what is open, and H(C)."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.transforms import offset_copy

from mitools.report.figures.style import (
    BLUE,
    FONT_SIZE,
    GREY,
    ORANGE,
    PALE,
    Floats,
    _floats,
    _need,
    plain_axes,
    save_figure,
    shorten,
)


def bracket_chart(table: pd.DataFrame, path: Path) -> list[Path]:
    """Draw for each encoder the bracket from the certified lower limit to H(C), in which I_class lies.

    The dark bar ends at the lower limit: so much is certified. The hatched bar from there to H(C) is what
    remains open; a point marks the reading. Where the interval reaches H(C) the value is identified, and a
    star says so. Encoders are sorted by their reading; one without a reading keeps its line and says so.

    Parameters
    ----------
    table
        One row an encoder, with ``encoder``, ``h_c_bits``, ``i_class_bits``, ``i_class_low`` and
        ``i_class_identified``.
    path
        Where to write; ``.png`` and ``.svg`` are put behind it.

    Returns
    -------
    list of Path
        The PNG and the SVG.

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    OSError
        When the folder cannot be written.
    """
    _need(table, ["encoder", "h_c_bits", "i_class_bits", "i_class_low", "i_class_identified"])
    # The highest on top, one without a reading at the bottom.
    table = table.iloc[np.argsort(np.nan_to_num(_floats(table, "i_class_bits"), nan=-np.inf), kind="stable")]
    n = len(table)
    rows = np.arange(n)
    entropy, point, low = (_floats(table, name) for name in ("h_c_bits", "i_class_bits", "i_class_low"))
    known = np.isfinite(entropy) & np.isfinite(point) & np.isfinite(low)
    identified = known & (table["i_class_identified"].astype(str).str.lower() == "true").to_numpy()
    # The axes fill the figure, so that a row is as high for one encoder as for fifty; what lies outside
    # (names, notes, the key) is taken in when the figure is saved.
    figure = Figure(figsize=(4.6, 0.1 + 0.28 * n))
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    plain_axes(axes)
    # A limit below 0 certifies nothing, and one above H(C) leaves nothing open.
    axes.barh(rows[known], np.clip(low[known], 0.0, None), height=0.6, color=BLUE)
    axes.barh(
        rows[known], np.clip(entropy - low, 0.0, None)[known], left=low[known], height=0.6,
        facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0.6,
    )  # fmt: skip
    axes.plot(point[known], rows[known], "D", markersize=5, color="white", markeredgecolor="black")
    star: dict[str, Any] = {"marker": "*", "markersize": 11, "linestyle": "", "color": ORANGE}
    star |= {"markeredgecolor": "black"}
    axes.plot(entropy[identified], rows[identified], **star)
    for row in rows:
        if known[row]:
            limit = f"at least {low[row]:.3f}" if low[row] > 0 else "nothing certified"
            note = f"{point[row]:.3f}, {limit}" + (", identified" if identified[row] else "")
        else:
            note = "no estimate"
        axes.annotate(
            note, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=FONT_SIZE - 1
        )
    _draw_entropy(axes, entropy)
    axes.set_yticks(rows, [shorten(str(name), 44) for name in table["encoder"]], fontsize=FONT_SIZE)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(-0.6, n - 0.4)
    axes.set_xlabel("mutual information of same-class pairs (bits)", fontsize=FONT_SIZE)
    handles = [
        Patch(color=BLUE, label="certified: I_class is at least this"),
        Patch(facecolor=PALE, edgecolor=GREY, hatch="////", label="open: I_class lies in here"),
        Line2D([], [], marker="D", linestyle="", color="white", markeredgecolor="black", label="reading"),
        Line2D([], [], color="black", linestyle="--", linewidth=1, label="H(C), which I_class cannot exceed"),
    ]
    if identified.any():
        handles.append(Line2D([], [], label="identified: I_class = H(C)", **star))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=0, ncols=2,
        bbox_transform=offset_copy(axes.transAxes, figure, y=-34, units="points"),
        fontsize=FONT_SIZE - 1, frameon=False,
    )  # fmt: skip
    return save_figure(figure, path)


def _draw_entropy(axes: Axes, entropy: Floats) -> None:
    """Draw H(C) as a line over all rows, or over each where encoders were read on different classes."""
    finite = entropy[np.isfinite(entropy)]
    if not len(finite):
        return
    if np.ptp(finite) < 1e-9:
        axes.axvline(finite[0], color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"H(C) = {finite[0]:.3f} bits", (finite[0], 1.0), xycoords=("data", "axes fraction"),
            xytext=(0, 3), textcoords="offset points", ha="center", fontsize=FONT_SIZE,
        )  # fmt: skip
        return
    for row in np.flatnonzero(np.isfinite(entropy)):
        axes.vlines(entropy[row], row - 0.45, row + 0.45, color="black", linestyle="--", linewidth=1)
        axes.annotate(
            f"H(C) = {entropy[row]:.3f}", (entropy[row], row + 0.3), xytext=(-2, 0),
            textcoords="offset points", ha="right", va="bottom", fontsize=FONT_SIZE - 2,
        )  # fmt: skip
