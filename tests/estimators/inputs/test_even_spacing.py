"""Ranks and rounded values: found, spread within their steps, and ranked again among fewer."""

import numpy as np
import pytest
from scipy.stats import rankdata

from mitools.core.errors import InputError
from mitools.estimators.automatic.choice import Readings
from mitools.estimators.automatic.half_rows import rise_of_neighbours
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.residuals import ResidualEstimator
from mitools.estimators.inputs.even_spacing import ranked_again, spread_within_steps

RNG = np.random.default_rng(5)


def uniform_ridge(n, nats):
    """Give ranks of x and of x with uniform noise that leaves so many nats."""
    x = RNG.random(n)
    y = x + 0.5 * np.exp(-nats) * RNG.uniform(-1, 1, n)
    return [rankdata(side)[:, None] / n for side in (x, y)]


@pytest.mark.parametrize(
    "make", [lambda r: rankdata(r, axis=0) / len(r), lambda r: r.round(2), lambda r: 7 * r.round(2) + 3]
)
def test_even_values_move_by_half_a_step_at_most(make):
    rows = make(RNG.standard_normal((500, 2)))
    step = np.diff(np.unique(rows[:, 0])).min()
    spread = spread_within_steps(rows, np.random.default_rng(0))
    assert 0.3 * step < np.abs(spread - rows).max() <= step / 2 * (1 + 1e-9)
    assert len(np.unique(spread[:, 0])) == 500


def test_other_values_stay():
    rows = RNG.standard_normal((500, 2)).astype(np.float32).astype(np.float64)
    assert spread_within_steps(rows, np.random.default_rng(0)) is rows
    constant = np.ones((5, 1))
    assert spread_within_steps(constant, np.random.default_rng(0)) is constant


def test_half_of_the_ranks_of_a_column_are_ranked_again():
    values = RNG.standard_normal(100)
    rows = np.c_[rankdata(values), values]
    some = np.arange(100) % 2 == 0
    found = ranked_again(rows, some)
    assert sorted(found[:, 0]) == list(range(50))
    assert np.array_equal(found[:, 0], rankdata(values[some]) - 1)
    assert np.array_equal(found[:, 1], values[some])


def test_ranks_of_a_thin_ridge_read_no_more_than_they_show():
    # Neighbours that lie on a line exactly used to read hundreds of nats.
    x, y = uniform_ridge(1000, 8.0)
    thin = KSG(k=9, margins="scaled", correct_nonuniformity=True)
    for estimator in (thin, ResidualEstimator()):
        assert 4.0 < estimator.fit(x, y).estimate_.nats < np.log(1000)


def test_a_line_to_the_last_digit_is_refused_by_the_correction():
    x = RNG.standard_normal((300, 1))
    with pytest.raises(InputError, match="determines a column of the other exactly"):
        KSG(k=9, margins="scaled", correct_nonuniformity=True).fit(x, 2 * x)


def test_half_the_rows_show_that_ranks_are_coarse():
    x, y = uniform_ridge(1000, 6.0)
    fitted = ResidualEstimator().fit(x, y)
    readings = Readings(seed=0, max_steps=1, device="cpu", groups=None, parts=None)
    rise = rise_of_neighbours(fitted, x, y, readings)
    assert rise.is_clear
    assert rise.half < rise.whole < 6.0
