"""Points of accuracy over an estimate, with the intervals of both."""

import pandas as pd
from matplotlib.axes import Axes

from mitools.analyses.shared.accuracy_by_setting import Z95
from mitools.report.figures.style import FONT_SIZE, GREY


def draw_curve(
    axes: Axes, found: pd.DataFrame, name: str, colour: str, marker: str, label: str, connected: bool
) -> None:
    """Draw a point a setting: an estimate across, linear accuracy up, bars of 95% intervals.

    Parameters
    ----------
    axes
        Where to draw.
    found
        As :func:`mitools.analyses.shared.accuracy_by_setting.per_setting` gives it.
    name
        Of the estimate: ``NAME_bits``, ``_low`` and ``_high`` are read.
    colour, marker, label
        Of the points.
    connected
        Whether a line leads through the settings in their order.
    """
    bits, accuracy = found[f"{name}_bits"], found["linear_acc"]
    margin = Z95 * found["linear_acc_stderr"]
    axes.vlines(bits, accuracy - margin, accuracy + margin, color=colour, linewidth=1)
    axes.hlines(accuracy, found[f"{name}_low"], found[f"{name}_high"], color=colour, linewidth=1)
    axes.plot(
        bits, accuracy, color=colour, marker=marker, markersize=4, linewidth=0.6,
        linestyle="-" if connected else "none", label=label,
    )  # fmt: skip


def name_points(axes: Axes, found: pd.DataFrame, name: str) -> None:
    """Write the setting beside every point, on its four sides in turn: neighbours' names would overlap."""
    bits = found[f"{name}_bits"]
    order = bits.rank(method="first").astype(int)
    for setting, x, y, place in zip(found["setting"], bits, found["linear_acc"], order, strict=True):
        right, up = place % 4 in (0, 1), place % 2 == 1
        axes.annotate(
            str(setting),
            (x, y),
            xytext=(4 if right else -4, 4 if up else -9),
            ha="left" if right else "right",
            textcoords="offset points",
            fontsize=FONT_SIZE - 1.5,
            color=GREY,
        )
