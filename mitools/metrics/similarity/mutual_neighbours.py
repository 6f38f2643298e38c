"""Mutual nearest neighbours: whether two encoders find the same items close."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

Floats = NDArray[np.floating[Any]]

NEIGHBOURS = 10
"""Neighbours that are compared, as in the paper."""


def mutual_neighbours(x: Floats, y: Floats, k: int = NEIGHBOURS) -> float:
    """Mean share of an item's k nearest items, by cosine, that both encoders have in common, from 0 to 1.

    Unrelated features share k / (n - 1) by chance.

    Parameters
    ----------
    x, y
        Shapes (n, d1) and (n, d2): features of the same items. Memory grows with n^2.
    k
        Neighbours, fewer than n.

    Raises
    ------
    InputError
        When there are no more than k items.

    References
    ----------
    Huh, Cheung, Wang and Isola, "The Platonic Representation Hypothesis", ICML 2024, appendix A.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> mutual_neighbours(x, 2 * x)
    1.0
    """
    if len(x) <= k:
        raise InputError(f"{len(x)} items have no {k} neighbours each; give more, or a smaller k")
    return float((_neighbours(x, k) & _neighbours(y, k)).sum(axis=1).mean() / k)


def _neighbours(x: Floats, k: int) -> NDArray[np.bool_]:
    """Mark the k nearest of every item, shape (n, n)."""
    rows = np.asarray(x, dtype=np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = rows / np.where(length > 0, length, 1.0)
    cosine = unit @ unit.T
    np.fill_diagonal(cosine, -np.inf)
    near = np.zeros(cosine.shape, dtype=bool)
    np.put_along_axis(near, np.argpartition(-cosine, k - 1, axis=1)[:, :k], True, axis=1)
    return near
