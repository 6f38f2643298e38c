"""Song and Ermon's self-consistency (2020, Sec. 4.2): what any measure of information must obey."""

from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.estimate import Estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.neural.variational import VariationalEstimator

Floats = NDArray[np.float64]
NEURAL: dict[str, Any] = {
    "hidden": (32,),
    "batch_size": 128,
    "max_steps": 120,
    "learning_rate": 1e-2,
    "folds": 1,
}

ESTIMATORS: dict[str, MIEstimator] = {
    "gaussian": GaussianEstimator(),
    "gaussian_copula": GaussianCopulaEstimator(),
    "ksg": KSG(),
    "infonce": VariationalEstimator("infonce", **NEURAL),
    "dv": VariationalEstimator("dv", **NEURAL),
}

every_estimator = pytest.mark.parametrize("name", list(ESTIMATORS))


class Sample(NamedTuple):
    x: Floats
    y: Floats


def correlated(n: int, d: int, seed: int) -> Sample:
    """Each coordinate of y with correlation 0.8 to that of x: 0.51 nats each."""
    x, noise = np.random.default_rng(seed).standard_normal((2, n, d))
    return Sample(x, 0.8 * x + 0.6 * noise)


def within(estimate: Estimate, nats: float) -> bool:
    assert estimate.interval_nats is not None
    return estimate.interval_nats.low <= nats <= estimate.interval_nats.high


@every_estimator
def test_independence_reads_zero_within_its_interval(name: str) -> None:
    x, y = np.random.default_rng(5).standard_normal((2, 1200, 2))
    estimate = ESTIMATORS[name].estimate(x, y)
    assert within(estimate, 0.0)
    assert abs(estimate.nats) < 0.05
    assert estimate.has_warning("indistinguishable_from_zero")


def test_a_classifier_of_noise_certifies_zero() -> None:
    rng = np.random.default_rng(5)
    estimate = ClassPosterior().estimate(rng.standard_normal((1000, 3)), rng.integers(0, 3, 1000))
    assert within(estimate, 0.0)
    assert estimate.has_warning("indistinguishable_from_zero")


@pytest.mark.parametrize("name", ["gaussian", "ksg", "dv"])
def test_processing_adds_no_information(name: str) -> None:
    # h(Y) leaves out a coordinate, and folds the other: the truth falls from 1.02 to far below 0.51 nats.
    x, y = correlated(1200, 2, seed=5)
    whole = ESTIMATORS[name].estimate(x, y)
    processed = ESTIMATORS[name].estimate(x, np.abs(y[:, :1]))
    assert processed.interval_nats is not None
    assert processed.interval_nats.low <= whole.interval_nats.high
    assert processed.nats < whole.nats
    # A coordinate beside it that knows nothing adds nothing.
    beside = np.column_stack([y, np.random.default_rng(6).standard_normal(len(y))])
    widened = ESTIMATORS[name].estimate(x, beside)
    assert widened.interval_nats.low <= whole.interval_nats.high


@pytest.mark.parametrize("name", ["gaussian", "gaussian_copula"])
def test_two_independent_copies_hold_twice_as_much(name: str) -> None:
    assert_additive(ESTIMATORS[name], n=10_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["infonce", "dv"])
def test_neural_readings_of_two_copies_are_twice_that_of_one(name: str) -> None:
    assert_additive(VariationalEstimator(name, hidden=(64, 64)), n=20_000)


def assert_additive(estimator: MIEstimator, n: int) -> None:
    """Read [X1, X2] and [Y1, Y2] within 5% of I(X1;Y1) + I(X2;Y2)."""
    x, y = correlated(n, 2, seed=7)
    both = estimator.estimate(x, y)
    each = [estimator.estimate(x[:, [k]], y[:, [k]]) for k in range(2)]
    assert both.nats == pytest.approx(sum(part.nats for part in each), rel=0.05)
    assert both.nats == pytest.approx(-np.log(1 - 0.64), rel=0.05)


def test_two_copies_by_neighbours_are_twice_one_within_the_intervals() -> None:
    # In 2+2 dimensions neighbours read a little low: see KSG.
    x, y = correlated(10_000, 2, seed=7)
    both = KSG().estimate(x, y)
    each = [KSG().estimate(x[:, [k]], y[:, [k]]) for k in range(2)]
    assert both.nats == pytest.approx(sum(part.nats for part in each), rel=0.05)
