"""V-information: what a family of predictors can use of the features to predict the label."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.estimators.inputs.splits import of_each_class
from mitools.measures.measured import Measured
from mitools.measures.quality import MOST_REPORTED, MOST_TRAINING
from mitools.measures.representation import Representation
from mitools.measures.settings import MeasureSettings

NEIGHBOURS, HIDDEN_UNITS = 20, 64
"""Of the two families."""


def v_information(representation: Representation, settings: MeasureSettings, family: str) -> Measured:
    """Read ``H(C)`` less the held-out cross-entropy of a calibrated predictor of a family.

    Held out, it is a lower bound of the family's V-information, and that of I(H;C).

    Parameters
    ----------
    representation, settings
        As for every measure.
    family
        ``neighbours`` or ``mlp``.
    """
    labels = representation.labels
    splits = certificate_splits(labels, settings.seed, representation.parts.groups)
    if family == "neighbours":
        # Every pair of items is compared.
        splits = [
            replace(
                parts,
                train=_at_most(parts.train, labels, MOST_TRAINING, settings.seed),
                select=_at_most(parts.select, labels, MOST_REPORTED, settings.seed),
                report=_at_most(parts.report, labels, MOST_REPORTED, settings.seed),
            )
            for parts in splits
        ]
    fitted = LabelInformation(_classifier(family), settings.prior, settings.seed).fit(
        representation.rows, labels, splits
    )
    return Measured({f"v_information_{family}": fitted.label_information_})


def _at_most(items: NDArray[np.int64], labels: NDArray[np.int64], most: int, seed: int) -> NDArray[np.int64]:
    """Take a random part of the items where there are more than about so many, of each class its share.

    A class keeps two items at the least: one that is not there at all could not be predicted.
    """
    if len(items) <= most:
        return items
    share = most / len(items) * np.bincount(labels[items])
    wanted = np.maximum(2, share.astype(np.int64))
    return of_each_class(items, labels, wanted, np.random.default_rng([seed, 8]))


def _classifier(family: str) -> Any:
    if family == "neighbours":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(NEIGHBOURS, algorithm="brute")
    from mitools.measures.further.small_network import SmallNetwork

    return SmallNetwork(HIDDEN_UNITS)
