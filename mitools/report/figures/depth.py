"""The figure of mutual information by depth: where in a network the classes become readable."""

from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.core.errors import InputError
from mitools.report.figures.columns import column_values
from mitools.report.figures.panels import AxesArray, SomeAxes, open_panels
from mitools.report.figures.style import BLUE, FONT_SIZE, GREY, ORANGE, plain_axes, shorten


class _Curve(NamedTuple):
    """A column to draw, and how: curves differ by marker and line as well as by colour."""

    column: str
    label: str
    style: dict[str, Any]


DEPTH_CURVES = (
    _Curve(
        "label_information_bits",
        "label information I(H; C), at least",
        {"color": ORANGE, "marker": "s", "linestyle": "--", "markerfacecolor": "white", "markersize": 3.5},
    ),
    _Curve(
        "i_class_bits",
        "same-class information I_class, at least",
        {"color": BLUE, "marker": "o", "linestyle": "-", "markersize": 3.5},
    ),
    _Curve(
        "control_i_class_bits",
        "I_class of the same network untrained (fewer images)",
        {"color": GREY, "marker": "^", "linestyle": ":", "markerfacecolor": "white", "markersize": 3.5},
    ),
)
"""From the highest down, as they usually lie."""


def depth_chart(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw for every network the bits of each layer over its depth, with intervals, below the line of H(C).

    Parameters
    ----------
    table
        One row a layer, with ``network``, ``layer``, ``depth``, ``h_c_bits`` and the columns of
        :data:`DEPTH_CURVES` with their ``_low`` and ``_high``; a column that is absent, or empty for a
        network, is not drawn. A network of one layer is left out.
    ax, figure
        Where to draw, one axes a network; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (networks,).

    Raises
    ------
    InputError
        When no network has two layers or more.
    """
    networks = [
        rows.sort_values("depth") for _, rows in table.groupby("network", sort=False) if len(rows) > 1
    ]
    if not networks:
        raise InputError("no network has several layers, so there is no depth to draw over")
    deepest = max(len(rows) for rows in networks)
    names = [str(rows["network"].iloc[0]) for rows in networks]
    size = (max(4.6, 1.2 + 0.23 * deepest), 4.6 * len(networks))
    panels = open_panels(ax, figure, names, size, columns=1, room=(0.0, 0.8))
    for axes, rows in zip(panels.axes, networks, strict=True):
        _draw_network(axes, rows)
    panels.axes[0].legend(
        loc="lower left",
        bbox_to_anchor=(0.0, 1.08),
        title="with 95% intervals",
        title_fontsize=FONT_SIZE - 1,
        fontsize=FONT_SIZE - 1,
        frameon=False,
        alignment="left",
    )
    if panels.figure is not None:
        panels.figure.tight_layout(h_pad=1.6)
    return panels.array


def _draw_network(axes: Axes, rows: pd.DataFrame) -> None:
    plain_axes(axes)
    depth = np.arange(len(rows))
    for curve in DEPTH_CURVES:
        values = column_values(rows, curve.column)
        if not np.isfinite(values).any():
            continue
        stem = curve.column.removesuffix("_bits")
        low, high = column_values(rows, f"{stem}_low"), column_values(rows, f"{stem}_high")
        axes.plot(depth, values, linewidth=1, label=curve.label, **curve.style)
        axes.errorbar(
            depth, values, [values - low, high - values], fmt="none", ecolor=curve.style["color"],
            elinewidth=1, capsize=2.5,
        )  # fmt: skip
    entropy = float(column_values(rows, "h_c_bits")[0])
    axes.axhline(entropy, color="black", linestyle="-", linewidth=1)
    axes.annotate(
        f"H(C) = {entropy:.3f} bits, which neither can exceed", (0.0, entropy),
        xycoords=("axes fraction", "data"), xytext=(2, 2), textcoords="offset points", fontsize=FONT_SIZE - 1,
    )  # fmt: skip
    axes.set_ylim(min(0.0, axes.get_ylim()[0]), 1.08 * entropy)
    axes.set_xticks(depth, [shorten(str(name), 28) for name in rows["layer"]], rotation=90)
    axes.set_xlim(-0.6, len(rows) - 0.4)
    for label in axes.get_xticklabels():
        label.set_parse_math(False)
    axes.set_ylabel("bits", fontsize=FONT_SIZE)
    axes.set_xlabel("layer, from input to output", fontsize=FONT_SIZE)
    axes.set_title(str(rows["network"].iloc[0]), fontsize=FONT_SIZE, parse_math=False, loc="left", pad=10)
