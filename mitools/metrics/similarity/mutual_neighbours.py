"""Mutual nearest neighbours: whether two encoders find the same items close."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import spans

Floats = NDArray[np.floating[Any]]

NEIGHBOURS = 10
"""Neighbours that are compared, as in the paper."""


def mutual_neighbours(x: Floats, y: Floats, k: int = NEIGHBOURS) -> float:
    """Mean share of an item's k nearest items, by cosine, that both encoders have in common, from 0 to 1.

    Unrelated features share k / (n - 1) by chance.

    Parameters
    ----------
    x, y
        Shapes (n, d1) and (n, d2): features of the same items. Time grows with n^2, and memory with n.
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
    n, shared = len(x), 0
    units = [_unit(side) for side in (x, y)]
    for block in spans(n, n):
        first, second = (_neighbours(unit, block, k) for unit in units)
        shared += int((first & second).sum())
    return shared / n / k


def _unit(x: Floats) -> NDArray[np.float64]:
    rows = np.asarray(x, dtype=np.float64)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(length > 0, length, 1.0)


def _neighbours(unit: NDArray[np.float64], block: slice, k: int) -> NDArray[np.bool_]:
    """Mark the k nearest of every item of a block, shape (m, n)."""
    cosine = unit[block] @ unit.T
    own = np.arange(len(cosine))
    cosine[own, block.start + own] = -np.inf
    near = np.zeros(cosine.shape, dtype=bool)
    np.put_along_axis(near, np.argpartition(-cosine, k - 1, axis=1)[:, :k], True, axis=1)
    return near
