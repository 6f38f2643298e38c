"""What every pair of weights changes against cross-entropy alone, target by target, paired by seed."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mitools.analyses.cui2022.changes import VANILLA
from mitools.analyses.cui2022.settings_table import gains_of, targets_of
from mitools.analyses.cui2022.stage_weights.figure import STYLES
from mitools.analyses.shared.paired_seeds import over_seeds
from mitools.report.figures.columns import require_columns
from mitools.report.figures.panels import (
    AxesArray,
    SomeAxes,
    add_caption,
    add_key,
    characters,
    open_panels,
)
from mitools.report.figures.style import FONT_SIZE, plain_axes

BESIDE = 0.12
"""How far the points of two betas stand apart, in steps of alpha."""


def gains(table: pd.DataFrame, ax: SomeAxes | None = None, figure: Figure | None = None) -> AxesArray:
    """Draw the change of transfer at the last epoch over alpha, against cross-entropy alone.

    Parameters
    ----------
    table
        As ``results.csv`` has it.
    ax, figure
        Where to draw, one axes a target; see :mod:`mitools.report.figures.panels`.

    Returns
    -------
    array of matplotlib.axes.Axes
        Shape (targets,).

    Raises
    ------
    InputError
        When the table has no rows or lacks a column.
    """
    require_columns(table, ("logistic_acc", "alpha", "beta"))
    seeds, names = int(table["seed"].nunique()), targets_of(table)
    panels = open_panels(
        ax, figure, names, (0.9 + 3.4 * len(names), 3.0), layout="constrained", room=(0.0, 0.8)
    )
    alphas, betas = (sorted(table[name].dropna().unique()) for name in ("alpha", "beta"))
    settings = table.dropna(subset="alpha").drop_duplicates("setting")
    for axes, target in zip(panels.axes, names, strict=True):
        plain_axes(axes)
        axes.axhline(0, color="black", linewidth=0.6)
        for place, (beta, style) in enumerate(zip(betas, STYLES, strict=False)):
            own = settings[settings["beta"] == beta].sort_values("alpha")
            found = [
                over_seeds(100 * gains_of(table, setting, VANILLA, target)("logistic_acc"))
                for setting in own["setting"]
            ]
            across = [alphas.index(alpha) + BESIDE * (2 * place + 1 - len(betas)) for alpha in own["alpha"]]
            axes.plot(across, [one.mean for one in found], markersize=4, linewidth=1.0, **style)
            axes.vlines(
                across, [one.low for one in found], [one.high for one in found],
                color=style["color"], linewidth=0.9,
            )  # fmt: skip
        axes.set_xticks(range(len(alphas)), [f"{alpha:g}" for alpha in alphas])
        axes.set_title(f"transfer to {target}", fontsize=FONT_SIZE)
        axes.set_xlabel("alpha, weight of the first stage", fontsize=FONT_SIZE)
    panels.axes[0].set_ylabel("change of logistic regression's\naccuracy (points)", fontsize=FONT_SIZE)
    handles = [
        Line2D([], [], markersize=4, label=f"CTC, beta {beta:g}", **style)
        for beta, style in zip(betas, STYLES, strict=False)
    ]
    add_key(panels, handles, loc="outside upper center", ncols=len(handles), fontsize=FONT_SIZE)
    bars = f"; bars: Student's 95% intervals over {seeds} seeds, each for itself" if seeds > 1 else ""
    caption = f"At the last epoch, minus cross-entropy alone of the same seed{bars}."
    width = characters(panels.figure.get_figwidth(), FONT_SIZE - 1, 0.5) if panels.figure else None
    add_caption(panels, caption, width=width, y=-0.02)
    return panels.array
