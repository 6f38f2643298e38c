"""The most informative linear projection of normal data is the first principal component (A.1).

A projection without noise determines itself, and its information about x is infinite. With isotropic noise
of variance s^2 on it, I(x; w x + noise) = log(1 + w S w / s^2) / 2, which is largest for the first
eigenvector of the covariance S. From n rows the direction of the largest *estimate* misses it by a known
angle, a normal error of variance ``l_2 (l_1 + s^2) / (n (l_1 - l_2)^2)``: that of a principal component
(Anderson 1963) and of the noise's chance covariance with x together.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from mitools.estimators.classical.gaussian import GaussianEstimator

FIRST, SECOND = 4.0, 1.0
"""Variances along the principal components."""

NOISE = 0.2
"""The noise's standard deviation, a tenth of the first component's."""

TURNED = 0.7
"""The angle of the first component."""

Floats = NDArray[np.float64]


def drawn(n: int, seed: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    scales = np.sqrt([FIRST, SECOND])
    turn = np.array([[np.cos(TURNED), -np.sin(TURNED)], [np.sin(TURNED), np.cos(TURNED)]])
    return rng.standard_normal((n, 2)) * scales @ turn.T, NOISE * rng.standard_normal(n)


def information(x: Floats, noise: Floats) -> Callable[[float], float]:
    """Estimate I(x; w x + noise) for a unit w at an angle."""

    def estimated(angle: float) -> float:
        y = x @ np.array([np.cos(angle), np.sin(angle)]) + noise
        return GaussianEstimator().estimate(x, y).nats

    return estimated


def most_informative(estimated: Callable[[float], float]) -> float:
    """Search half a circle: four directions, then between the neighbours of the best."""
    start = max(np.arange(4) * np.pi / 4, key=estimated)
    around = (start - np.pi / 4, start + np.pi / 4)
    found = minimize_scalar(lambda a: -estimated(a), bounds=around, method="bounded", options={"xatol": 1e-3})
    return float(found.x)


def between(one: float, other: float) -> float:
    """The angle between two lines."""
    return float((one - other + np.pi / 2) % np.pi - np.pi / 2)


@pytest.mark.parametrize(("n", "samples"), [(150, 8), pytest.param(1500, 8, marks=pytest.mark.slow)])
def test_the_most_informative_projection_is_the_first_principal_component(n: int, samples: int) -> None:
    from_truth, from_sample = [], []
    for seed in range(samples):
        x, noise = drawn(n, seed)
        angle = most_informative(information(x, noise))
        _, vectors = np.linalg.eigh(np.cov(x.T))
        from_truth.append(between(angle, TURNED))
        from_sample.append(between(angle, np.arctan2(vectors[1, -1], vectors[0, -1])))
    gap = n * (FIRST - SECOND) ** 2
    # Sums of 8 squared normal errors: chi-square with 8 degrees of freedom, in (0.97, 24.4) but in 0.4%.
    assert 0.97 < np.sum(np.square(from_truth)) / (SECOND * (FIRST + NOISE**2) / gap) < 24.4
    assert 0.97 < np.sum(np.square(from_sample)) / (SECOND * NOISE**2 / gap) < 24.4


def test_its_information_is_that_of_the_first_variance() -> None:
    x, noise = drawn(1500, 0)
    estimated = information(x, noise)
    y = x @ np.array([np.cos(TURNED), np.sin(TURNED)]) + noise
    low, high, _ = GaussianEstimator().estimate(x, y).interval_nats
    assert low < np.log1p(FIRST / NOISE**2) / 2 < high
    # Across it the second variance is left, and between them what the angle mixes.
    assert estimated(TURNED + np.pi / 2) == pytest.approx(np.log1p(SECOND / NOISE**2) / 2, abs=0.08)
    mixed = FIRST * np.cos(0.5) ** 2 + SECOND * np.sin(0.5) ** 2
    assert estimated(TURNED + 0.5) == pytest.approx(np.log1p(mixed / NOISE**2) / 2, abs=0.08)
