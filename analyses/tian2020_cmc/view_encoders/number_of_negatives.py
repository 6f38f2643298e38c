"""Whether more negatives make better encoders, and what the loss then shows (Tian et al. 2020, Fig. 6)."""

from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.paired_seeds import paired_by_seed, slope_over_seeds
from mitools.analyses.shared.training_runs import in_training_columns, require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_encoders.measure_words import (
    IN_TRAINING,
    LABEL_MEASURES,
    ONE_SEED,
    VERDICTS,
    Measure,
)
from mitools.analyses.tian2020_cmc.view_encoders.quality import UNTRAINED
from mitools.analyses.tian2020_cmc.view_encoders.quality_figure import quality_chart
from mitools.analyses.tian2020_cmc.view_encoders.recipe import ViewEncodersRecipe, Views
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.datasets.open import open_data
from mitools.encoders.sources.run import run_spec
from mitools.report.figures.save import write_chart
from mitools.training.methods.multiview.options import CMCOptions
from mitools.training.recipes import Count, TrainingRecipe

CONTRASTIVE = "contrastive"

PAPER_FINDING = "Tian et al. found accuracy to rise steadily up to 4,096 negatives."


class NumberOfNegativesRecipe(ViewEncodersRecipe):
    """What the analysis is made from, beside what :class:`ViewEncodersRecipe` lists.

    Attributes
    ----------
    views
        Contrasted with each other; their encoders are measured side by side, as the paper uses L and ab.
    counts
        One run with each number of negatives a positive, m, in rising order. `training` says where they come
        from: ``nce``, ``bank`` or ``queue``.
    """

    views: Views = ("lab:l", "lab:ab")
    counts: Annotated[tuple[Count, ...], Field(min_length=2)]

    @field_validator("training")
    @classmethod
    def _remember_negatives(cls, training: TrainingRecipe) -> TrainingRecipe:
        options = training.options
        if options["negatives"] == "batch" or options["negatives_count"] is not None:
            raise ValueError("negatives must be nce, bank or queue, and their numbers stand in counts")
        return training

    @field_validator("counts")
    @classmethod
    def _in_rising_order(cls, counts: tuple[int, ...]) -> tuple[int, ...]:
        if any(after <= before for before, after in pairwise(counts)):
            raise ValueError("counts must rise")
        return counts

    def runs(self) -> dict[tuple[int, int], TrainingRecipe]:
        """Give every run, by number of negatives and seed."""
        return {
            (count, seed): self.contrastive(self.views, seed).with_options(negatives_count=count)
            for seed in self.seeds
            for count in self.counts
        }


def run(
    recipe: NumberOfNegativesRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train with every number of negatives, and measure the encoders of all views side by side.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`; more negatives
    than there are other items are refused before anything is trained.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime, recipes = runtime or Runtime(), recipe.runs()
    items = len(open_data(recipe.training.data))
    for one in recipes.values():
        CMCOptions(**one.options).count_among(items)
    folders = train_all({_folder(*key): one for key, one in recipes.items()}, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    rows = []
    for seed in recipe.seeds:
        start = folders[_folder(recipe.counts[0], seed)].path
        untrained = evaluation.certify(run_spec(start, 0)).columns
        rows.append({"negatives": 0, "method": UNTRAINED, "seed": seed} | untrained)
        for count in recipe.counts:
            folder = folders[_folder(count, seed)]
            certified = evaluation.certify(run_spec(folder.path)).columns
            row: dict[str, Any] = {"negatives": count, "method": CONTRASTIVE, "seed": seed}
            rows.append(row | in_training_columns(folder) | certified)
    table = pd.DataFrame(rows)
    columns = tuple(measure.column for measure in (*LABEL_MEASURES, IN_TRAINING))
    chart = partial(quality_chart, columns=columns)
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "number_of_negatives", chart, table, "negatives", subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say whether quality rises with negatives, and how far the loss follows its ceiling.

    Parameters
    ----------
    table
        One row a number of negatives and seed, as ``results.csv`` has them; 0 for the untrained network.
    """
    seeds, trained = table["seed"].nunique(), table[table["method"] == CONTRASTIVE]
    trained = trained.assign(doublings=np.log2(trained["negatives"].astype(float)))
    counts = [int(count) for count in dict.fromkeys(trained["negatives"])]
    text = (
        f"{seeds} seed{'s' * (seeds > 1)} of every number of negatives m, differences paired by seed; H(C) is"
        f" {table['h_c_bits'].iloc[0]:.2f} bits."
    )
    for measure in LABEL_MEASURES:
        text += _over_counts(trained, counts, measure)
        start = table.loc[table["method"] == UNTRAINED, measure.column].mean()
        text += f" The untrained encoders have {measure.value(start)}."
    text += _over_counts(trained, counts, IN_TRAINING)
    ceilings = trained.groupby("negatives")["in_training_ceiling_bits"].first()
    return (
        f"{text} Their ceilings, log2(m + 1), are {listed([f'{ceilings[count]:.2f}' for count in counts])}:"
        f" a loss with few negatives shows little, whatever the encoder holds. {PAPER_FINDING}"
        f"{ONE_SEED * (seeds == 1)}"
    )


def _over_counts(trained: pd.DataFrame, counts: list[int], measure: Measure) -> str:
    means = trained.groupby("negatives")[measure.column].mean()
    values = listed([f"{measure.value(means[count])} with {count:,}" for count in counts])
    slope = slope_over_seeds(trained, measure.column, "doublings")
    trend = {1: "it rises with m", -1: "it falls with m", 0: "a trend is not told"}[slope.sign]
    last = paired_by_seed(trained, measure.column, {"negatives": counts[-1]}, {"negatives": counts[-2]})
    return (
        f" {measure.title}: {values}; {trend}, {measure.change(slope)}{measure.unit} a doubling, and the last"
        f" step brings {measure.change(last)}{measure.unit} ({VERDICTS[last.sign]})."
    )


def _folder(count: int, seed: int) -> str:
    return f"m{count}-seed-{seed}"
