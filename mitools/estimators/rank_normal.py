"""Ranks turned into standard normal values: margins of one shape at no cost in information."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri


def normal_scores(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Replace every value by the normal quantile of its rank within its column.

    Tied values share their average rank. A column's order and ties stay, so that the map can be undone
    on the sample and a mutual information is that of the values themselves.

    Parameters
    ----------
    rows
        Shape (n, d).

    Returns
    -------
    NDArray[np.float64]
        Shape (n, d): ``ndtri((rank - 1/2) / n)``, rank from 1 to n.

    Examples
    --------
    >>> normal_scores(np.array([[10.0], [30.0], [20.0]])).ravel().round(3) + 0.0
    array([-0.967,  0.967,  0.   ])
    """
    n = len(rows)
    order = np.argsort(rows, axis=0, kind="stable")
    ordered = np.take_along_axis(rows, order, axis=0)
    quantiles = ndtri((np.arange(n) + 0.5) / n)
    scores = np.empty_like(rows)
    for column in range(rows.shape[1]):
        starts = np.concatenate([[True], ordered[1:, column] != ordered[:-1, column]])
        if starts.all():
            scores[order[:, column], column] = quantiles
            continue
        first = np.flatnonzero(starts)
        last = np.append(first[1:], n) - 1
        shared = ndtri(((first + last) / 2 + 0.5) / n)
        scores[order[:, column], column] = shared[np.cumsum(starts) - 1]
    return scores
