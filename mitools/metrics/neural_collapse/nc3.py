"""NC3: whether a linear classifier's weights are the class means."""

import math

import numpy as np

from mitools.metrics.neural_collapse.class_means import ClassMeans
from mitools.metrics.neural_collapse.classifier import LeastSquaresClassifier


def nc3(means: ClassMeans, classifier: LeastSquaresClassifier) -> float:
    """Squared distance of the classifier's weights from the centred class means, both of Frobenius norm 1.

    From 0 (self-duality) to 4. A network's own last layer is not known here: the classifier is that of least
    squares on the features.

    Parameters
    ----------
    means, classifier
        Of the same features.

    Returns
    -------
    float
        NaN where all class means are alike.

    References
    ----------
    Papyan, Han and Donoho, PNAS 2020, Fig. 5.

    Examples
    --------
    >>> simplex = ClassMeans.of(np.eye(3)[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2])
    >>> round(nc3(simplex, LeastSquaresClassifier.fit(simplex)), 6)
    0.0
    """
    lengths = np.linalg.norm(classifier.weights), np.linalg.norm(means.centred)
    if not all(lengths):
        return math.nan
    return float(((classifier.weights / lengths[0] - means.centred / lengths[1]) ** 2).sum())
