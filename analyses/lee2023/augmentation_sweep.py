"""Whether one strength of augmentation is best for every task (Lee et al., Sec. IV-C, Fig. 5)."""

from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.lee2023.figures.sweep_figure import sweep_chart
from mitools.analyses.shared.evaluation import TASKS, Evaluation, EvaluationRecipe, interval_columns
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, listed, write_finding
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.encoders.sources.run import run_spec
from mitools.estimators.warnings import SATURATED_SHARE
from mitools.report.figures.save import write_chart
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import TrainingRecipe
from mitools.views.item_views import ItemViews
from mitools.views.recipes import AugmentationRecipe
from mitools.views.registry import make_view

NO_AUGMENTATION = AugmentationRecipe(crop_area=1.0, flip=0.0, jitter_strength=0.0, jitter=1.0, grey=0.0)
"""Views that are the image itself; a sweep changes one setting of it."""

SWEPT_SETTINGS = {"jitter": "jitter_strength", "crop": "crop_area"}
"""Each sweep, and the setting of the augmentation that it changes."""


class AugmentationSweepRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all runs share; the objective is ``simclr`` and the augmentation is left to the sweeps.
    jitter
        Strengths of colour jitter, which is then the only augmentation.
    crop
        Least areas of the random crop, which is then the only augmentation; a smaller one is stronger.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; ``cdp``, whose attributes are
        the tasks.
    """

    training: TrainingRecipe
    jitter: Annotated[tuple[Annotated[float, Field(gt=0, le=1.25)], ...], Field(min_length=1)]
    crop: Annotated[tuple[Annotated[float, Field(gt=0, lt=1)], ...], Field(min_length=1)]
    evaluation: EvaluationRecipe

    @field_validator("training")
    @classmethod
    def _leave_the_augmentation_to_the_sweeps(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "simclr" or training.augmentation is not None:
            raise ValueError("the objective must be simclr, and the augmentation is what is swept")
        return training


def run(
    recipe: AugmentationSweepRecipe, out: Path, advance: Advance | None = None, runtime: Runtime | None = None
) -> Finding | None:
    """Train with every strength of one augmentation, and measure tasks and views after training.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    runtime = runtime or Runtime()
    sweeps = {"jitter": recipe.jitter, "crop": recipe.crop}
    settings = {f"{kind}-{value:g}": (kind, value) for kind, values in sweeps.items() for value in values}
    recipes = {
        name: recipe.training.model_copy(update={"augmentation": _augmentation(kind, value)})
        for name, (kind, value) in settings.items()
    }
    runs = train_all(recipes, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    rows = []
    for name, (kind, value) in settings.items():
        views = _views_columns(runs[name], evaluation)
        for task, shared in TASKS.items():
            columns = evaluation.certify(run_spec(runs[name].path), shared).columns
            rows.append({"augmentation": kind, "value": value, "task": task} | views | columns)
    table = pd.DataFrame(rows)
    subject = subject_of(recipe.evaluation.data, table)
    figures = write_chart(out / "augmentation_sweep", sweep_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def describe(table: pd.DataFrame) -> str:
    """Say where each task is best, and whether all are best at once.

    Parameters
    ----------
    table
        One row a setting and task, as ``results.csv`` has them.
    """
    return "\n".join(_sentences(str(kind), rows) for kind, rows in table.groupby("augmentation", sort=False))


def _sentences(kind: str, rows: pd.DataFrame) -> str:
    settings = rows.drop_duplicates("value")
    low, high = settings["i_views_bits"].min(), settings["i_views_bits"].max()
    text = (
        f"With {'colour jitter' if kind == 'jitter' else 'random crops'} alone, the views' information after"
        f" training goes from {low:.2f} to {high:.2f} bits"
    )
    ceiling = float(settings["i_views_ceiling_bits"].iloc[0])
    saturated = int((settings["i_views_bits"] > SATURATED_SHARE * ceiling).sum())
    if saturated:
        text += (
            f" ({saturated} of {len(settings)} within a tenth of the ceiling of {ceiling:.2f}, so a floor)"
        )
    best: dict[str, float] = {}
    peaks = []
    for task, curve in rows.groupby("task", sort=False):
        ordered = curve.sort_values("i_views_bits", ignore_index=True)
        peak = ordered.loc[ordered["linear_acc"].idxmax()]
        if peak["linear_acc_low"] > curve["linear_acc_high"].min():
            best[str(task)] = peak["value"]
        inside = 0 < int(ordered["linear_acc"].idxmax()) < len(ordered) - 1
        shape = "inside the range" if inside else "at its end"
        peaks.append(
            f"{task} {peak['linear_acc']:.1%} at {peak['value']:g} ({peak['i_views_bits']:.2f} bits, {shape};"
            f" at worst {curve['linear_acc'].min():.1%})"
        )
    text += f". Linear accuracy is highest for {listed(peaks)}."
    if not best:
        return text + " No task's best is told from its worst by their intervals: no setting counts as best."
    text += f" The best is told from the worst for {listed(list(best))}."
    if len(best) == 1:
        return text
    if len(set(best.values())) == 1:
        return text + (
            " They peak at one setting, as in Lee et al.: with independent tasks that cannot be the"
            " removal of what is irrelevant to each."
        )
    return text + (
        f" They peak at {len(set(best.values()))} different settings, unlike in Lee et al., where all"
        " peak at one."
    )


def _augmentation(kind: str, value: float) -> AugmentationRecipe:
    return NO_AUGMENTATION.model_copy(update={SWEPT_SETTINGS[kind]: value})


def _views_columns(folder: RunFolder, evaluation: Evaluation) -> dict[str, Any]:
    """Measure I of two views drawn by the augmentation that was trained with."""
    augmentation = folder.recipe().augmentation or NO_AUGMENTATION
    views = ItemViews(make_view(augmentation), count=2, seed=evaluation.settings.seed)
    estimate = evaluation.view_information(run_spec(folder.path), views)
    return interval_columns("i_views", estimate) | {
        "i_views_ceiling_bits": estimate.ceiling_bits,
        "i_views_warnings": ", ".join(warning.word for warning in estimate.warnings),
    }
