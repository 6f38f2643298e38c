"""The bracket chart: what is certified of each encoder, what is open, and H(C)."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from mitools.report.figures.columns import Floats, column_values, require_columns
from mitools.report.figures.panels import SomeAxes, open_panels, points_below
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, PALE, plain_axes, shorten

_STAR: dict[str, Any] = {
    "marker": "*",
    "markersize": 11,
    "linestyle": "",
    "color": ORANGE,
    "markeredgecolor": "black",
}


def bracket_chart(
    table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None, title: str = ""
) -> Axes:
    """Draw for each encoder the bracket from the certified lower limit to H(C), in which I_class lies.

    The dark bar ends at the lower limit: so much is certified. The hatched bar from there to H(C) is what
    remains open; a point marks the reading. Where the interval reaches H(C) the value is identified, and a
    star says so. Encoders are sorted by their reading; one without a reading keeps its line and says so.

    Parameters
    ----------
    table
        One row an encoder, with ``encoder``, ``h_c_bits``, ``i_class_bits``, ``i_class_low`` and
        ``i_class_identified``, all information in bits.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.
    title
        Written above: data, n, level.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> table = pd.DataFrame({"encoder": ["mine"], "h_c_bits": 3.32, "i_class_bits": 2.2, "i_class_low": 2.1})
    >>> axes = bracket_chart(table.assign(i_class_identified=False), figure=Figure())
    >>> axes.get_xlabel()
    'mutual information of same-class pairs (bits)'
    """
    require_columns(table, ["encoder", "h_c_bits", "i_class_bits", "i_class_low", "i_class_identified"])
    # The highest on top, one without a reading at the bottom.
    order = np.argsort(np.nan_to_num(column_values(table, "i_class_bits"), nan=-np.inf), kind="stable")
    table = table.iloc[order]
    n = len(table)
    rows = np.arange(n)
    entropy, point, low = (column_values(table, name) for name in ("h_c_bits", "i_class_bits", "i_class_low"))
    known = np.isfinite(entropy) & np.isfinite(point) & np.isfinite(low)
    identified = known & (table["i_class_identified"].astype(str).str.lower() == "true").to_numpy()
    # The axes fill a saved figure, so that a row is as high for one encoder as for fifty; what lies outside
    # (names, notes, the key) is taken in when the figure is saved.
    panels = open_panels(
        ax, figure, ["brackets"], (4.6, 0.1 + 0.28 * n), room=(4.0, 1.4),
        gridspec={"left": 0.0, "right": 1.0, "bottom": 0.0, "top": 1.0},
    )  # fmt: skip
    axes = panels.axes[0]
    plain_axes(axes)
    # A limit below 0 certifies nothing, and one above H(C) leaves nothing open.
    axes.barh(rows[known], np.clip(low[known], 0.0, None), height=0.6, color=BLUE)
    axes.barh(
        rows[known], np.clip(entropy - low, 0.0, None)[known], left=low[known], height=0.6,
        facecolor=PALE, edgecolor=GREY, hatch="////", linewidth=0.6,
    )  # fmt: skip
    axes.plot(point[known], rows[known], "D", markersize=5, color="white", markeredgecolor="black")
    axes.plot(entropy[identified], rows[identified], **_STAR)
    for row in rows:
        note = _note(point[row], low[row], bool(identified[row])) if known[row] else "no estimate"
        axes.annotate(
            note, (1.02, row), xycoords=("axes fraction", "data"), va="center", fontsize=FONT_SIZE - 1
        )
    _draw_entropy(axes, entropy)
    if title:
        axes.set_title(title, fontsize=FONT_SIZE, parse_math=False, pad=18)
    axes.set_yticks(rows, [shorten(str(name), 44) for name in table["encoder"]], fontsize=FONT_SIZE)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_ylim(-0.6, n - 0.4)
    axes.set_xlabel("mutual information of same-class pairs (bits)", fontsize=FONT_SIZE)
    _add_legend(axes, with_star=bool(identified.any()))
    return axes


def _note(point: float, low: float, identified: bool) -> str:
    limit = f"at least {low:.3f}" if low > 0 else "nothing certified"
    return f"{point:.3f}, {limit}" + (", identified" if identified else "")


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


def _add_legend(axes: Axes, with_star: bool) -> None:
    handles: list[Patch | Line2D] = [
        Patch(color=BLUE, label="certified: I_class is at least this"),
        Patch(facecolor=PALE, edgecolor=GREY, hatch="////", label="open: I_class lies in here"),
        Line2D([], [], marker="D", linestyle="", color="white", markeredgecolor="black", label="reading"),
        Line2D([], [], color="black", linestyle="--", linewidth=1, label="H(C), which I_class cannot exceed"),
    ]
    if with_star:
        handles.append(Line2D([], [], label="identified: I_class = H(C)", **_STAR))
    axes.legend(
        handles=handles, loc="upper center", bbox_to_anchor=(0.5, 0.0), borderaxespad=0, ncols=2,
        bbox_transform=points_below(axes, 34),
        fontsize=FONT_SIZE - 1, frameon=False,
    )  # fmt: skip
