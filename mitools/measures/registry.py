"""What a cell of a study can measure: estimators on a pairing, and metrics, as JSON values."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.registry import ESTIMATORS, make_estimator
from mitools.features.extract import Features
from mitools.metrics.alignment import alignment
from mitools.metrics.clustering import kmeans_nmi
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.probe import linear_probe
from mitools.metrics.retrieval import recall_at_1
from mitools.metrics.tolerance import tolerance, tolerance_all_pairs
from mitools.metrics.uniformity import uniformity
from mitools.pairing.same_class import SameClassPairs
from mitools.pairing.view_pairs import ViewPairs

Values = dict[str, Any]


class Measuring(NamedTuple):
    """What every measure sees.

    Attributes
    ----------
    features
        Of one encoder on one data set; with views where the pairing needs them.
    parts
        The split of the items.
    prior
        ``empirical`` or ``uniform``.
    seed, device
        As everywhere.
    """

    features: Features
    parts: Parts
    prior: str
    seed: int
    device: str

    @property
    def rows(self) -> np.ndarray:
        """Shape (n, d): the first view of every item."""
        return self.features.values[:, 0]


def _same_class(name: str, on: Measuring) -> Values:
    if name == "class_posterior":
        certificate = ClassPosterior(prior=on.prior, seed=on.seed)
        return certificate.fit(on.rows, on.features.labels, on.parts).estimate_.to_dict()
    critic = VariationalEstimator(name, "projection", device=on.device, seed=on.seed)
    pairs = SameClassPairs(on.features.labels, on.prior)
    return critic.fit(on.rows, on.rows, pairs, on.parts).estimate_.to_dict()


def _labels(name: str, on: Measuring) -> Values:
    return make_estimator(name, on.seed, on.device).estimate(on.rows, on.features.labels).to_dict()


def _simclr(name: str, on: Measuring) -> Values:
    n, n_views, d = on.features.values.shape
    rows = on.features.values.reshape(n * n_views, d)
    critic = VariationalEstimator(name, "projection", device=on.device, seed=on.seed)
    pairs = ViewPairs(n, n_views, on.features.labels)
    return critic.fit(rows, rows, pairs, on.parts).estimate_.to_dict()


class _Pairing(NamedTuple):
    measure: Callable[[str, Measuring], Values]
    takes: Callable[[str], bool]


PAIRINGS: dict[str, _Pairing] = {
    "same_class": _Pairing(
        _same_class, lambda name: name == "class_posterior" or name in VARIATIONAL_METHODS
    ),
    "labels": _Pairing(_labels, lambda name: ESTIMATORS[name].needs_labels and name != "class_posterior"),
    "simclr": _Pairing(_simclr, lambda name: name in VARIATIONAL_METHODS),
}
"""How the estimators read each pairing, and which of them can."""


def known_method(name: str) -> None:
    """Refuse a name that is no estimator's.

    Raises
    ------
    InputError
        With the nearest names.
    """
    make_estimator(name)


def applies(pairing: str, estimator: str) -> bool:
    """Whether an estimator can read a pairing."""
    return PAIRINGS[pairing].takes(estimator)


def estimate(pairing: str, estimator: str, on: Measuring) -> Values:
    """Read an estimator on a pairing; the estimate as JSON values."""
    return PAIRINGS[pairing].measure(estimator, on)


def _report(on: Measuring) -> tuple[np.ndarray, np.ndarray]:
    return on.rows[on.parts.report], on.features.labels[on.parts.report]


def _knn(on: Measuring, k: int) -> float:
    train = on.parts.train
    rows, labels = on.rows[train], on.features.labels[train]
    k = min(k, len(train))
    return knn_accuracy(rows, labels, *_report(on), [k], device=on.device)[k]


def _alignment(on: Measuring) -> float:
    pairs = SameClassPairs(on.features.labels, on.prior).within(on.parts.report)
    x, y = pairs.independent(np.random.default_rng([on.seed, 4]))
    return alignment(on.rows[x], on.rows[y], device=on.device)


METRICS: dict[str, Callable[[Measuring], float]] = {
    "linear_acc": lambda on: linear_probe(on.rows, on.features.labels, on.parts),
    "knn20_acc": lambda on: _knn(on, 20),
    "knn200_acc": lambda on: _knn(on, 200),
    "alignment": _alignment,
    "uniformity": lambda on: uniformity(_report(on)[0], device=on.device),
    "tolerance": lambda on: tolerance(*_report(on)),
    "tolerance_all_pairs": lambda on: tolerance_all_pairs(*_report(on)),
    "recall_at_1": lambda on: recall_at_1(*_report(on), device=on.device),
    "nmi": lambda on: kmeans_nmi(*_report(on), on.seed),
}
"""What mutual information is compared with, on the report part."""
