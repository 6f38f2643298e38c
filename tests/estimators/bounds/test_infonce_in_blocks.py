"""Many pairs are read in blocks: a lower bound of a stated ceiling, whose error is the true one."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mitools.estimators.bounds.infonce import (
    ceiling_in_blocks,
    pairs_in_block,
    read_infonce,
    read_infonce_in_blocks,
)
from mitools.estimators.neural.cross_fitted import _ceiling, _read_together
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.variational import VariationalEstimator

RHO = 0.8
TOGETHER = 64


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mitools.estimators.bounds.infonce.PAIRS_TOGETHER", TOGETHER)


def log_ratio(x: Tensor, y: Tensor) -> Tensor:
    """The true log density ratio of standard normal variables with correlation RHO."""
    return (2 * RHO * x * y.T - RHO**2 * (x**2 + y.T**2)) / (2 * (1 - RHO**2)) - 0.5 * math.log(1 - RHO**2)


def pairs(n: int, seed: int) -> tuple[Tensor, Tensor]:
    x, noise = np.random.default_rng(seed).standard_normal((2, n, 1))
    return torch.from_numpy(x), torch.from_numpy(RHO * x + math.sqrt(1 - RHO**2) * noise)


def same_class(x: Tensor, y: Tensor) -> Tensor:
    return 20.0 * (x == y.T)


def test_a_part_that_fits_is_one_batch() -> None:
    x, y = pairs(300, 0)
    whole, blocks = read_infonce(log_ratio, x, y), read_infonce_in_blocks(log_ratio, x, y)
    assert blocks.nats == whole.nats
    np.testing.assert_array_equal(blocks.influence, whole.influence)
    assert pairs_in_block(2**15 - 1) == 2**15 - 1
    assert (pairs_in_block(2**15), ceiling_in_blocks(2**15)) == (2**14, 14 * math.log(2))
    assert min(map(pairs_in_block, range(2**14, 2**18, 77))) >= 2**14, "a ceiling below 14 bits"


@pytest.mark.usefixtures("small_blocks")
def test_blocks_read_what_batches_of_their_size_do_and_know_their_error() -> None:
    n, samples = 4 * TOGETHER, 200
    read = [read_infonce_in_blocks(log_ratio, *pairs(n, seed)) for seed in range(samples)]
    batches = [read_infonce(log_ratio, *pairs(TOGETHER, 1000 + seed)).nats for seed in range(4 * samples)]
    values = np.array([one.nats for one in read])
    noise = np.hypot(values.std() / math.sqrt(samples), np.std(batches) / math.sqrt(4 * samples))
    assert abs(values.mean() - np.mean(batches)) < 3 * noise
    assert np.mean([one.stderr for one in read]) == pytest.approx(values.std(), rel=0.2)
    truth = -0.5 * math.log(1 - RHO**2)
    assert values.mean() < truth + 3 * noise


def test_folds_of_unequal_size_have_the_lower_ceiling() -> None:
    """A fold of one pair more is read in two blocks, and the smaller fold as one batch."""
    method = VARIATIONAL_METHODS["infonce"]
    assert _ceiling(method, [2**15, 2**15 - 1]) == _ceiling(method, [2**15 - 1, 2**15]) == math.log(2**14)
    assert _read_together(method, [2**15 - 1, 2**15]) == {"pairs_read_together": 2**14}
    assert _read_together(method, [2**15 - 1, 2**15 - 1]) == {}
    assert _ceiling(VARIATIONAL_METHODS["dv"], [1000]) is None


@pytest.mark.usefixtures("small_blocks")
def test_the_ceiling_is_reached_and_not_passed() -> None:
    x = torch.arange(3 * TOGETHER + 5, dtype=torch.float64)[:, None]
    reading = read_infonce_in_blocks(lambda a, b: -1e3 * (a - b.T).square(), x, x)
    assert pairs_in_block(len(x)) == 66  # 197 in three blocks
    assert reading.nats == pytest.approx((2 * 66 * math.log(66) + 65 * math.log(65)) / 197, abs=1e-9)
    assert reading.nats <= ceiling_in_blocks(len(x)) == math.log(66)


@pytest.mark.usefixtures("small_blocks")
def test_rows_in_the_order_of_their_classes_are_no_blocks_of_one_class() -> None:
    classes = torch.arange(8).repeat_interleave(TOGETHER)[:, None]
    reading = read_infonce_in_blocks(same_class, classes, classes)
    assert reading.nats == pytest.approx(math.log(8), abs=3 * reading.stderr + 0.05)


@pytest.mark.usefixtures("small_blocks")
def test_negatives_are_of_other_groups() -> None:
    groups = torch.arange(4 * TOGETHER) // 2
    x = groups.double()[:, None]
    # Each pair's own group scores as high as the pair itself: as a negative it would halve the ratio.
    reading = read_infonce_in_blocks(same_class, x, x, groups=groups)
    assert reading.nats == pytest.approx(math.log(TOGETHER), abs=0.02)
    assert read_infonce_in_blocks(same_class, x, x).nats < math.log(TOGETHER) - 0.05


def test_an_estimate_says_how_many_pairs_are_read_together(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = (side.numpy() for side in pairs(400, 0))
    estimator = VariationalEstimator("infonce", folds=1, max_steps=2, hidden=(4,), batch_size=16)
    whole = estimator.estimate(x, y)
    assert "pairs_read_together" not in whole.settings
    assert whole.ceiling_nats == math.log(whole.settings["pairs"])
    monkeypatch.setattr("mitools.estimators.bounds.infonce.PAIRS_TOGETHER", 20)
    blocks = estimator.estimate(x, y)
    assert blocks.settings["pairs_read_together"] == 20
    assert blocks.ceiling_nats == math.log(20)
    assert blocks.settings["pairs"] == whole.settings["pairs"] == 80
