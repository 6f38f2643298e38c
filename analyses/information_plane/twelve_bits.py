"""The task of Shwartz-Ziv & Tishby (2017): twelve bits, 4,096 patterns, a rule that rotations leave alone."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import entr, eval_legendre, expit

Floats = NDArray[np.float64]

PATTERN_BITS = 12
SPECTRUM_DEGREES = 6
"""Degrees of the power spectrum that the rule sums, from 0 on."""

PUBLISHED_BITS = 0.99
"""I(X;Y) that the published rule has."""


class TwelveBits(NamedTuple):
    """All patterns with their labels: the population, not a sample of it.

    Attributes
    ----------
    patterns
        Shape (4096, 12), 0 or 1.
    positive
        Shape (4096,): p(Y = 1 | x).
    labels
        Shape (4096,), 0 or 1, drawn once.
    """

    patterns: Floats
    positive: Floats
    labels: NDArray[np.int64]


def twelve_bits(seed: int = 0) -> TwelveBits:
    """Construct the task from its description; the published file of labels is not needed.

    The bits say which of twelve points spread over a sphere are there. Shwartz-Ziv & Tishby (Sec. 3.1) take
    a real function f of the pattern that no rotation changes, made of its power spectrum in spherical
    harmonics, and ``p(y = 1 | x) = sigmoid(gamma (f(x) - theta))`` with theta such that p(y = 1) is about
    0.5 and gamma such that I(X;Y) is 0.99 bits. The points and the weights of the spectrum are not
    published; here the points lie on a Fibonacci spiral and f is the sum of the power of degrees 0 to 5.
    So the rule is of the published kind, and not the published table.

    Parameters
    ----------
    seed
        Of the labels, which are drawn from p(y | x).
    """
    patterns = (np.arange(2**PATTERN_BITS)[:, None] >> np.arange(PATTERN_BITS) & 1).astype(np.float64)
    f = power_spectrum(patterns, sphere_points(PATTERN_BITS)).sum(axis=1)
    f = (f - np.median(f)) / f.std()
    steepness = brentq(lambda gamma: shared_bits(expit(gamma * f)) - PUBLISHED_BITS, 1.0, 1e6)
    positive = expit(steepness * f)
    labels = np.random.default_rng([seed, 12]).random(len(positive)) < positive
    return TwelveBits(patterns, positive, labels.astype(np.int64))


def sphere_points(count: int) -> Floats:
    """Spread points evenly over the unit sphere, on a Fibonacci spiral: shape (count, 3)."""
    step = np.arange(count) + 0.5
    height, angle = 1 - 2 * step / count, np.pi * (1 + 5**0.5) * step
    radius = np.sqrt(1 - height**2)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), height], axis=1)


def power_spectrum(patterns: Floats, points: Floats) -> Floats:
    """Give the power of patterns of points in spherical harmonics, by degree: shape (n, 6).

    By the addition theorem ``sum_m |sum_i x_i Y_lm(p_i)|^2`` is
    ``(2l + 1) / 4 pi sum_ij x_i x_j P_l(p_i . p_j)``: rotating all points changes nothing.

    Parameters
    ----------
    patterns
        Shape (n, k): the weight of every point.
    points
        Shape (k, 3), of length 1.
    """
    cosines = np.clip(points @ points.T, -1, 1)
    powers = [
        (2 * degree + 1) / (4 * np.pi) * ((patterns @ eval_legendre(degree, cosines)) * patterns).sum(axis=1)
        for degree in range(SPECTRUM_DEGREES)
    ]
    return np.stack(powers, axis=1)


def shared_bits(positive: Floats) -> float:
    """I(X;Y) in bits for X uniform over the patterns, from p(y = 1 | x), shape (n,)."""

    def binary(p: Floats) -> Floats:
        return (entr(p) + entr(1 - p)) / np.log(2)

    return float(binary(positive.mean()) - binary(positive).mean())
