"""SVCCA: canonical correlations of the leading singular directions."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

VARIANCE_KEPT = 0.99
"""Share of the variance that the singular directions keep, as in the paper."""


def svcca(x: Floats, y: Floats) -> float:
    """Mean canonical correlation of the directions that hold 99% of the variance of each, from 0 to 1.

    The mean is over as many correlations as the smaller set has directions. With few items a direction it is
    high by chance: compare it among encoders on the same items.

    Parameters
    ----------
    x, y
        Shapes (n, d1) and (n, d2): features of the same items.

    Returns
    -------
    float
        0 where either has no variance.

    References
    ----------
    Raghu, Gilmer, Yosinski and Sohl-Dickstein, "SVCCA", NeurIPS 2017, section 2.1.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(svcca(x, x @ np.array([[2.0, 1, 0], [0, 1, 0], [0, 0, 3]])), 6)
    1.0
    """
    left, right = leading_directions(x), leading_directions(y)
    few = min(left.shape[1], right.shape[1])
    if few == 0:
        return 0.0
    return float(np.linalg.svd(left.T @ right, compute_uv=False)[:few].mean())


def leading_directions(x: Floats) -> NDArray[np.float64]:
    """Give an orthonormal basis, shape (n, k), of what the leading singular directions make of the items."""
    rows = np.asarray(x, dtype=np.float64)
    basis, singular, _ = np.linalg.svd(rows - rows.mean(axis=0), full_matrices=False)
    squares = np.where(singular > 1e-9 * np.abs(rows).max(initial=0.0), singular, 0.0) ** 2
    if not squares.any():
        return basis[:, :0]
    kept = int(np.searchsorted(np.cumsum(squares) / squares.sum(), VARIANCE_KEPT)) + 1
    return basis[:, :kept]
