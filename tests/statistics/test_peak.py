"""A peak is told from a rise, a fall and no change, and is claimed no more often than it says."""

from collections import Counter

import numpy as np
import pytest
from scipy.optimize import isotonic_regression

from mitools.core.errors import InputError
from mitools.statistics.peak import peak_test

X = np.arange(8.0)


@pytest.mark.parametrize(
    ("y", "shape"),
    [
        (-((X - 4) ** 2), "peak inside"),
        ((X - 4) ** 2, "valley inside"),
        (2 * X, "rises"),
        (-2 * X, "falls"),
        (np.zeros(8), "cannot be told"),
    ],
)
def test_shapes_without_noise(y, shape):
    found = peak_test(X, y, 0.5, resamples=100)
    assert found.shape == shape
    assert found.shape.split()[0] in str(found) or shape == "cannot be told"


def test_the_order_of_the_points_does_not_matter():
    order = np.random.default_rng(0).permutation(8)
    y = -((X - 4) ** 2)
    assert (
        peak_test(X[order], y[order], 0.5, resamples=50).peak_x
        == peak_test(X, y, 0.5, resamples=50).peak_x
        == 4
    )


def test_the_peaks_place_is_within_its_interval():
    rng = np.random.default_rng(1)
    y = -((X - 3) ** 2) + 0.5 * rng.standard_normal(8)
    found = peak_test(X, y, 0.5, resamples=200)
    assert found.peak_low <= 3 <= found.peak_high


@pytest.mark.parametrize(
    ("course", "x_stderr"),
    [
        (np.zeros(6), None),
        (np.zeros(6), 1.0),  # the spacing
        (np.arange(6.0), 0.1),
        (5 * np.arange(6.0), 1.0),  # x out of order outweigh the errors of y
    ],
)
def test_no_shape_is_claimed_more_often_than_it_says(course, x_stderr):
    """At a level of 5%: of 150 are 7.5, and 15 or more have a chance of 1%."""
    rng = np.random.default_rng(2)
    shapes = Counter(
        peak_test(
            X[:6] + (x_stderr or 0.0) * rng.standard_normal(6),
            course + 0.5 * rng.standard_normal(6),
            0.5,
            x_stderr,
            resamples=59,
            seed=k,
        ).shape
        for k in range(150)
    )
    assert shapes["peak inside"] + shapes["valley inside"] < 15
    assert shapes["falls"] < 15
    if course.any():
        assert shapes["rises"] > 130
    else:
        assert shapes["rises"] + shapes["falls"] < 15


def test_a_peak_is_still_found_where_x_has_errors():
    rng = np.random.default_rng(3)
    course = -((X - 4) ** 2)
    found = [
        peak_test(X + 0.3 * rng.standard_normal(8), course, 0.5, 0.3, resamples=59, seed=k).shape
        for k in range(20)
    ]
    assert found.count("peak inside") >= 18


def test_a_monotone_fit_is_that_of_scipy():
    y = np.array([1.0, 3.0, 2.0, 4.0])
    rising = isotonic_regression(y).x
    assert rising.tolist() == [1.0, 2.5, 2.5, 4.0]
    # One crossing within its error asks for no peak.
    assert peak_test(np.arange(4.0), y, 1.0, resamples=100).p_peak > 0.3


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((X[:3], X[:3], 0.1), "4 points"),
        ((X, X[:-1], 0.1), "4 points"),
        ((np.ones(5), np.arange(5.0), 0.1), "does not vary"),
        ((X, X, 0.0), "positive"),
        ((X, np.where(X == 2, np.nan, X), 0.1), "not finite"),
    ],
)
def test_bad_input_is_one_line(given, message):
    with pytest.raises(InputError, match=message):
        peak_test(*given)
