"""Means, differences and slopes over seeds are scipy's, and pairs cancel what a seed does to both."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from mitools.analyses.shared.paired_seeds import over_seeds, paired_by_seed, slope_over_seeds
from mitools.core.errors import InputError


def test_the_interval_is_students() -> None:
    values = np.random.default_rng(0).normal(size=5)
    low, high = stats.t.interval(0.95, 4, values.mean(), stats.sem(values))
    np.testing.assert_allclose(over_seeds(values), (values.mean(), low, high))


def test_differences_are_those_of_a_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    common = 10 * rng.normal(size=6)
    a, b = common + rng.normal(size=6), common + rng.normal(size=6)
    rows = [{"m": "a", "seed": s, "v": a[s]} for s in range(6)] + [
        {"m": "b", "seed": s, "v": b[s]} for s in reversed(range(6))
    ]
    found = paired_by_seed(pd.DataFrame(rows), "v", {"m": "a"}, {"m": "b"})
    interval = stats.ttest_rel(a, b).confidence_interval(0.95)
    np.testing.assert_allclose(found, ((a - b).mean(), *interval))


def test_a_slope_is_that_of_each_seed() -> None:
    rows = [
        {"seed": seed, "x": x, "y": slope * x + 100 * seed}
        for seed, slope in enumerate((1, 2, 3))
        for x in (2, 3, 5)
    ]
    np.testing.assert_allclose(slope_over_seeds(pd.DataFrame(rows), "y", "x"), over_seeds([1, 2, 3]))


def test_one_seed_has_no_interval_and_tells_nothing() -> None:
    found = over_seeds([1.0])
    assert np.isnan([found.low, found.high]).all()
    assert found.sign == 0
    assert over_seeds([1.0, 1.1]).sign == 1
    assert over_seeds([-1.0, -1.1]).sign == -1


def test_nothing_to_compare_is_refused() -> None:
    table = pd.DataFrame({"m": ["a", "b"], "seed": [0, 1], "v": [1.0, 2.0], "x": [1, 1]})
    with pytest.raises(InputError, match="no seed"):
        paired_by_seed(table, "v", {"m": "a"}, {"m": "b"})
    with pytest.raises(InputError, match="seed 0 has one value of x"):
        slope_over_seeds(table, "v", "x")
