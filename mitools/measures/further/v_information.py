"""V-information: what a family of predictors can use of the features to predict the label."""

from typing import Any

import numpy as np

from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.estimators.inputs.splits import Parts, at_most
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
        splits = [_some(parts, settings.seed) for parts in splits]
    fitted = LabelInformation(_classifier(family), settings.prior, settings.seed).fit(
        representation.rows, labels, splits
    )
    return Measured({f"v_information_{family}": fitted.label_information_})


def _some(parts: Parts, seed: int) -> Parts:
    """Take a random part of the items of each part where these are many: every pair of them is compared."""
    rng = np.random.default_rng([seed, 8])
    return parts._replace(
        train=at_most(parts.train, MOST_TRAINING, rng),
        select=at_most(parts.select, MOST_REPORTED, rng),
        report=at_most(parts.report, MOST_REPORTED, rng),
    )


def _classifier(family: str) -> Any:
    if family == "neighbours":
        from sklearn.neighbors import KNeighborsClassifier

        return KNeighborsClassifier(NEIGHBOURS, algorithm="brute")
    from mitools.measures.further.small_network import SmallNetwork

    return SmallNetwork(HIDDEN_UNITS)
