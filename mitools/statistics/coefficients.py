"""Pearson's, Kendall's and Spearman's coefficients, each for many weightings of the same rows at once."""

import itertools
import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]

COEFFICIENT_NAMES = ("pearson", "kendall", "spearman")
"""The coefficients, in the order of every array here."""

MOST_ENUMERATED_ROWS = 8
"""Up to this many rows Spearman's p-value is computed over all orders of them."""


def coefficients(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Correlate `x` with `y` under every row of whole-number weights.

    A weight says how often a row counts. Ones give the coefficients of the data, bootstrap counts those of
    resamples, and ones with a single zero those without one row; nothing is ever resampled in a loop.

    Parameters
    ----------
    x, y
        Shape (n,), finite.
    weights
        Shape (b, n), non-negative whole numbers.

    Returns
    -------
    array
        Shape (3, b): Pearson's r, Kendall's tau-b and Spearman's rho; NaN where a weighting leaves fewer
        than two different values of `x` or of `y`.
    """
    rank_x, distinct_x = _midranks(x, weights)
    rank_y, distinct_y = _midranks(y, weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.stack(
            [
                _pearson(_scaled(x)[None], _scaled(y)[None], weights),
                _kendall_b(x, y, weights),
                _pearson(rank_x, rank_y, weights),
            ]
        )
    values[:, (distinct_x < 2) | (distinct_y < 2)] = np.nan
    return np.clip(values, -1.0, 1.0)


def p_values(x: Floats, y: Floats) -> Floats:
    """Two-sided p-values of the three coefficients, against "no association".

    Pearson's from Student's t (exact for normal data); Kendall's as SciPy computes it (exact without ties
    for small n, else normal); Spearman's counted over all orders up to eight rows, where the t
    approximation would call a perfect order impossible, and from Student's t beyond.

    Parameters
    ----------
    x, y
        Shape (n,), finite, n >= 3, neither constant.

    Returns
    -------
    array
        Shape (3,).
    """
    from scipy.stats import kendalltau, rankdata
    from scipy.stats import t as student

    n = len(x)
    r, _, rho = coefficients(x, y, np.ones((1, n)))[:, 0]

    def from_t(value: float) -> float:
        if abs(value) >= 1:
            return 0.0
        return float(2 * student.sf(abs(value) * math.sqrt((n - 2) / (1 - value**2)), n - 2))

    if n > MOST_ENUMERATED_ROWS:
        spearman = from_t(rho)
    else:
        orders = np.array(list(itertools.permutations(range(n))))
        rank_x, rank_y = rankdata(x) - (n + 1) / 2, rankdata(y) - (n + 1) / 2
        products = np.abs(rank_y[orders] @ rank_x)
        spearman = float(np.mean(products >= abs(rank_y @ rank_x) - 1e-9))
    return np.array([from_t(r), float(kendalltau(x, y).pvalue), spearman])


def _scaled(x: Floats) -> Floats:
    """Shift and scale into [-1, 1], so that no square under- or overflows."""
    middle = x.min() / 2 + x.max() / 2
    largest = np.abs(x - middle).max()
    return (x - middle) / largest if largest > 0 else x - middle


def _pearson(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Weighted Pearson; x and y of shape (b, n) or (1, n)."""
    total = weights.sum(axis=1, keepdims=True)
    dx = x - (weights * x).sum(axis=1, keepdims=True) / total
    dy = y - (weights * y).sum(axis=1, keepdims=True) / total
    scale = np.sqrt((weights * dx * dx).sum(axis=1) * (weights * dy * dy).sum(axis=1))
    return (weights * dx * dy).sum(axis=1) / scale


def _kendall_b(x: Floats, y: Floats, weights: Floats) -> Floats:
    """Weighted tau-b: two copies of a row are a tie, exactly as in a resample."""
    sign_x, sign_y = np.sign(x[:, None] - x), np.sign(y[:, None] - y)

    def pairs(matrix: Floats) -> Floats:
        return (weights @ matrix * weights).sum(axis=1)

    return pairs(sign_x * sign_y) / np.sqrt(pairs(np.abs(sign_x)) * pairs(np.abs(sign_y)))


def _midranks(x: Floats, weights: Floats) -> tuple[Floats, NDArray[np.int64]]:
    """Ranks (ties share their mean) within each weighting, shape (b, n), and how many values differ."""
    _, group = np.unique(x, return_inverse=True)
    order = np.argsort(group, kind="stable")
    starts = np.flatnonzero(np.diff(group[order], prepend=-1))
    sizes = np.add.reduceat(weights[:, order], starts, axis=1)
    ranks = np.cumsum(sizes, axis=1) - sizes / 2 + 0.5
    return ranks[:, group], (sizes > 0).sum(axis=1)
