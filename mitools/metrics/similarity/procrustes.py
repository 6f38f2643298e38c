"""Procrustes similarity: how well one encoder's features can be turned onto another's."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def procrustes(x: Floats, y: Floats) -> float:
    """Nuclear norm of ``X^T Y`` of centred features of Frobenius norm 1, from 0 to 1.

    Half the squared distance after the best rotation is 1 less this number.

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
    Ding, Denain and Steinhardt, "Grounding Representation Similarity Through Statistical Testing", NeurIPS
    2021, section 2; Schönemann, Psychometrika 1966.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 2))
    >>> round(procrustes(x, 3 * x @ np.array([[0.0, 1], [-1, 0]]) + 2), 6)
    1.0
    """
    x, y = _unit(x), _unit(y)
    return float(np.linalg.svd(x.T @ y, compute_uv=False).sum())


def _unit(x: Floats) -> NDArray[np.float64]:
    rows = np.asarray(x, dtype=np.float64)
    rows = rows - rows.mean(axis=0)
    length = float(np.linalg.norm(rows))
    return rows / length if length > 0 else rows
