"""Tests of joint normality: their level where it holds, and what they find where it does not."""

import numpy as np
import pytest

from mitools.datasets.known_information.tasks import find_task
from mitools.estimators.inputs.normality import left_dependence, rows_to_test, shape_left
from mitools.estimators.inputs.rank_normal import normal_scores


def drawn(task, n, seed):
    known = find_task(task).sample(n, seed)
    return known.x, known.y


@pytest.mark.parametrize("task", ["dense normal 3x3", "sparse normal 5x5"])
def test_levels_hold_for_normal_rows(task):
    p = np.array(
        [(left_dependence(x, y), shape_left(x, y)) for x, y in (drawn(task, 300, s) for s in range(40))]
    )
    assert (p < 0.05).mean(axis=0).max() <= 0.2  # 2 of 40 are expected, more than 8 in one of a thousand
    assert np.median(p) > 0.2


def test_independent_columns_of_any_shape_are_independent():
    rng = np.random.default_rng(0)
    p = [
        left_dependence(rng.standard_cauchy((300, 2)), rng.integers(0, 3, (300, 2)) + 0.0) for _ in range(30)
    ]
    assert np.mean(np.array(p) < 0.05) <= 0.2


@pytest.mark.parametrize(
    "task", ["student 1 df 2x2", "crossed mixture 3x3", "spiral of sparse normal 3x3", "swiss roll 2x1"]
)
def test_dependence_that_correlations_do_not_show_is_found(task):
    x, y = drawn(task, 600, 3)
    assert left_dependence(normal_scores(x), normal_scores(y)) < 1e-3


def test_what_a_matched_pair_shares_is_not_tested():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((800, 2))
    y = np.column_stack([x[:, 0] ** 2 + 0.1 * rng.standard_normal(800), rng.standard_normal(800)])
    assert left_dependence(x, y) < 1e-6
    assert left_dependence(x, y, matched=1) > 0.05
    assert left_dependence(x[:, :1], y[:, :1], matched=1) == 1


def test_shapes_matter_only_of_columns_that_are_predicted():
    rng = np.random.default_rng(2)
    x = rng.random((500, 1))
    assert shape_left(x, x + 0.2 * rng.random((500, 1))) < 1e-3
    assert shape_left(x, rng.random((500, 1))) == 1


def test_one_row_of_a_group_is_tested_and_too_few_are_not():
    rng = np.random.default_rng(3)
    x, y = rng.standard_normal((2, 300, 2))
    groups = np.repeat(np.arange(100), 3)
    assert rows_to_test(x, y, groups)[0].shape == (100, 2)
    assert rows_to_test(x[:20], y[:20], None) is None
    constant = np.column_stack([x[:, 0], np.ones(300)])
    assert rows_to_test(constant, y, None)[0].shape == (300, 1)
