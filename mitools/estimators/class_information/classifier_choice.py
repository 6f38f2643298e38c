"""Which classifier stands behind a bound on class information: the family that *select* prefers."""

import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.exceptions import ConvergenceWarning

from mitools.core.entropy import nats_to_bits
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts, at_most

LINEAR = "logistic regression"
"""The family of the linear columns; its regularisation is chosen on *select* as well."""

MOST_ROWS = 20_000
MOST_NUMBERS = 1 << 23
"""Training rows, and numbers in them, that a family other than the linear one is fitted to."""

MOST_CLASSES_OF_TREES = 20
"""Boosting fits a tree a class and round; above this it is left out."""

KERNEL_LANDMARKS = 400
"""Landmarks of Nystroem's approximation to the kernel."""

TREE_ROUNDS = 100


class ClassifierChoice(NamedTuple):
    """What was chosen.

    Attributes
    ----------
    name
        The family.
    posterior
        Its calibrated classifier.
    gains_bits
        By family: how much less than the prior's its cross-entropy on *select* is, in bits.
    """

    name: str
    posterior: CalibratedPosterior
    gains_bits: dict[str, float]


def choose_classifier(
    features: RowTable,
    labels: NDArray[np.int64],
    parts: Parts,
    prior: NDArray[np.float64],
    seed: int = 0,
) -> ClassifierChoice:
    """Fit each family on *train*, calibrate it on *select*, and take the one that predicts *select* best.

    The families: regularised logistic regression, nearest neighbours, logistic regression on a radial
    kernel's features (Williams & Seeger 2001), gradient-boosted trees, and a network of one hidden layer.
    *Report* has no part in the choice, so that a bound that is read there holds for whatever was chosen.

    Parameters
    ----------
    features, labels
        Of all items: shapes (n, d) and (n,), labels 0..C-1.
    parts
        The split of the items.
    prior
        Shape (C,), the class distribution that is meant.
    seed
        Of the random numbers of the families.
    """
    select, select_labels = features.at(parts.select), labels[parts.select]
    rng = np.random.default_rng([seed, 3])
    some = at_most(parts.train, min(MOST_ROWS, MOST_NUMBERS // features.width), rng)
    if len(np.unique(labels[some])) < len(prior):  # a rare class was not drawn
        some = parts.train
    found: dict[str, CalibratedPosterior] = {}
    for name, make in _FAMILIES.items():
        train = parts.train if make is None else some
        if make is _trees and len(prior) > MOST_CLASSES_OF_TREES:
            continue
        classifier = None if make is None else make(len(train), features.width, seed)
        with warnings.catch_warnings():
            # An unfinished fit is still a valid critic, and select judges it like any other.
            warnings.simplefilter("ignore", ConvergenceWarning)
            found[name] = CalibratedPosterior(classifier, seed).fit(
                features.at(train), labels[train], select, select_labels, prior, parts.groups_of(parts.select)
            )
    best = min(found, key=lambda name: found[name].select_loss_)
    entropy = -float(prior @ np.log(prior))
    gains = {name: nats_to_bits(entropy - each.select_loss_) for name, each in found.items()}
    return ClassifierChoice(best, found[best], gains)


def _neighbours(n: int, d: int, seed: int) -> Any:
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=min(n, max(5, round(np.sqrt(n)))))


def _kernel(n: int, d: int, seed: int) -> Any:
    from sklearn.kernel_approximation import Nystroem
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    landmarks = Nystroem(gamma=1 / d, n_components=min(n // 2, KERNEL_LANDMARKS), random_state=seed)
    return make_pipeline(landmarks, LogisticRegression(C=10.0, max_iter=500))


def _trees(n: int, d: int, seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(max_iter=TREE_ROUNDS, early_stopping=True, random_state=seed)


def _network(n: int, d: int, seed: int) -> Any:
    from sklearn.neural_network import MLPClassifier

    return MLPClassifier((100,), alpha=1e-3, early_stopping=True, max_iter=200, random_state=seed)


_FAMILIES: dict[str, Callable[[int, int, int], Any] | None] = {
    LINEAR: None,
    "nearest neighbours": _neighbours,
    "radial kernel": _kernel,
    "boosted trees": _trees,
    "network": _network,
}
