"""Cross-fitting: every item is reported once, by a critic that never saw it."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.variational import VariationalEstimator

Floats = NDArray[np.float64]


BRIEF: dict[str, Any] = {"hidden": (16,), "learning_rate": 0.005, "batch_size": 64} | {
    "max_steps": 500,
    "check_every": 25,
    "patience": 3,
}


def gaussian(n: int, rho: float, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Pairs whose d coordinates are standard normal with correlation rho."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


@pytest.fixture(scope="module")
def cross_fitted() -> tuple[Floats, Floats, VariationalEstimator]:
    x, y = gaussian(603, 0.8, 1)
    return x, y, VariationalEstimator(folds=3, **BRIEF).fit(x, y)


def test_the_pooled_value_is_that_of_each_critic_on_its_own_fold(
    cross_fitted: tuple[Floats, Floats, VariationalEstimator],
) -> None:
    x, y, estimator = cross_fitted
    values = []
    for fold in estimator.folds_:
        rows = (
            torch.tensor(fold.scale_x(x.astype(np.float32))),
            torch.tensor(fold.scale_y(y.astype(np.float32))),
        )
        mine = [side[torch.from_numpy(fold.parts.report)] for side in rows]
        values.append(read_infonce(fold.critic, *mine).nats)
        np.testing.assert_array_equal(fold.pairs.x, fold.parts.report)
    assert estimator.estimate_.nats == pytest.approx(np.mean(values), abs=1e-6)
    assert len({id(fold.critic) for fold in estimator.folds_}) == 3


def test_the_record_of_a_pooled_value(cross_fitted: tuple[Floats, Floats, VariationalEstimator]) -> None:
    _, _, estimator = cross_fitted
    estimate = estimator.estimate_
    assert (estimate.n_report, estimate.n_train, estimate.n_select) == (603, 327, 75)
    assert estimate.ceiling_nats == math.log(201)
    assert estimate.settings["pairs"] == 603 == len(estimator.influence_)
    assert estimate.settings["folds"] == 3
    assert estimate.settings["critics_read"] == ["network"] * 3
    assert estimate.interval_nats is not None
    truth = -math.log(1 - 0.8**2) / 2
    assert estimate.interval_nats.low < truth < estimate.interval_nats.high + 0.02
    assert not estimate.warnings


def test_a_pooled_interval_is_narrower_than_that_of_one_split(
    cross_fitted: tuple[Floats, Floats, VariationalEstimator],
) -> None:
    x, y, estimator = cross_fitted
    single = VariationalEstimator(folds=1, **BRIEF).estimate(x, y)
    assert single.stderr_nats is not None
    # All items in place of a fifth of them.
    ratio = single.stderr_nats / (estimator.estimate_.stderr_nats or math.nan)
    assert ratio == pytest.approx(math.sqrt(5), rel=0.25)


def test_cross_fitting_of_independent_pairs_reads_nothing() -> None:
    estimate = VariationalEstimator(folds=3, **BRIEF).estimate(*gaussian(600, 0.0, 1))
    assert abs(estimate.nats) < 0.01
    assert estimate.has_warning("indistinguishable_from_zero")


def test_the_folds_that_were_chosen_are_recorded() -> None:
    x, y = gaussian(100, 0.5, 1)
    settings = BRIEF | {"max_steps": 2}
    assert VariationalEstimator(**settings).estimate(x, y).settings["folds"] == 5
    parts = split(100)
    assert VariationalEstimator(**settings).fit(x, y, parts=parts).estimate_.settings["folds"] == 1
