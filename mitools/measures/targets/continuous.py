"""What features say of continuous targets: a certified bound, a critic, and held-out ridge regression."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import RidgeCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mitools.datasets.targets import Targets
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.measures.settings import MeasureSettings
from mitools.measures.targets.reading import OneTarget, TargetReading
from mitools.measures.targets.row_groups import found_groups, grouped_as
from mitools.measures.targets.trained_critic import critic_of_targets

PENALTIES = np.logspace(-3, 5, 17)
"""Ridge penalties that leave-one-out cross-validation on the training items chooses from."""


def read_continuous(
    rows: NDArray[Any], targets: Targets, split: Parts | None, groups: NDArray[np.int64] | None,
    settings: MeasureSettings, critic: bool,
) -> TargetReading:  # fmt: skip
    """Bound I(H;Y) from below, and regress the targets on the features.

    Parameters
    ----------
    rows
        Shape (n, d).
    targets
        Of the n items, k of them.
    split
        The parts of data that come in a training and a test part; None to report every item once.
    groups
        Shape (n,): which items depend on each other.
    settings
        The seed and the device.
    critic
        Train an InfoNCE critic too.

    Returns
    -------
    TargetReading
        ``i_target``: the certified bound by the closed form that fits best
        (:class:`~mitools.estimators.neural.adaptive.AdaptiveEstimator` without a network);
        ``i_target_infonce``; ``i_predicted``: what the held-out prediction says of a single target, by
        neighbours; ``r2``.

    Raises
    ------
    InputError
        When rows or groups are too few.
    """
    groups, dependent = found_groups(rows, targets.values, groups, settings.seed, split)
    own = None if split is not None else groups
    certified = AdaptiveEstimator(scouts=0, device=settings.device, seed=settings.seed)
    certified.fit(rows, targets.values, parts=split, groups=own)
    together = replace(
        certified.estimate_,
        warnings=certified.estimate_.warnings + dependent,
        settings={**certified.estimate_.settings, "grouped_as": grouped_as(groups)},
    )
    estimates = {"i_target": together}
    splits = [split] if split is not None else _splits(len(rows), groups, settings.seed)
    predicted, items = held_out_predictions(rows, targets.values, splits)
    scores = r2(targets.values[items], predicted)
    if critic:
        estimates["i_target_infonce"] = critic_of_targets(rows, targets.values, split, own, settings)
    each = []
    for k, name in enumerate(targets.names):
        column = targets.values[:, k]
        of_one = {"i_target": together}
        if len(targets.names) > 1:
            alone = AdaptiveEstimator(scouts=0, device=settings.device, seed=settings.seed)
            of_one = {"i_target": alone.fit(rows, column, parts=split, groups=own).estimate_}
        if np.ptp(predicted[:, k]) > 0:
            known = None if groups is None else groups[items]
            neighbours = KSG(seed=settings.seed).fit(predicted[:, k], column[items], groups=known)
            of_one["i_predicted"] = neighbours.estimate_
        each.append(OneTarget(name, of_one, {"r2": float(scores[k])}))
    if len(each) == 1 and "i_predicted" in each[0].estimates:
        estimates["i_predicted"] = each[0].estimates["i_predicted"]
    return TargetReading(estimates, {"r2": float(scores.mean())}, certified.influence_, each, {})


def held_out_predictions(
    rows: NDArray[Any], values: NDArray[np.float64], splits: list[Parts]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Predict the reported items of every split by ridge regression on its other items.

    Returns
    -------
    predictions, items
        Shapes (m, k) and (m,): which items these are.
    """
    predictions, items = [], []
    for parts in splits:
        known = np.concatenate([parts.train, parts.select])
        model = make_pipeline(StandardScaler(), RidgeCV(PENALTIES))
        model.fit(np.asarray(rows[known], dtype=np.float64), values[known])
        found = np.asarray(model.predict(np.asarray(rows[parts.report], dtype=np.float64)))
        predictions.append(found.reshape(len(parts.report), -1))
        items.append(parts.report)
    return np.concatenate(predictions), np.concatenate(items)


def r2(values: NDArray[np.float64], predictions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coefficient of determination of held-out predictions, shape (k,): below 0 where the mean is better.

    Examples
    --------
    >>> values = np.array([[0.0], [1.0], [2.0]])
    >>> r2(values, values), r2(values, np.ones((3, 1)))
    (array([1.]), array([0.]))
    """
    left = np.square(values - predictions).sum(axis=0)
    whole: NDArray[np.float64] = np.square(values - values.mean(axis=0)).sum(axis=0)
    return 1 - left / whole


def _splits(n: int, groups: NDArray[np.int64] | None, seed: int) -> list[Parts]:
    return cross_fit_parts(n, None, chosen_folds(n, None, groups), seed, groups)
