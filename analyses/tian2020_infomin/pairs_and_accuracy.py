"""Pairs of views: measured before training, trained on by `cmc`, and what their encoders keep."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.runs_by_setting import certified, in_training, train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.analyses.shared.view_pairs import PairTrainingRecipe, require_image_views
from mitools.analyses.tian2020_infomin.measured_views import (
    READINGS,
    MeasuredViewsRecipe,
    measure_views_by_networks,
)
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance

AVERAGED = (*READINGS, "in_training")
"""Estimates that differ between the seeds of a setting."""


class MeasuredPairsRecipe(PairTrainingRecipe):
    """What the studies of two views are made from, beside what :class:`PairTrainingRecipe` lists.

    Attributes
    ----------
    views
        How the views are measured before training, with each of the seeds; see :class:`MeasuredViewsRecipe`.
    """

    views: MeasuredViewsRecipe


def pairs_and_accuracy(
    pairs: Mapping[str, tuple[str, str]],
    recipe: MeasuredPairsRecipe,
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> pd.DataFrame | None:
    """Measure every pair of views, train on it, and read the encoders by a linear classifier.

    Parameters
    ----------
    pairs
        Names of two views, by what the table calls the setting.
    recipe, out, runtime, advance
        As for :func:`mitools.analyses.lee2023.batch_size.run`.

    Returns
    -------
    DataFrame or None
        One row a setting and seed: ``setting``, ``seed``, the columns of :func:`.measure_views_by_networks`,
        of :func:`mitools.analyses.shared.runs_by_setting.in_training` and of
        :func:`mitools.analyses.shared.runs_by_setting.certified`. None in all processes but the first.
    """
    require_held_out(recipe.training.data, recipe.evaluation.data)
    require_image_views(pairs)  # before the hours of training
    runs = train_every_seed(recipe.runs_of(pairs), recipe.seeds, out, runtime, advance)
    if not runtime.is_main:
        return None
    measured = measure_views_by_networks(pairs, recipe.views, recipe.seeds, out, runtime, advance)
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    return pd.DataFrame(
        {"setting": setting, "seed": seed}
        | measured[setting, seed]
        | in_training(folder)
        | certified(folder, evaluation, recipe.evaluation_size)
        for (setting, seed), folder in runs.items()
    )
