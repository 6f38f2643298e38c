"""Series: blocks, the null of shifts in time, and the standard error of blocks."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import lfilter

from mitools.core.errors import InputError
from mitools.estimators.classical.binned import BinnedEstimator
from mitools.estimators.classical.block_resampling import (
    blocks,
    jackknife_variance,
    read_series,
    shifted_readings,
)
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator, GaussianEstimator
from mitools.estimators.classical.ksg import KSG

TRUTH = 0.5 * np.log(1.25)
"""Of y = x / 2 + a series like x, in nats."""


def series(phi: float, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two autoregressive series of order 1 that know nothing of each other."""
    x, y = lfilter([1], [1, -phi], np.random.default_rng(seed).standard_normal((2, n)), axis=1)
    return x, y


def mean_product(x: np.ndarray, y: np.ndarray) -> float:
    return float((x * y).mean())


def test_every_row_has_a_block_and_the_last_is_not_short() -> None:
    assert blocks(10, 3).tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 2]
    assert blocks(10, 5).tolist() == [0] * 5 + [1] * 5
    assert blocks(4, 1).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("length", "message"),
    [
        (0, "block must be at least 1 row, not 0"),
        (-3, "at least 1 row"),
        (101, "block is 101 rows, but the series has 100"),
        (51, "a block of 51 rows leaves no second one in 100; give at most 50"),
        (2.5, "block must be a whole number of rows, not 2.5"),
        (True, "whole number"),
    ],
)
def test_a_block_that_does_not_fit_is_refused(length: Any, message: str) -> None:
    x, y = series(0.5, 100, 0)
    with pytest.raises(InputError, match=message) as refused:
        GaussianEstimator().fit(x, y, block=length)
    assert "\n" not in str(refused.value)


def test_block_and_groups_exclude_each_other() -> None:
    with pytest.raises(InputError, match="block and groups are both given"):
        GaussianEstimator().fit(*series(0.5, 100, 0), groups=np.arange(100) // 5, block=5)


def test_the_jackknife_of_a_mean_is_the_variance_of_its_blocks() -> None:
    """Leaving out blocks of one size gives the variance of the mean of block means, exactly."""
    x, y = series(0.9, 1000, 0)
    means = (x * y).reshape(20, 50).mean(axis=1)
    found = jackknife_variance(mean_product, x[:, None], y[:, None], blocks(1000, 50))
    np.testing.assert_allclose(found, means.var(ddof=1) / 20)


def test_the_standard_error_is_that_of_a_series() -> None:
    """The mean product of two AR(1) series varies (1 + phi^2) / (1 - phi^2) times as much as of rows."""
    found, true = [], []
    for seed in range(40):
        x, y = series(0.8, 2000, seed)
        x, y = x[:, None], y[:, None]
        as_if_independent = float((x * y).std() / np.sqrt(2000))
        found.append(read_series(mean_product, x, y, length=50, stderr=as_if_independent, seed=0).stderr)
        true.append(as_if_independent * np.sqrt(1.64 / 0.36))
    assert abs(np.mean(found) / np.mean(true) - 1) < 0.1


def test_rows_that_are_independent_keep_their_standard_error() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(2000)
    y = x + rng.standard_normal(2000)
    rows, blocked = (KSG().fit(x, y, block=block).estimate_ for block in (None, 50))
    assert rows.nats == blocked.nats
    assert 1.0 <= blocked.stderr_nats / rows.stderr_nats < 1.5


def test_shifts_keep_the_order_and_leave_out_what_has_no_partner() -> None:
    time = np.arange(100.0)[:, None]
    seen = []

    def read(x: np.ndarray, y: np.ndarray) -> float:
        lags = np.unique(y - x)
        assert len(lags) == 1
        assert len(x) == 100 - abs(lags[0])
        seen.append(int(lags[0]))
        return 0.0

    shifted_readings(read, time, time, 10, 0, count=1000)
    assert sorted(seen) == [*range(-50, -9), *range(10, 51)]
    assert len(shifted_readings(read, time, time, 10, 0)) == 39


@pytest.mark.parametrize("phi", [pytest.param(0.9, marks=pytest.mark.slow), 0.99, 1.0])
def test_independent_series_seldom_claim_dependence(phi: float) -> None:
    claims = {None: 0, 50: 0}
    for seed in range(40):
        for block in claims:
            found = GaussianEstimator().fit(*series(phi, 1000, seed), block=block).estimate_
            claims[block] += not found.has_warning("indistinguishable_from_zero")
    assert claims[50] <= 4
    assert claims[None] >= (claims[50] if phi < 0.99 else 20)


def test_dependent_series_are_found_and_covered() -> None:
    found = covered = 0
    for seed in range(40):
        x, y = series(0.9, 1000, seed)
        estimate = GaussianEstimator().fit(x, x / 2 + y, block=50).estimate_
        low, high, _ = estimate.interval_nats
        found += not estimate.has_warning("indistinguishable_from_zero")
        covered += low < TRUTH < high
    assert found >= 24
    assert covered >= 34


@pytest.mark.parametrize(
    "estimator",
    [
        KSG(),
        GaussianEstimator(),
        GaussianCopulaEstimator(),
        BinnedEstimator(x_bins=6, y_bins=6),
        DiscreteEstimator(),
    ],
    ids=lambda estimator: estimator.method,
)
def test_every_one_reads_series(estimator: Any) -> None:
    discrete = isinstance(estimator, DiscreteEstimator)
    for seed in range(2):
        x, y = series(0.98, 400, seed)
        dependent = x + y / 10
        if discrete:
            x, y, dependent = (np.round(side / 3).astype(int) for side in (x, y, dependent))
        unrelated = estimator.fit(x, y, block=40).estimate_
        assert unrelated.settings["block"] == 40
        assert unrelated.has_warning("indistinguishable_from_zero")
        estimate = estimator.fit(x, dependent, block=40).estimate_
        assert not estimate.has_warning("indistinguishable_from_zero")
        assert estimate.nats > estimate.null_nats > unrelated.nats / 10
        without = estimator.fit(x, dependent).estimate_
        assert without.nats == estimate.nats
        assert "block" not in without.settings


def test_few_blocks_are_told() -> None:
    x, y = series(0.9, 400, 0)
    assert "4 blocks" in str(GaussianEstimator().fit(x, y, block=100).estimate_.warnings)
    assert not GaussianEstimator().fit(x, y, block=40).estimate_.has_warning("small_sample")


def test_a_column_or_symbol_that_only_one_block_holds() -> None:
    x, y = series(0.9, 200, 0)
    once = np.zeros(200)
    once[:10] = 1.0
    estimate = GaussianEstimator().fit(np.c_[x, once], y, block=20).estimate_
    assert np.isfinite(estimate.stderr_nats)
    symbols = DiscreteEstimator().fit(once.astype(int), (y > 0).astype(int), block=20).estimate_
    assert np.isfinite(symbols.stderr_nats)
