"""Linear probe: what a linear classifier gets right on the report part."""

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts


def linear_probe(features: NDArray[np.float32], labels: NDArray[np.int64], parts: Parts) -> float:
    """Accuracy of multinomial logistic regression on frozen features.

    The regularisation is picked on *select*, as for the certificate: it is the same classifier, and
    :attr:`mitools.estimators.class_information.certificate.ClassPosterior.accuracy_` is this number
    without a second fit.

    Parameters
    ----------
    features
        Shape (n, d).
    labels
        Shape (n,), 0..C-1.
    parts
        The split of the items.

    Returns
    -------
    float
        The share of *report* that is classified right.
    """
    train, select, report = parts.train, parts.select, parts.report
    rows = RowTable.of(features)
    classifier = CalibratedPosterior().fit(
        rows.at(train), labels[train], rows.at(select), labels[select], class_prior(labels)
    )
    return float((classifier.predict(rows.at(report)) == labels[report]).mean())
