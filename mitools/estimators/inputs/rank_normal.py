"""Ranks turned into standard normal values: margins of one shape at no cost in information."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

TIED_SHARE = 0.01
"""Share of the rows whose values recur from which a column has no density to speak of."""


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


def values_recur(rows: NDArray[np.floating]) -> bool:
    """Whether in a column of rows, shape (n, d), more than one value in a hundred is one that came before."""
    return any(len(np.unique(column)) < (1 - TIED_SHARE) * len(column) for column in rows.T)


class RankNormal:
    """The map of :func:`normal_scores` from some rows, for any others.

    A value gets the normal quantile of its rank among the rows that were fitted: a value they hold gets
    what :func:`normal_scores` gives it, and one between two of theirs the rank halfway. Below and above
    all of them it gets the rank 1/4 from the end. So the map is monotone and bounded, and a strictly
    monotone map of a column changes nothing, on fitted rows and on others. A column that is constant in
    the fitted rows becomes 0 everywhere.

    Parameters
    ----------
    rows
        Shape (n, d), what ranks are taken among.

    Examples
    --------
    >>> scale = RankNormal(np.array([[10.0], [30.0], [20.0]]))
    >>> scale(np.array([[10.0], [15.0], [1e9]])).ravel().round(3)
    array([-0.967, -0.431,  1.383], dtype=float32)
    """

    def __init__(self, rows: NDArray[np.floating]) -> None:
        self.columns = [_Column(column) for column in rows.T]

    def __call__(self, rows: NDArray[np.floating]) -> NDArray[np.float32]:
        """Scale rows, shape (m, d)."""
        scaled = np.empty(rows.shape, dtype=np.float32)
        for k, column in enumerate(self.columns):
            scaled[:, k] = column(rows[:, k])
        return scaled


class _Column:
    """The distinct values of one column, and a score for each and for each of the gaps around them."""

    def __init__(self, column: NDArray[np.floating]) -> None:
        n = len(column)
        self.values, counts = np.unique(column, return_counts=True)
        below = np.cumsum(counts) - counts
        rank = np.empty(2 * len(counts) + 1)
        rank[:-1:2], rank[1::2], rank[-1] = below, below + counts / 2, n
        scores = ndtri(np.clip(rank, 0.25, n - 0.25) / n)
        self.scores = scores.astype(np.float32) if len(counts) > 1 else np.zeros(3, dtype=np.float32)

    def __call__(self, column: NDArray[np.floating]) -> NDArray[np.float32]:
        below = np.searchsorted(self.values, column)
        held = self.values[np.minimum(below, len(self.values) - 1)] == column
        return self.scores[2 * below + held]
