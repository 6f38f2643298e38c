"""Which measures go with a target: a row a measure, its coefficient and interval."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mitools.report.figures.columns import column_values, require_columns
from mitools.report.figures.panels import SomeAxes, open_panels
from mitools.report.figures.style import AXIS_LABELS, BLUE, FONT_SIZE, GREY, axis_label, plain_axes, shorten
from mitools.statistics.correlation import FEW_ROWS


def forest_chart(
    correlation: pd.DataFrame,
    title: str = "",
    ax: SomeAxes | None = None,
    figure: Figure | None = None,
) -> Axes:
    """Draw Pearson's coefficient of every measure with the target; +1: a better value, a better target.

    Parameters
    ----------
    correlation
        One row a column, as :func:`mitools.statistics.correlation.correlate` gives it; a column without a
        coefficient is left out. Below eight rows no interval is drawn, and the chart says so.
    title
        Written above: data and what is correlated.
    ax, figure
        Where to draw; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    InputError
        When no column has a coefficient.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from mitools.statistics.correlation import correlate
    >>> table = pd.DataFrame({"nmi": [0.2, 0.5, 0.6], "linear_acc": [0.7, 0.8, 0.9]})
    >>> axes = forest_chart(correlate(table, "linear_acc"), figure=Figure())
    >>> axes.get_title()
    'n = 3: too small for intervals'
    """
    known = correlation[correlation["pearson"].notna()] if "pearson" in correlation else correlation[:0]
    require_columns(known)
    rows = np.arange(len(known))[::-1]
    axes = open_panels(ax, figure, ["correlation"], (5.2, 0.9 + 0.24 * len(known)), room=(2.0, 0.6)).axes[0]
    plain_axes(axes)
    axes.axvline(0, color=GREY, linewidth=0.8)
    few = int(known["n"].min()) < FEW_ROWS
    point = column_values(known, "pearson")
    if not few:
        low, high = column_values(known, "pearson_low"), column_values(known, "pearson_high")
        axes.hlines(rows, low, high, color=BLUE, linewidth=1.4)
    axes.plot(point, rows, "o", color=BLUE, markersize=4.5)
    names = [_named(str(row["column"]), float(row["sign"])) for _, row in known.iterrows()]
    axes.set_yticks(rows, names, fontsize=FONT_SIZE)
    for label in axes.get_yticklabels():
        label.set_parse_math(False)
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(-0.6, len(known) - 0.4)
    axes.set_xlabel("Pearson's coefficient", fontsize=FONT_SIZE)
    counts = sorted({int(n) for n in known["n"]})
    n = f"n = {counts[0]}" if len(counts) == 1 else f"n = {counts[0]} to {counts[-1]}"
    level = "too small for intervals" if few else "95% intervals"
    axes.set_title(
        f"{title}, {n}: {level}" if title else f"{n}: {level}", fontsize=FONT_SIZE, parse_math=False
    )
    return axes


def _named(column: str, sign: float) -> str:
    name = axis_label(column).rpartition(" (")[0] if column in AXIS_LABELS else axis_label(column)
    return shorten(name, 44) + (" (lower is better)" if sign < 0 else "")
