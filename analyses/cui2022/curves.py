"""Curves over epochs, averaged over seeds, with Student's intervals."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.style import plain_axes


def draw_means(axes: Axes, rows: pd.DataFrame, column: str, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw a curve a setting; bars are intervals over seeds, none where there is one seed.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        ``setting``, ``seed``, ``epoch`` and the column, on one data set.
    column
        Of the vertical axis.
    styles
        How each setting's line is drawn, by its name.
    """
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for name, style in styles.items():
        own = rows[rows["setting"] == name]
        found = {epoch: over_seeds(seeds[column]) for epoch, seeds in own.groupby("epoch")}
        axes.plot(
            list(found), [one.mean for one in found.values()], markersize=4, linewidth=1.2, **dict(style)
        )
        lows, highs = ([getattr(one, end) for one in found.values()] for end in ("low", "high"))
        axes.vlines(list(found), lows, highs, color=style["color"], linewidth=0.8)
