"""A `cmc` run on every pair of views, and its accuracy beside the information of the views."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.runs_by_setting import certified, train_every_seed
from mitools.analyses.shared.training_runs import require_held_out
from mitools.analyses.shared.view_pairs import PairTrainingRecipe, require_image_views
from mitools.analyses.tian2020_cmc.view_information import ViewInformationRecipe, measure_pairs
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance


class ViewPairsRecipe(PairTrainingRecipe):
    """What the studies of two views are made from, beside what :class:`PairTrainingRecipe` lists.

    Attributes
    ----------
    information
        See :class:`mitools.analyses.tian2020_cmc.view_information.ViewInformationRecipe`.
    """

    information: ViewInformationRecipe


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
    runs = train_every_seed(recipe.runs_of(pairs), recipe.seeds, out, runtime, advance)
    if not runtime.is_main:
        return None
    information = measure_pairs(pairs, recipe.information, out, runtime, advance)
    evaluation = Evaluation(recipe.evaluation, out, runtime, advance)
    return pd.DataFrame(
        {"setting": setting, "seed": seed}
        | information[setting]
        | certified(folder, evaluation, recipe.evaluation_size)
        for (setting, seed), folder in runs.items()
    )
