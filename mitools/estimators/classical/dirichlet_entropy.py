"""The entropy of symbols few of which recur: a posterior over Dirichlet priors of every concentration."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma, gammaln, zeta

from mitools.estimators.array_types import Doubles

CONCENTRATIONS = 80
"""Concentrations at which the integrand is evaluated, before their range is narrowed; three times in all."""

NEGLIGIBLE = 25.0
"""Nats below its maximum at which the integrand's logarithm no longer counts."""

LEAST_LOG_CONCENTRATION = -7.0
GREATEST_LOG_CONCENTRATION = 16.0
"""Of the concentrations, the greatest relative to the rows: beyond, the posterior is the prior's centre."""


class Cells(NamedTuple):
    """Symbols, or pairs of them, in groups that are alike.

    Attributes
    ----------
    counts
        Shape (G,): how often each symbol of a group was seen; 0 of those that were not.
    shares
        Shape (G,): the probability of each symbol under the centre of the prior.
    symbols
        Shape (G,): how many symbols the group has; ``symbols @ shares`` is 1.
    """

    counts: Doubles
    shares: Doubles
    symbols: Doubles


class EntropyPosterior(NamedTuple):
    """What a sample says of an entropy.

    Attributes
    ----------
    nats, deviation
        Posterior mean and standard deviation, in nats.
    concentration
        Posterior geometric mean of the prior's weight in rows: large where the data are as the centre says.
    """

    nats: float
    deviation: float
    concentration: float


def entropy_posterior(cells: Cells) -> EntropyPosterior:
    """Give the posterior of an entropy under a mixture of Dirichlet priors about one centre.

    The prior of the probabilities is ``Dirichlet(A q)`` with the shares q for its centre; A is integrated
    over with a weight that makes the prior expectation of the entropy uniform, ``dE[H|A] / dA``. With uniform
    shares this is the estimator of Nemenman, Shafee & Bialek (2002, Eq. 5-10, with beta = A / K); with
    others the centred mixture of Archer, Park & Pillow (2013, Eq. 6-9). Mean and variance at a given A are
    those of Wolpert & Wolf (1995).

    Parameters
    ----------
    cells
        All symbols that can occur, seen or not.

    Examples
    --------
    >>> seen_ten_times_each = Cells(np.array([10.0]), np.array([0.01]), np.array([100.0]))
    >>> bool(abs(entropy_posterior(seen_ten_times_each).nats - np.log(100)) < 0.02)
    True
    """
    counts, shares, symbols = cells
    if symbols.sum() <= 1:
        return EntropyPosterior(0.0, 0.0, np.inf)
    n, seen = float(counts @ symbols), counts > 0
    low, high = LEAST_LOG_CONCENTRATION, float(np.log(n)) + GREATEST_LOG_CONCENTRATION
    for _ in range(4):
        log_a = np.linspace(low, high, CONCENTRATIONS)
        a = np.exp(log_a)[:, None]
        alpha = a * shares
        evidence = _log_rising(alpha[:, seen], counts[seen]) @ symbols[seen] - _log_rising(a, n)[:, 0]
        # dE[H|A]/dA, and once more A, since the grid is one of log A.
        uniform_in_entropy = trigamma(a[:, 0] + 1) - trigamma(alpha + 1) @ (symbols * shares**2)
        log_weight = evidence + np.log(np.maximum(uniform_in_entropy, np.finfo(float).tiny)) + log_a
        kept = np.flatnonzero(log_weight > log_weight.max() - NEGLIGIBLE)
        low, high = log_a[max(kept[0] - 1, 0)], log_a[min(kept[-1] + 1, CONCENTRATIONS - 1)]
    weight = np.exp(log_weight - log_weight.max())
    weight /= weight.sum()
    mean, variance = _dirichlet_entropy(counts + alpha, symbols)
    nats = float(weight @ mean)
    deviation = float(np.sqrt(weight @ (variance + np.square(mean - nats))))
    return EntropyPosterior(nats, deviation, float(np.exp(weight @ log_a)))


def uniform_cells(counts: ArrayLike, symbols: float) -> Cells:
    """Group counts for the estimator of Nemenman, Shafee and Bialek.

    Parameters
    ----------
    counts
        Shape (K_seen,): of every symbol seen.
    symbols
        How many there may be; at least those seen.
    """
    different, repeats = np.unique(np.asarray(counts), return_counts=True)
    found, times = different.astype(np.float64), repeats.astype(np.float64)
    unseen = symbols - times.sum()
    if unseen > 0:
        found, times = np.append(found, 0.0), np.append(times, unseen)
    return Cells(found, np.full(len(found), 1 / float(times.sum())), times)


def richness(counts: ArrayLike) -> float:
    """Estimate how many symbols there are, seen and unseen (Chao 1984, in its unbiased form).

    Parameters
    ----------
    counts
        Shape (K_seen,): of every symbol seen.
    """
    found = np.asarray(counts)
    once, twice = np.count_nonzero(found == 1), np.count_nonzero(found == 2)
    return len(found) + once * (once - 1) / (2 * (twice + 1))


def richness_deviation(counts: ArrayLike) -> float:
    """Give the standard error of :func:`richness` (Chao 1987, Eq. 11).

    Parameters
    ----------
    counts
        Shape (K_seen,): of every symbol seen.
    """
    found = np.asarray(counts)
    once, twice = np.count_nonzero(found == 1), max(int(np.count_nonzero(found == 2)), 1)
    ratio = once / twice
    return float(np.sqrt(twice * (ratio**4 / 4 + ratio**3 + ratio**2 / 2)))


def _dirichlet_entropy(alpha: Doubles, symbols: Doubles) -> tuple[Doubles, Doubles]:
    """Mean and variance of the entropy under Dirichlet distributions, shape (A, G) to (A,) each."""
    total = alpha @ symbols
    mean = digamma(total + 1) - (alpha * digamma(alpha + 1)) @ symbols / total
    # H - c is the mean of -log p - c whatever c is: about the mean nothing cancels.
    shift = (mean - digamma(total + 2))[:, None]
    first = digamma(alpha + 1) + shift
    second = np.square(digamma(alpha + 2) + shift) + trigamma(alpha + 2) - trigamma(total + 2)[:, None]
    pairs = ((alpha * first) @ symbols) ** 2 - (alpha * first) ** 2 @ symbols
    pairs -= trigamma(total + 2) * (total**2 - alpha**2 @ symbols)
    square = (pairs + (alpha * (alpha + 1) * second) @ symbols) / (total * (total + 1))
    centred = digamma(total + 1) - mean - (alpha * digamma(alpha + 1)) @ symbols / total
    return mean, np.maximum(square - centred**2, 0.0)


def trigamma(values: Doubles) -> Doubles:
    """Second derivative of log gamma."""
    return np.asarray(zeta(2.0, values), dtype=np.float64)


def _log_rising(z: Doubles, n: Doubles | float) -> Doubles:
    """Give log gamma(z + n) - log gamma(z), by Stirling's series where the two would cancel."""
    large = z > 1e5
    small = np.where(large, 1.0, z)
    series = n * np.log(z) + (z + n - 0.5) * np.log1p(n / z) - n
    return np.where(large, series, gammaln(small + n) - gammaln(small))
