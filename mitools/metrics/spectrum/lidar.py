"""LiDAR: the effective rank of what distinguishes items beyond what distinguishes views of one item."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.metrics.spectrum.singular_values import entropy_rank

REGULARISER = 1e-4
"""Added to the diagonal of the covariance within items, delta of the paper."""


def lidar(views: NDArray[np.floating[Any]]) -> float:
    """Effective rank of the linear discriminant matrix of items, whose samples are views; higher is better.

    With W the covariance within items plus delta I, and B that of the items' means,
    ``exp(entropy of the eigenvalues of W^-1/2 B W^-1/2, as shares)``: from 1 to min(n - 1, d). A direction
    counts only if it tells items apart in spite of the augmentations.

    Parameters
    ----------
    views
        Shape (n, V, d): features of V views, two or more, of n items. The paper takes n = 1,000 and V = 50;
        more items than columns are needed for W to be known.

    Raises
    ------
    InputError
        When the shape is another.

    References
    ----------
    Thilak et al., "LiDAR: Sensing Linear Probing Performance in Joint Embedding SSL Architectures", ICLR
    2024, Eq. 1 to 4.

    Examples
    --------
    >>> items = np.kron([[1.0], [-1.0]], np.eye(3))  # six items in three directions
    >>> moved = 0.1 * np.ones(3)  # by the augmentation, along one direction
    >>> round(lidar(np.stack([items + moved, items - moved], axis=1)))
    2
    """
    if views.ndim != 3 or views.shape[1] < 2:
        raise InputError(
            f"views have shape {views.shape}, but (items, views, columns) is needed, two or more views"
        )
    return entropy_rank(np.clip(np.linalg.eigvalsh(discriminant_matrix(views)), 0, None))


def discriminant_matrix(views: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give ``W^-1/2 B W^-1/2``, shape (d, d), of features of views, shape (n, V, d)."""
    n, n_views, d = views.shape
    mean = views.mean(axis=1, dtype=np.float64)
    between = np.cov(mean, rowvar=False, bias=True).reshape(d, d)
    within = np.zeros((d, d))
    for view in range(n_views):
        deviation = views[:, view] - mean
        within += deviation.T @ deviation
    within = within / (n * n_views) + REGULARISER * np.eye(d)
    values, vectors = np.linalg.eigh(within)
    root = vectors / np.sqrt(values) @ vectors.T
    found: NDArray[np.float64] = root @ between @ root
    return found
