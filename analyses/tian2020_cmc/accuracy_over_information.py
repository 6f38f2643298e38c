"""A `cmc` run on every pair of views, and its accuracy beside the information of the views."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
from pydantic import Field, field_validator

from mitools.analyses.shared.evaluation import Evaluation, EvaluationRecipe
from mitools.analyses.shared.training_runs import require_held_out, train_all
from mitools.analyses.tian2020_cmc.view_information import (
    ViewInformationRecipe,
    measure_pairs,
    require_image_views,
)
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.training.recipes import Count, TrainingRecipe


class ViewPairsRecipe(Recipe):
    """What the studies of two views are made from.

    Attributes
    ----------
    training
        What all runs share; the method is ``cmc``, and its views are left to the runs.
    seeds
        One run a pair of views with each; with two or more, the reading's errors count them.
    information
        See :class:`mitools.analyses.tian2020_cmc.view_information.ViewInformationRecipe`.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; the encoders of both views side by
        side are read there.
    evaluation_size
        What images are brought to for the encoders; None for the size in training.
    """

    training: TrainingRecipe
    seeds: Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)] = (0,)
    information: ViewInformationRecipe
    evaluation: EvaluationRecipe
    evaluation_size: Count | None = None

    @field_validator("training")
    @classmethod
    def _leave_the_views_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "cmc" or training.options["views"] != ["lab:l", "lab:ab"]:
            raise ValueError("the method must be cmc, and its views are set by the runs; leave them out")
        return training


def accuracy_and_information(
    pairs: Mapping[str, tuple[str, str]],
    recipe: ViewPairsRecipe,
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> pd.DataFrame | None:
    """Measure the views of every pair, train on them, and read the encoders by a linear classifier.

    Parameters
    ----------
    pairs
        Names of two views, by what the table calls the setting.
    recipe, out, runtime, advance
        As for :func:`mitools.analyses.lee2023.batch_size.run`.

    Returns
    -------
    DataFrame or None
        One row a setting and seed: ``setting``, ``seed``, the columns of :func:`.measure_pairs`, those of a
        certificate, and ``untrained_acc`` with ``_low`` and ``_high``. None in all processes but the first.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    require_image_views(pairs)  # before the hours of training
    runs = train_all(
        {
            _folder(setting, seed): recipe.training.with_options(views=list(views)).model_copy(
                update={"seed": seed}
            )
            for setting, views in pairs.items()
            for seed in recipe.seeds
        },
        out,
        runtime,
        advance,
    )
    if not runtime.is_main:
        return None
    information = measure_pairs(pairs, recipe.information, out, runtime, advance)
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    size = "" if recipe.evaluation_size is None else f"?image_size={recipe.evaluation_size}"
    rows = []
    for setting in pairs:
        for seed in recipe.seeds:
            path = runs[_folder(setting, seed)].path
            untrained = evaluation.certify(f"run:{path}@epoch=0{size}").columns
            trained = evaluation.certify(f"run:{path}{size}").columns
            rows.append(
                {"setting": setting, "seed": seed} | information[setting] | trained | _renamed(untrained)
            )
    return pd.DataFrame(rows)


def _renamed(untrained: dict[str, Any]) -> dict[str, Any]:
    return {f"untrained_acc{end}": untrained[f"linear_acc{end}"] for end in ("", "_low", "_high")}


def _folder(setting: str, seed: int) -> str:
    return f"{setting}-seed-{seed}"
