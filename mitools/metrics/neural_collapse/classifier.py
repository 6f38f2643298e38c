"""The linear classifier that NC3 and NC4 hold against the class means."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from mitools.metrics.neural_collapse.class_means import ClassMeans

RIDGE = 1e-3
"""Added to the covariance, as a share of its mean eigenvalue."""


class LeastSquaresClassifier(NamedTuple):
    """Least squares of the class indicators on the centred features, with a small ridge.

    Attributes
    ----------
    weights
        Shape (C, d).
    bias
        Shape (C,): of features less `means.overall`.
    """

    weights: NDArray[np.float64]
    bias: NDArray[np.float64]

    @classmethod
    def fit(cls, means: ClassMeans) -> Self:
        """Fit to the features that the means are of, every class counting the same.

        Memory is of order min(n, d)^2, and n d where n < d.
        """
        (n, d), n_classes, labels = means.table.shape, means.classes, means.labels
        weight = 1 / (n_classes * np.bincount(labels))[labels]
        bias = np.full(n_classes, 1 / n_classes)
        if n < d:
            weighted = np.sqrt(weight)[:, None] * (means.table.rows() - means.overall)
            product = weighted @ weighted.T
            targets = np.sqrt(weight)[:, None] * (labels[:, None] == np.arange(n_classes))
            return cls((weighted.T @ _solve(product, targets, d)).T, bias)
        covariance = np.zeros((d, d))
        for places, rows in means.table.chunks():
            shifted = rows - means.overall
            covariance += (weight[places, None] * shifted).T @ shifted
        return cls(_solve(covariance, means.centred.T / n_classes, d).T, bias)


def _solve(product: NDArray[np.float64], right: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    """Solve with the ridge on the diagonal; `product` has the trace of the covariance."""
    ridge = RIDGE * max(float(np.trace(product)) / d, np.finfo(np.float64).tiny)
    return np.asarray(np.linalg.solve(product + ridge * np.eye(len(product)), right), dtype=np.float64)
