import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mitools.statistics.bootstrap import bca_interval, resample_counts
from mitools.statistics.coefficients import coefficients, p_values
from mitools.statistics.holm import holm


def scipy_coefficients(x, y):
    return [stats.pearsonr(x, y)[0], stats.kendalltau(x, y)[0], stats.spearmanr(x, y)[0]]


def not_constant(x, y):
    return np.ptp(x) > 0 and np.ptp(y) > 0


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 10_000), st.integers(3, 30), st.integers(1, 4))
def test_every_weighting_equals_scipy_on_the_repeated_rows(seed, n, decimals):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n).round(decimals - 1)  # decimals of 0 and 1 make many ties
    y = (x + rng.normal(size=n)).round(decimals - 1)
    counts = resample_counts(n, 20, seed)
    found = coefficients(x, y, counts)
    for column, count in zip(found.T, counts.astype(int), strict=True):
        drawn = np.repeat(np.arange(n), count)
        if not_constant(x[drawn], y[drawn]):
            np.testing.assert_allclose(column, scipy_coefficients(x[drawn], y[drawn]), atol=1e-10)
        else:
            assert np.isnan(column).all()


def test_leaving_one_row_out_equals_scipy_without_it():
    x, y = np.random.default_rng(0).normal(size=(2, 9))
    found = coefficients(x, y, 1 - np.eye(9))
    for i in range(9):
        np.testing.assert_allclose(
            found[:, i], scipy_coefficients(np.delete(x, i), np.delete(y, i)), atol=1e-12
        )


@pytest.mark.parametrize("scale", [1e-300, 1e-150, 1e150, 1e300])
def test_extreme_scales_do_not_matter(scale):
    x, y = np.random.default_rng(0).normal(size=(2, 12))
    ones = np.ones((1, 12))
    np.testing.assert_allclose(coefficients(x * scale, y, ones), coefficients(x, y, ones), rtol=1e-9)


@pytest.mark.parametrize(("n", "tied"), [(9, False), (16, False), (25, True)])
def test_p_values_equal_scipys_beyond_the_exact_rows(n, tied):
    x, y = np.random.default_rng(n).normal(size=(2, n))
    if tied:
        x, y = x.round(), y.round()
    expected = [f(x, y).pvalue for f in (stats.pearsonr, stats.kendalltau, stats.spearmanr)]
    np.testing.assert_allclose(p_values(x, y), expected, rtol=1e-9)


@pytest.mark.parametrize("tied", [False, True])
def test_small_tables_get_spearmans_exact_p_value(tied):
    x, y = np.random.default_rng(3).normal(size=(2, 7))
    if tied:
        x = x.round()
    exact = stats.permutation_test(
        (x,), lambda x: stats.spearmanr(x, y)[0], permutation_type="pairings", n_resamples=np.inf
    )
    found = p_values(x, y)
    assert found[2] == pytest.approx(exact.pvalue, rel=1e-9)
    assert found[0] == pytest.approx(stats.pearsonr(x, y).pvalue, rel=1e-9)


def test_a_perfect_order_of_four_is_not_called_impossible():
    x = np.array([1.0, 2.0, 4.0, 8.0])
    # Two of the 24 orders are perfect.
    assert p_values(x, x**2)[1:] == pytest.approx([2 / 24, 2 / 24])


def test_holm_is_the_textbook_procedure():
    # Holm (1979): the i-th smallest of m is multiplied by m - i + 1 and made monotone.
    np.testing.assert_allclose(holm([0.01, 0.02, 0.03, 0.04]), [0.04, 0.06, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.4, 0.005, 0.9]), [0.8, 0.015, 0.9])
    np.testing.assert_allclose(holm([0.03, np.nan, 0.01]), [0.03, np.nan, 0.02])
    assert holm([]).shape == (0,)


def test_holm_keeps_the_family_wise_error():
    rng = np.random.default_rng(0)
    p = rng.uniform(size=(4000, 10))
    wrong = np.mean([holm(row).min() < 0.05 for row in p])
    assert 0.035 < wrong < 0.062


def test_bca_equals_scipys_bootstrap():
    rng = np.random.default_rng(0)
    x = rng.normal(size=16)
    y = 0.8 * x + 0.6 * rng.normal(size=16)
    peer = stats.bootstrap(
        (x, y),
        lambda x, y: stats.pearsonr(x, y)[0],
        paired=True,
        vectorized=False,
        n_resamples=4000,
        method="BCa",
        rng=1,
    ).confidence_interval
    draws = coefficients(x, y, resample_counts(16, 20_000, 0))[0]
    left_out = coefficients(x, y, 1 - np.eye(16))[0]
    point = coefficients(x, y, np.ones((1, 16)))[0, 0]
    low, high = bca_interval(point, draws, left_out, 0.95)
    assert (low, high) == pytest.approx((peer.low, peer.high), abs=0.03)
    assert low < point < high < 1


@pytest.mark.parametrize("rho", [0.0, 0.8])
def test_intervals_cover_the_truth_about_as_often_as_they_say(rho):
    n, runs = 12, 300
    rng = np.random.default_rng(5)
    truth = np.array([rho, 2 / np.pi * np.arcsin(rho)])
    counts = resample_counts(n, 800, 0)
    covered = np.zeros(2)
    for _ in range(runs):
        x = rng.normal(size=n)
        y = rho * x + np.sqrt(1 - rho**2) * rng.normal(size=n)
        points = coefficients(x, y, np.ones((1, n)))[:, 0]
        draws, left_out = coefficients(x, y, counts), coefficients(x, y, 1 - np.eye(n))
        for k in range(2):
            low, high = bca_interval(points[k], draws[k], left_out[k], 0.95)
            covered[k] += low <= truth[k] <= high
    # Three binomial standard errors around what 12 rows can give (0.90 to 0.98).
    assert (covered / runs > 0.85).all()
    assert (covered / runs < 0.997).all()


def test_no_interval_where_the_resamples_know_no_spread():
    assert np.isnan(bca_interval(1.0, np.ones(500), np.ones(6), 0.95)).all()
    assert np.isnan(bca_interval(1.0, np.full(500, np.nan), np.ones(6), 0.95)).all()
