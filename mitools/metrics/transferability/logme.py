"""LogME: the evidence of linear models of the labels on the features."""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.validation import as_labels, as_table, same_length

NEGLIGIBLE = 1e-11
"""Share of the largest eigenvalue below which a direction carries nothing."""

RESIDUAL_FLOOR = 1e-8
"""Mean squared residual below which the noise is not estimated: a perfect fit has no finite evidence."""

MOST_STEPS, WITHIN = 500, 1e-9

STARTS = (1.0, 1e-3, 1e-6, 1e-9)
"""Of alpha / beta, as shares of the largest eigenvalue. From 1 the weights of a weak class may all be given
up: all is noise, a maximum of its own, where from less a better one is found."""


def logme(features: ArrayLike | RowTable, labels: ArrayLike) -> float:
    """Log evidence per item of a Bayesian linear regression on each class's indicator, mean over classes.

    For every class ``y = F w + noise`` with ``w ~ N(0, I / alpha)`` and noise of variance 1 / beta; alpha and
    beta maximise the evidence ``log p(y | F)`` by MacKay's fixed point, from several starts, since it may end
    in a lesser maximum. In nats; higher is better; no range. The scale of the features does not count: alpha
    takes it up.

    Parameters
    ----------
    features
        Shape (n, d). Memory is of order min(n, d)^2, and n d where n < d.
    labels
        Shape (n,).

    Raises
    ------
    InputError
        When the input is malformed or the lengths differ.

    References
    ----------
    You, Liu, Wang and Long, "LogME: Practical Assessment of Pre-trained Models for Transfer Learning", ICML
    2021, Eq. 2 and Algorithm 1; fixed point of You et al., JMLR 2022.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(300) % 3
    >>> noise = rng.standard_normal((300, 3))
    >>> logme(np.eye(3)[labels] + 0.1 * noise, labels) > logme(noise, labels)
    True
    """
    table, index = as_table(features, "features", centring=None), as_labels(labels)
    same_length(len(table), len(index), "features", "labels")
    n, d = table.shape
    classes = int(index.max()) + 1
    if n < d:
        rows = table.rows().astype(np.float64)
        eigenvalues, vectors = np.linalg.eigh(rows @ rows.T)
        cross = (index[:, None] == np.arange(classes)).astype(np.float64)
        projected = eigenvalues[:, None] * (vectors.T @ cross) ** 2
    else:
        gram, cross = np.zeros((d, d)), np.zeros((d, classes))
        for places, chunk in table.chunks():
            exact = chunk.astype(np.float64)
            gram += exact.T @ exact
            np.add.at(cross.T, index[places], exact)
        eigenvalues, vectors = np.linalg.eigh(gram)
        projected = (vectors.T @ cross) ** 2
    used = eigenvalues > NEGLIGIBLE * max(eigenvalues[-1], 0.0)
    # The prior of the weights takes up any scale of the features, so that the search begins without one.
    scale = max(eigenvalues[-1], 0.0) or 1.0
    eigenvalues, projected = eigenvalues[used] / scale, projected[used] / scale
    counts = np.bincount(index)
    found = [
        max(_log_evidence(eigenvalues, projected[:, c], float(counts[c]), n, start) for start in STARTS)
        for c in range(classes)
    ]
    return float(np.mean(found))


def _log_evidence(
    eigenvalues: NDArray[np.float64], projected: NDArray[np.float64], square: float, n: int, start: float
) -> float:
    """Maximise the evidence of one target: `projected` is (V^T F^T y)^2, and `square` is y^T y.

    The largest eigenvalue is 1; the search begins where alpha / beta is `start`.
    """
    if len(eigenvalues) == 0:
        return -0.5 * (math.log(2 * math.pi * square / n) + 1)
    fitted = projected / eigenvalues
    floor = RESIDUAL_FLOOR * n
    outside = max(square - float(fitted.sum()), 0.0)  # what no weights can explain
    directions = len(eigenvalues)
    ratio = start  # alpha / beta
    alpha = beta = 1.0
    for _ in range(MOST_STEPS):
        gamma = float((eigenvalues / (eigenvalues + ratio)).sum())
        weights = float((projected / (eigenvalues + ratio) ** 2).sum())
        residual = float((fitted * (ratio / (eigenvalues + ratio)) ** 2).sum()) + outside
        alpha = gamma / max(weights, 1e-300)
        left = n - directions + float((ratio / (eigenvalues + ratio)).sum())  # n - gamma, never rounded to 0
        beta = left / max(residual, floor)
        previous, ratio = ratio, max(alpha / max(beta, 1e-300), 1e-300)
        if abs(ratio - previous) <= WITHIN * previous or ratio > 1e15:
            break
    ratio = alpha / beta
    weights = float((projected / (eigenvalues + ratio) ** 2).sum())
    residual = float((fitted * (ratio / (eigenvalues + ratio)) ** 2).sum()) + outside
    log_evidence = (
        n * math.log(beta)
        - float(np.log1p(eigenvalues / ratio).sum())
        - beta * residual
        - alpha * weights
        - n * math.log(2 * math.pi)
    )
    return 0.5 * log_evidence / n
