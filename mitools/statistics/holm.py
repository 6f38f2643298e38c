"""Holm's adjustment of p-values for the number of questions asked."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.floating[Any]]:
    """Adjust p-values so that the chance of any false finding among them stays below the level.

    Parameters
    ----------
    p_values
        Shape (m,); NaN marks a question that could not be asked, and is neither counted nor adjusted.

    Returns
    -------
    array
        Shape (m,), at most 1.

    References
    ----------
    Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 1979.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    adjusted = np.full(p.shape, np.nan)
    asked = np.flatnonzero(np.isfinite(p))
    order = asked[np.argsort(p[asked], kind="stable")]
    steps = p[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
