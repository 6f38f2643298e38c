"""Curves over epochs, averaged over seeds, with Student's intervals."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.style import plain_axes

BESIDE = 0.12
"""How far apart curves stand at an epoch, as a share of the least distance of two epochs."""


def draw_means(axes: Axes, rows: pd.DataFrame, column: str, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """Draw a curve a setting; bars are intervals over seeds, or of one seed those of the column itself.

    Curves stand a little beside each other, so that no bar hides another.

    Parameters
    ----------
    axes
        Where to draw.
    rows
        ``setting``, ``seed``, ``epoch`` and the column, on one data set; ``_low`` and ``_high`` are the
        ends of an interval of each number.
    column
        Of the vertical axis.
    styles
        How each setting's line is drawn, by its name.
    """
    plain_axes(axes)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    epochs = np.unique(rows["epoch"])
    apart = BESIDE * np.diff(epochs).min() if len(epochs) > 1 else 0.0
    for number, (name, style) in enumerate(styles.items()):
        own = rows[rows["setting"] == name]
        found = {epoch: over_seeds(seeds[column]) for epoch, seeds in own.groupby("epoch")}
        places = np.array(list(found)) + apart * (number - (len(styles) - 1) / 2)
        means = [one.mean for one in found.values()]
        axes.plot(places, means, markersize=4, linewidth=1.2, **dict(style))
        lows, highs = ([getattr(one, end) for one in found.values()] for end in ("low", "high"))
        if own["seed"].nunique() == 1 and f"{column}_low" in own:
            lows, highs = (own.sort_values("epoch")[f"{column}_{end}"].tolist() for end in ("low", "high"))
        axes.vlines(places, lows, highs, color=style["color"], linewidth=0.8)
