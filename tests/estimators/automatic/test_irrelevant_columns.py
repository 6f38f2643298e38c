"""Columns that share nothing must not take away from what the others share."""

import numpy as np
import pytest

from mitools.estimators.auto import AutoEstimator
from mitools.estimators.automatic.subsets import Subset, some_rows, telling_subset

N = 3000


def normal_channel(noise_columns, seed):
    """One column of x, and y is it with noise of 1%."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((N, 21))
    return x[:, : 1 + noise_columns], x[:, 0] + 0.01 * rng.standard_normal(N), 0.5 * np.log(1 + 1e4)


def uniform_channel(noise_columns, seed):
    """The noise columns are heavy-tailed, and on the side of y."""
    rng = np.random.default_rng(seed)
    x = rng.random(N)
    y = np.c_[x + rng.uniform(-0.02, 0.02, N), rng.standard_t(2, (N, 20))]
    return x, y[:, : 1 + noise_columns], 0.02 - np.log(0.04)


def distorted_channel(noise_columns, seed):
    """A normal channel whose two ends are bent by monotone maps."""
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(N)
    x = np.c_[z**3, rng.standard_normal((N, 20))]
    return x[:, : 1 + noise_columns], np.exp(z + 0.05 * rng.standard_normal(N)), 0.5 * np.log(401)


@pytest.mark.parametrize(
    ("channel", "seed"),
    [
        (normal_channel, 50),
        (uniform_channel, 50),
        pytest.param(distorted_channel, 50, marks=pytest.mark.slow),
        pytest.param(normal_channel, 51, marks=pytest.mark.slow),
        pytest.param(uniform_channel, 51, marks=pytest.mark.slow),
    ],
)
def test_none_one_or_two(channel, seed):
    estimates = []
    for noise_columns in (0, 1, 2):
        x, y, truth = channel(noise_columns, seed)
        estimates.append(AutoEstimator(seed=seed).estimate(x, y))
        assert estimates[-1].nats == pytest.approx(truth, abs=0.1)
    assert np.ptp([found.nats for found in estimates]) < 0.15


@pytest.mark.slow
@pytest.mark.parametrize("channel", [normal_channel, uniform_channel, distorted_channel])
def test_twenty(channel):
    few, many = (AutoEstimator(max_steps=200).estimate(*channel(k, 52)[:2]) for k in (0, 20))
    assert many.nats == pytest.approx(few.nats, abs=0.15)


class TestWhichColumns:
    """The search finds what shares, and is confirmed by rows that it has not seen."""

    def test_the_column_that_shares(self):
        x, y, _ = normal_channel(2, 53)
        assert telling_subset(x[:, [1, 0, 2]], y[:, None], None, 0) == Subset((1,), (0,))

    def test_two_columns_that_share_together(self):
        rng = np.random.default_rng(54)
        x = rng.standard_normal((N, 5))
        y = x[:, 1] * x[:, 3] + 0.02 * rng.standard_normal(N)
        assert telling_subset(x, y[:, None], None, 0) == Subset((1, 3), (0,))

    def test_the_pair_among_many_columns(self):
        rng = np.random.default_rng(55)
        x, y = rng.standard_normal((2, 1000, 80))
        y[:, 7] = np.square(x[:, 70]) + 0.1 * rng.standard_normal(1000)
        assert telling_subset(x, y, None, 0) == Subset((70,), (7,))

    def test_all_columns_share(self):
        rng = np.random.default_rng(56)
        x = rng.standard_normal((N, 2))
        assert telling_subset(x, x + 0.5 * rng.standard_normal((N, 2)), None, 0) is None

    @pytest.mark.parametrize("columns", [2, 8])
    def test_nothing_is_found_where_nothing_is(self, columns):
        x, y = np.random.default_rng(57).standard_normal((2, 600, columns))
        assert telling_subset(x, y, None, 0) is None

    def test_groups_are_drawn_whole(self):
        groups = np.arange(300) // 7
        rows = some_rows(300, groups, 100, 0)
        assert 93 < len(rows) <= 100
        assert not set(groups[rows]) & set(np.delete(groups, rows))
