"""Rows in groups: what estimators that train nothing read of them, with groups named and without."""

from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from mitools.core.errors import InputError
from mitools.estimators import make_estimator
from mitools.estimators.classical.grouped import design_effect, stderr_of_mean, symbol_design_effect

GROUPS = 200
CORRELATION = 0.8
SHARED = 0.8
"""Share of the variance of x and of y that a group's rows have in common."""


def grouped_pairs(seed: int, correlation: float = CORRELATION) -> tuple[Any, Any, Any]:
    """Draw 200 groups of 1 to 20 rows: a group effect and row noise, both normal pairs of one correlation.

    Every row is a normal pair of that correlation, so that I = -log(1 - correlation^2) / 2.
    """
    rng = np.random.default_rng(seed)
    groups = np.repeat(np.arange(GROUPS), rng.integers(1, 21, GROUPS))

    def pairs(m: int) -> tuple[Any, Any]:
        x = rng.standard_normal(m)
        return x, correlation * x + np.sqrt(1 - correlation**2) * rng.standard_normal(m)

    sides = [
        np.sqrt(SHARED) * of_group[groups] + np.sqrt(1 - SHARED) * of_row
        for of_group, of_row in zip(pairs(GROUPS), pairs(len(groups)), strict=True)
    ]
    return sides[0], sides[1], groups


def continuous_truth(correlation: float) -> float:
    return -np.log1p(-(correlation**2)) / 2


def binary_entropy(p: Any) -> Any:
    return -p * np.log(p) - (1 - p) * np.log1p(-p)


def sign_truth() -> float:
    """I between a normal x and the sign of y, by numerical integration."""
    slope = CORRELATION / np.sqrt(1 - CORRELATION**2)
    left, _ = quad(lambda x: norm.pdf(x) * binary_entropy(norm.cdf(slope * x)), -5.5, 5.5)
    return float(np.log(2) - left)


def signs_truth() -> float:
    """I between the signs of x and y, by the orthant probability of normal pairs."""
    return float(np.log(2) - binary_entropy(0.5 + np.arcsin(CORRELATION) / np.pi))


def sign(values: Any) -> Any:
    return (values > 0).astype(int)


CASES = {
    "ksg": (None, None, continuous_truth(CORRELATION)),
    "gaussian": (None, None, continuous_truth(CORRELATION)),
    "gaussian_copula": (None, None, continuous_truth(CORRELATION)),
    "components": (None, None, continuous_truth(CORRELATION)),
    "mixed_ksg": (None, sign, sign_truth()),
    "discrete": (sign, sign, signs_truth()),
}


def covered(method: str, seeds: int) -> tuple[int, int]:
    """Count the intervals that hold the truth, with groups and without."""
    map_x, map_y, truth = CASES[method]
    counts = [0, 0]
    for seed in range(seeds):
        x, y, groups = grouped_pairs(seed)
        x, y = x if map_x is None else map_x(x), y if map_y is None else map_y(y)
        for place, given in enumerate((groups, None)):
            low, high, _ = make_estimator(method).fit(x, y, groups=given).estimate_.interval_nats
            counts[place] += bool(low <= truth <= high)
    return counts[0], counts[1]


@pytest.mark.parametrize("method", ["gaussian", "gaussian_copula", "discrete"])
def test_intervals_hold_the_truth_with_groups_and_not_without(method):
    grouped, alone = covered(method, 40)
    assert grouped >= 36
    assert alone <= 28


@pytest.mark.parametrize("method", ["ksg", "mixed_ksg"])
def test_intervals_of_neighbours_hold_the_truth_with_groups_and_less_often_without(method):
    grouped, alone = covered(method, 12)
    assert grouped >= 11
    assert alone <= 10


@pytest.mark.slow
@pytest.mark.parametrize("method", ["ksg", "mixed_ksg", "components"])
def test_intervals_hold_the_truth_over_a_hundred_seeds(method):
    grouped, alone = covered(method, 100)
    assert grouped >= 90
    assert alone <= 80


@pytest.mark.parametrize("method", ["ksg", "mixed_ksg", "gaussian", "gaussian_copula", "discrete", "binned"])
def test_copies_read_nothing_within_their_interval_once_they_are_named(method):
    held = 0
    for seed in range(4):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(200), 5)
        x, y = (rng.standard_normal(200)[groups] for _ in range(2))
        x = sign(x) if method == "discrete" else x
        y = sign(y) if method in ("discrete", "mixed_ksg") else y
        estimator = make_estimator(method)
        if method == "binned":
            estimator.set_params(x_bins=4, y_bins=4, correction="grassberger")
        found = estimator.fit(x, y, groups=groups).estimate_
        held += found.interval_nats.low <= 0 <= found.interval_nats.high
        assert abs(found.null_nats) < 0.35
        assert found.settings["groups"] == 200
    assert held >= 3


def test_copies_that_are_not_named_read_as_information():
    groups = np.repeat(np.arange(200), 5)
    x, y = np.random.default_rng(0).standard_normal((2, 200))[:, groups]
    assert make_estimator("ksg").fit(x, y).estimate_.interval_nats.low > 4


@pytest.mark.parametrize("method", ["ksg", "mixed_ksg"])
def test_groups_of_one_row_read_what_rows_that_stand_alone_read(method):
    x, y, _ = grouped_pairs(0)
    y = sign(y) if method == "mixed_ksg" else y
    alone = make_estimator(method).fit(x, y).estimate_
    each = make_estimator(method).fit(x, y, groups=np.arange(len(x))).estimate_
    assert each.nats == pytest.approx(alone.nats, rel=1e-12)
    assert each.stderr_nats == pytest.approx(alone.stderr_nats, rel=0.1)
    assert (alone.settings["groups"], each.settings["groups"]) == (None, len(x))


@pytest.mark.parametrize("algorithm", [1, 2])
@pytest.mark.parametrize("columns", [1, 4])
def test_groups_of_one_row_are_read_alike_by_either_algorithm_in_any_dimension(algorithm, columns):
    x, y = np.random.default_rng(0).standard_normal((2, 300, columns))
    y = y + x
    readings = [
        make_estimator("ksg").set_params(algorithm=algorithm).fit(x, y, groups=groups).estimate_.nats
        for groups in (None, np.arange(300))
    ]
    assert readings[1] == pytest.approx(readings[0], abs=1e-3)


def test_the_order_of_the_rows_and_the_names_of_the_groups_do_not_matter():
    x, y, groups = grouped_pairs(1)
    order = np.random.default_rng(0).permutation(len(x))
    names = np.array([f"clip {number}" for number in groups])
    found = [
        make_estimator("gaussian").fit(x[rows], y[rows], groups=given[rows]).estimate_
        for rows, given in ((np.arange(len(x)), groups), (order, names))
    ]
    assert found[0].nats == pytest.approx(found[1].nats)
    assert found[0].stderr_nats == pytest.approx(found[1].stderr_nats)


def test_the_error_of_copies_is_that_of_the_rows_that_were_copied():
    influence = np.random.default_rng(0).standard_normal(50)
    copied = stderr_of_mean(np.repeat(influence, 4), np.repeat(np.arange(50), 4))
    assert copied == pytest.approx(influence.std(ddof=1) / np.sqrt(50))
    assert stderr_of_mean(influence, None) == pytest.approx(influence.std() / np.sqrt(50))


def test_design_effects_of_symbols_and_of_their_indicators_agree():
    x, y, groups = grouped_pairs(0)
    a, b = np.digitize(x, [-1, 0, 1]), np.digitize(y, [-0.5, 0.5])
    indicators = [
        np.eye(size)[symbols] / np.sqrt(symbols_share)
        for size, symbols, symbols_share in ((4, a, np.bincount(a) / len(a)), (3, b, np.bincount(b) / len(b)))
    ]
    given = np.array([indicators[1][a == symbol].mean(axis=0) for symbol in range(4)])
    left = indicators[1] - given[a]
    expected = design_effect(indicators[0], left, groups)
    assert symbol_design_effect(a, b, groups) == pytest.approx(expected)
    assert expected > 1.5
    assert symbol_design_effect(a, a, groups) == 1


def test_few_groups_are_told_and_many_are_not():
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 600))
    few = make_estimator("gaussian").fit(x, y, groups=np.arange(600) % 20).estimate_
    (warning,) = [warning for warning in few.warnings if warning.word == "small_sample"]
    assert warning.sentence == "20 groups are few for an interval"
    assert (
        not make_estimator("gaussian")
        .fit(x, y, groups=np.arange(600) % 60)
        .estimate_.has_warning("small_sample")
    )


@pytest.mark.parametrize(
    ("method", "groups", "message"),
    [
        ("ksg", np.arange(99), "groups has 99 rows and the data has 100"),
        ("ksg", np.zeros(100, int), "all 100 rows belong to the one group 0"),
        (
            "ksg",
            np.arange(100) // 98,
            "some rows have 2 rows of other groups, and 3 neighbours are sought there",
        ),
        ("ksg", np.full(100, np.nan), "groups are not whole numbers"),
        ("mixed_ksg", np.arange(100) % 2, "class 0 lies in one group, and has no neighbours in another"),
        ("components", np.arange(100) % 3, "3 groups are too few for 5 folds"),
    ],
)
def test_groups_that_say_nothing_are_refused(method, groups, message):
    x = np.random.default_rng(0).standard_normal(100)
    y = np.arange(100) % 2 if method == "mixed_ksg" else x**3
    with pytest.raises(InputError, match=message):
        make_estimator(method).fit(x, y, groups=groups)
