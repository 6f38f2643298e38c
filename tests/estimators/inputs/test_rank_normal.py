"""Ranks as normal values: of the rows that were fitted, and of any others."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtri

from mitools.estimators.inputs.rank_normal import RankNormal, normal_scores
from mitools.estimators.inputs.scaling import fit_scaling


def column(values):
    return np.array(values, dtype=np.float32)[:, None]


def test_fitted_rows_get_their_normal_scores():
    rng = np.random.default_rng(0)
    rows = np.column_stack([rng.standard_normal(500), rng.integers(0, 4, 500)]).astype(np.float32)
    scaled = fit_scaling("rank_normal", rows)(rows)
    assert scaled.dtype == np.float32
    np.testing.assert_allclose(scaled, normal_scores(rows.astype(np.float64)), atol=1e-6)


@pytest.mark.parametrize(
    "bijection", [lambda v: v**3, lambda v: 5 - v, np.log1p], ids=["cube", "flip", "log"]
)
def test_a_monotone_map_of_a_column_changes_nothing_on_any_row(bijection):
    values = np.random.default_rng(0).permutation(3000).astype(np.float32)[:, None]
    train, other = values[:1000], values[1000:]
    scaled = fit_scaling("rank_normal", train)(other)
    mapped = fit_scaling("rank_normal", bijection(train))(bijection(other))
    sign = np.sign(bijection(np.float32(2)) - bijection(np.float32(1)))
    np.testing.assert_allclose(mapped, sign * scaled, rtol=1e-5)
    assert np.corrcoef(scaled[:, 0], ndtri((other[:, 0] + 0.5) / 3000))[0, 1] > 0.999


def test_heavy_tails_become_normal():
    rows = np.random.default_rng(0).standard_cauchy((20_000, 1)).astype(np.float32)
    scaled = fit_scaling("rank_normal", rows[:5000])(rows)
    assert np.abs(rows).max() > 1000
    assert np.abs(scaled).max() < 4.1
    assert scaled[5000:].mean() == pytest.approx(0, abs=0.05)
    assert scaled[5000:].std() == pytest.approx(1, abs=0.03)


@given(
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=30),
    st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=2, max_size=30),
)
def test_ranks_keep_the_order_of_any_rows_and_stay_finite(train, other):
    scaled = fit_scaling("rank_normal", column(train))(column(sorted(other + train)))
    assert np.isfinite(scaled).all()
    assert (np.diff(scaled[:, 0]) >= 0).all()


def test_tied_values_share_a_rank_and_unseen_ones_lie_between():
    scale = fit_scaling("rank_normal", column([1, 1, 1, 2, 4, 4]))
    ranks = np.array([0.25, 1.5, 3, 3.5, 4, 5, 5.75])
    scaled = scale(column([0, 1, 1.5, 2, 3, 4, 9]))
    np.testing.assert_allclose(scaled[:, 0], ndtri(ranks / 6), rtol=1e-5, atol=1e-7)


def test_doubles_are_ranked_as_doubles():
    rows = 1 + np.arange(10.0)[:, None] * 1e-12
    assert len(np.unique(RankNormal(rows)(rows))) == 10
