"""Truths by numerical integration that several tests compare with."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import xlogy
from scipy.stats import norm

GRID = 1500


@dataclass(frozen=True)
class Mixture:
    """Normal classes of unit variance on a line, at equal distances."""

    separation: float
    prior: tuple[float, ...] = (0.25, 0.25, 0.25, 0.25)

    def draw(
        self, n: int, rng: np.random.Generator, frequencies: tuple[float, ...] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Draw n features, shape (n, 1), and labels, with the prior's or other class frequencies."""
        labels = rng.choice(len(self.prior), n, p=frequencies or self.prior)
        return (self.separation * labels + rng.standard_normal(n))[:, None], labels

    def posterior(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """The true p(c|x), shape (n, C)."""
        joint = norm.pdf(x.reshape(-1, 1), self._means()) * self.prior
        return joint / joint.sum(axis=1, keepdims=True)

    def same_class_nats(self) -> float:
        """I(X;Y) for X <- C -> Y: 2 H(X) - H(X, Y), by quadrature on a grid."""
        return _informations(self)[0]

    def label_nats(self) -> float:
        """I(X;C) = H(X) - H(X|C), by quadrature on a grid."""
        return _informations(self)[1]

    def _means(self) -> NDArray[np.float64]:
        return self.separation * np.arange(len(self.prior))


@lru_cache
def _informations(mixture: Mixture) -> tuple[float, float]:
    means, prior = mixture._means(), np.array(mixture.prior)
    grid, step = np.linspace(means[0] - 9, means[-1] + 9, GRID, retstep=True)
    given_class = norm.pdf(grid[:, None], means)
    marginal = given_class @ prior
    joint = (given_class * prior) @ given_class.T
    h_x, h_xy = -xlogy(marginal, marginal).sum() * step, -xlogy(joint, joint).sum() * step**2
    return float(2 * h_x - h_xy), float(h_x - 0.5 * np.log(2 * np.pi * np.e))


@pytest.fixture(scope="session")
def mixture() -> type[Mixture]:
    """The class of one-dimensional Gaussian mixtures."""
    return Mixture


@pytest.fixture(scope="session")
def mixture_of() -> Callable[[float], Mixture]:
    """Give four equal classes whose same-class information is so many bits."""

    @lru_cache
    def make(bits: float) -> Mixture:
        def excess(separation: float) -> float:
            return Mixture(separation).same_class_nats() - bits * np.log(2)

        return Mixture(float(brentq(excess, 0.1, 12, xtol=1e-6)))

    return make
