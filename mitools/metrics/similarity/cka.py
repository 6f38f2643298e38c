"""Centred kernel alignment: whether two encoders find the same pairs of items alike."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

Floats = NDArray[np.floating[Any]]

FEWEST_ITEMS = 4
"""Items that the unbiased estimator needs."""


def linear_cka(x: Floats, y: Floats) -> float:
    """CKA with the linear kernel, from unbiased estimates of HSIC; about 0 for unrelated features, 1 at most.

    ``HSIC_1(K, L) / sqrt(HSIC_1(K, K) HSIC_1(L, L))``. The biased CKA of Kornblith et al. tends to 1 as the
    columns outnumber the items, whatever the features; this one does not, and may fall a little below 0.
    Memory and time are linear in n: no kernel matrix is formed.

    Parameters
    ----------
    x, y
        Shapes (n, d1) and (n, d2): features of the same items.

    Returns
    -------
    float
        0 where either has no variance.

    Raises
    ------
    InputError
        When there are fewer than four items, or the numbers of items differ.

    References
    ----------
    Kornblith, Norouzi, Lee and Hinton, "Similarity of Neural Network Representations Revisited", ICML 2019,
    Eq. 3; Song et al., "Feature Selection via Dependence Maximization", JMLR 2012, Eq. 5; Nguyen, Raghu and
    Kornblith, "Do Wide and Deep Networks Learn the Same Things?", ICLR 2021, Eq. 3.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> turned = x @ np.array([[0.0, 1, 0], [1, 0, 0], [0, 0, -1]])
    >>> round(linear_cka(x, 5 * turned + 1), 6)
    1.0
    """
    x, y = _checked(x, y)
    return _ratio(_linear_hsic(x, y), _linear_hsic(x, x), _linear_hsic(y, y))


def rbf_cka(x: Floats, y: Floats, width: float = 1.0) -> float:
    """CKA with Gaussian kernels, unbiased as :func:`linear_cka`.

    Parameters
    ----------
    x, y
        Shapes (n, d1) and (n, d2). Memory grows with n^2.
    width
        Of the kernels, as a share of the median distance of two items.

    Raises
    ------
    InputError
        As :func:`linear_cka`.

    References
    ----------
    Kornblith et al. 2019, section 3; Song et al. 2012, Eq. 5.

    Examples
    --------
    >>> x = np.random.default_rng(0).standard_normal((50, 3))
    >>> round(rbf_cka(x, 2 * x[:, ::-1]), 6)
    1.0
    """
    x, y = _checked(x, y)
    k, l_ = _gaussian(x, width), _gaussian(y, width)
    return _ratio(_hsic(k, l_), _hsic(k, k), _hsic(l_, l_))


def _checked(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    if len(x) != len(y):
        raise InputError(f"x has {len(x)} items and y has {len(y)}; give features of the same items")
    if len(x) < FEWEST_ITEMS:
        raise InputError(f"{len(x)} items are too few to compare; give {FEWEST_ITEMS} or more")
    x, y = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    return x - x.mean(axis=0), y - y.mean(axis=0)


def _linear_hsic(x: Floats, y: Floats) -> float:
    """HSIC_1 of linear kernels of centred rows, from sums over columns; up to the factor n (n - 3)."""
    n = len(x)
    own_x, own_y = np.einsum("ij,ij->i", x, x), np.einsum("ij,ij->i", y, y)
    # Kernels without their diagonal; the rows of the centred kernels sum to 0, so those of these to -own.
    trace = float(((x.T @ y) ** 2).sum() - own_x @ own_y)
    sums = float(own_x.sum() * own_y.sum()) / ((n - 1) * (n - 2))
    return trace + sums - 2 / (n - 2) * float(own_x @ own_y)


def _hsic(k: Floats, l_: Floats) -> float:
    """HSIC_1 of two kernels with zero diagonals, up to the factor n (n - 3)."""
    n = len(k)
    rows_k, rows_l = k.sum(axis=1), l_.sum(axis=1)
    sums = float(rows_k.sum() * rows_l.sum()) / ((n - 1) * (n - 2))
    return float((k * l_).sum()) + sums - 2 / (n - 2) * float(rows_k @ rows_l)


def _gaussian(x: Floats, width: float) -> Floats:
    squares = np.einsum("ij,ij->i", x, x)
    distance = np.maximum(squares[:, None] + squares - 2 * x @ x.T, 0.0)
    median = float(np.median(distance[np.triu_indices(len(x), 1)]))
    if median == 0:
        median = float(distance.max()) or 1.0
    kernel = np.exp(-distance / (2 * width**2 * median))
    np.fill_diagonal(kernel, 0.0)
    return kernel


def _ratio(between: float, of_x: float, of_y: float) -> float:
    """Normalise; 0 where a kernel has no variance beyond rounding."""
    return between / math.sqrt(of_x * of_y) if of_x > 0 and of_y > 0 else 0.0
