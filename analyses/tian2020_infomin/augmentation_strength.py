"""Whether accuracy peaks as augmentations grow stronger (Figs. 5, 12, 13, 14)."""

from pathlib import Path
from typing import Any

import pandas as pd

from mitools.analyses.shared.evaluation import Evaluation, interval_columns
from mitools.analyses.shared.figure_subject import subject_of
from mitools.analyses.shared.finding import Finding, write_finding
from mitools.analyses.shared.runs_by_setting import certified, in_training, train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.analyses.tian2020_infomin.augmentation_runs import AugmentationStrengthRecipe
from mitools.analyses.tian2020_infomin.augmentation_words import describe
from mitools.analyses.tian2020_infomin.figures.augmentation_figure import augmentation_chart
from mitools.analyses.tian2020_infomin.own_critic import read_own_critic
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.report.figures.save import write_chart
from mitools.training.loop.run_folder import RunFolder


def run(
    recipe: AugmentationStrengthRecipe,
    out: Path,
    advance: Advance | None = None,
    runtime: Runtime | None = None,
) -> Finding | None:
    """Train with ever stronger augmentations, and set accuracy beside what views share.

    Parameters, result and errors are those of :func:`mitools.analyses.lee2023.batch_size.run`.
    """
    table = measured_runs(recipe, out, runtime or Runtime(), advance)
    if table is None:
        return None
    subject = subject_of(recipe.evaluation.data, table, recipe.seeds)
    figures = write_chart(out / "augmentation_strength", augmentation_chart, table, subject=subject)
    return write_finding(table, describe(table), out, figures)


def measured_runs(
    recipe: AugmentationStrengthRecipe, out: Path, runtime: Runtime, advance: Advance | None = None
) -> pd.DataFrame | None:
    """Train every augmentation with every head and seed, and read what views share and encoders keep.

    An augmentation that several curves have in common is trained once.

    Parameters
    ----------
    recipe, out, runtime, advance
        As for :func:`run`.

    Returns
    -------
    DataFrame or None
        One row a point of a curve and seed: ``curve``, ``head``, ``setting``, ``seed``,
        ``in_training_bits`` with its ceiling, ``after_bits`` with ``_low``, ``_high``, ``_null`` and
        ``_ceiling``, and the columns of :func:`mitools.analyses.shared.runs_by_setting.certified`. None in
        all processes but the first.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    settings = recipe.settings()
    folder_of: dict[str, str] = {}
    for one in settings:
        folder_of.setdefault(one.training.model_dump_json(), f"{one.curve}-{one.name}-{one.head}")
    recipes = {folder_of[one.training.model_dump_json()]: one.training for one in settings}
    runs = train_every_seed(recipes, recipe.seeds, out, runtime, advance)
    if not runtime.is_main:
        return None
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    size = recipe.evaluation_size
    read = {
        place: {
            **in_training(folder),
            **_after(folder, evaluation, size),
            **certified(folder, evaluation, size),
        }
        for place, folder in runs.items()
    }
    return pd.DataFrame(
        {"curve": one.curve, "head": one.head, "setting": one.name, "seed": seed}
        | read[folder_of[one.training.model_dump_json()], seed]
        for one in settings
        for seed in recipe.seeds
    )


def _after(folder: RunFolder, evaluation: Evaluation, image_size: int | None) -> dict[str, Any]:
    """Read I of two draws of the augmentation that was trained with, by the trained encoder and head."""
    estimate = read_own_critic(folder, evaluation, image_size)
    return interval_columns("after", estimate) | {
        "after_null": estimate.null_bits,
        "after_ceiling": estimate.ceiling_bits,
        "after_warnings": ", ".join(warning.word for warning in estimate.warnings),
    }
