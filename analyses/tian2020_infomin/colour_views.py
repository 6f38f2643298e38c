"""Whether accuracy goes with what the channels of a colour space share, before training (Sec. 3.3, B.2)."""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from mitools.analyses.shared.accuracy_by_setting import (
    PaperSays,
    extremes,
    per_setting,
    same_before_training,
    seeds_counted,
    shape_over,
)
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.tian2020_infomin.figures.pairs_figure import pairs_chart
from mitools.analyses.tian2020_infomin.pairs_and_accuracy import (
    AVERAGED,
    MeasuredPairsRecipe,
    pairs_and_accuracy,
)
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.report.figures.save import write_chart
from mitools.statistics.peak import FEWEST_POINTS

PAPER = PaperSays(
    "falls", "In the paper accuracy falls as the channels share more, Lab and YDbDr best (Fig. 4, Sec. 4.2)"
)


class ColourViewsRecipe(MeasuredPairsRecipe):
    """What the analysis is made from, beside what :class:`MeasuredPairsRecipe` lists.

    Attributes
    ----------
    spaces
        The two views of each space, by its name: ``{lab: [lab:l, lab:ab]}``.
    """

    spaces: Annotated[dict[str, tuple[str, str]], Field(min_length=FEWEST_POINTS)]


def run(
    recipe: ColourViewsRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Measure the two views of every colour space by networks fitted to them, train, and compare accuracies.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    table = pairs_and_accuracy(recipe.spaces, recipe, out, runtime or Runtime(), advance)
    if table is None:
        return None
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "colour_views", pairs_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say what the channels share, what each lacks of the label, and what shape accuracy has.

    Parameters
    ----------
    table
        One row a space and seed, as ``results.csv`` has them.
    """
    found = per_setting(table, averaged=AVERAGED).sort_values("shared_bits", ignore_index=True)
    measured, in_training = shape_over(found, "shared"), shape_over(found, "in_training")
    readings = [
        f"{row['setting']} {row['shared_bits']:.2f} ({row['shared_low']:.2f} to {row['shared_high']:.2f})"
        for _, row in found.iterrows()
    ]
    weaker = np.minimum(found["label_v1_high"], found["label_v2_high"])
    less = int((weaker < found["label_image_low"]).sum())
    return (
        "Read by InfoNCE of small networks that are fitted to them once a run, the two views share at least,"
        f" in bits: {listed(readings)}; the ceiling is {found['shared_ceiling'].iloc[0]:.2f}. In {less} of"
        f" {len(found)} spaces the interval of the weaker view's label information lies below that of the"
        f" image, {found['label_image_bits'].iloc[0]:.2f} bits. {extremes(found, 'spaces')} {PAPER.where}."
        f" Over what the views share before training, accuracy: {measured}; {PAPER.verdict(measured)}."
        f"{same_before_training(found, 'shared', measured)} Over the loss of the last epoch, which is the"
        f" paper's axis: {in_training}; {PAPER.verdict(in_training)}."
        f"{same_before_training(found, 'in_training', in_training)} {seeds_counted(table)}"
    )
