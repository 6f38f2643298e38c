"""TransRate: how many more bits code all features than code those of each class apart."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import nats_to_bits
from mitools.estimators.inputs.validation import as_labels, as_rows, same_length

DISTORTION = 1e-4
"""The squared error that the code may make, epsilon of the authors' code."""


def transrate(features: ArrayLike, labels: ArrayLike) -> float:
    """Coding rate of the features less that of the features given the class, in bits; higher is better.

    ``R(Z) = 1/2 logdet(I + Z^T Z / (n eps))`` of rows less their mean, less the mean of R over the rows of
    each class, which keep the mean of all: so the class means count as what a class's code must say, and two
    classes on a line have 0. It grows with the scale of the features, so that rows are first divided by their
    root mean square length. A class counts by its share of the items, as in a conditional entropy; the ten
    lines of code in the paper take the plain mean over classes, the same where all are equally large. It
    stands for the mutual information of features and label at a finite precision,
    and is no bound of it.

    Parameters
    ----------
    features
        Shape (n, d).
    labels
        Shape (n,).

    Raises
    ------
    InputError
        When the input is malformed or the lengths differ.

    References
    ----------
    Huang, Huang, Rong, Yang and Wei, "Frustratingly Easy Transferability Estimation", ICML 2022, Eq. 5.

    Examples
    --------
    >>> labels = np.arange(9) % 3
    >>> round(transrate(np.eye(3)[labels], labels), 2)  # log2(1 + 1e4 / 2) - log2(1 + 1e4) / 2
    5.64
    """
    rows, index = as_rows(features, "features").astype(np.float64), as_labels(labels)
    same_length(len(rows), len(index), "features", "labels")
    rows -= rows.mean(axis=0)
    length = np.sqrt((rows**2).sum() / len(rows))
    if length == 0:
        return 0.0
    rows /= length
    within = 0.0
    for members in np.split(np.argsort(index, kind="stable"), np.cumsum(np.bincount(index))[:-1]):
        within += len(members) / len(rows) * _coding_rate(rows[members])
    return nats_to_bits(_coding_rate(rows) - within)


def _coding_rate(rows: NDArray[np.float64]) -> float:
    n, d = rows.shape
    product = rows @ rows.T if n < d else rows.T @ rows  # the determinant is the same
    return float(0.5 * np.linalg.slogdet(np.eye(len(product)) + product / (n * DISTORTION))[1])
