"""NC4: whether a linear classifier decides for the nearest class mean."""

from typing import Any

from numpy.typing import NDArray

from mitools.estimators.inputs.row_table import RowTable
from mitools.metrics.neural_collapse.class_means import ClassMeans
from mitools.metrics.neural_collapse.classifier import LeastSquaresClassifier


def nc4(means: ClassMeans, classifier: LeastSquaresClassifier, report: NDArray[Any] | RowTable) -> float:
    """Share of items for which the classifier's class is not that of the nearest class mean, 0 to 1.

    Parameters
    ----------
    means, classifier
        Of the same features.
    report
        Shape (m, d): other items.

    References
    ----------
    Papyan, Han and Donoho, PNAS 2020, Fig. 7.

    Examples
    --------
    >>> import numpy as np
    >>> simplex = ClassMeans.of(np.eye(3)[[0, 0, 1, 1, 2, 2]], [0, 0, 1, 1, 2, 2])
    >>> nc4(simplex, LeastSquaresClassifier.fit(simplex), np.eye(3))
    0.0
    """
    table = RowTable.of(report)
    half_squares = 0.5 * (means.centred**2).sum(axis=1)
    differing = 0
    for _, rows in table.chunks():
        shifted = rows - means.overall
        decided = (shifted @ classifier.weights.T + classifier.bias).argmax(axis=1)
        nearest = (shifted @ means.centred.T - half_squares).argmax(axis=1)
        differing += int((decided != nearest).sum())
    return differing / len(table)
