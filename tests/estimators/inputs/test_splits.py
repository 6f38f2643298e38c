"""The three parts: disjoint, complete, and fair to every class."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitools.core.errors import InputError
from mitools.estimators.inputs.splits import Parts, as_many_as_report, split


def joined(parts: Parts) -> np.ndarray:
    return np.concatenate([parts.train, parts.select, parts.report])


@given(st.integers(10, 2000), st.integers(0, 100))
def test_parts_are_disjoint_and_cover_every_item(n: int, seed: int) -> None:
    parts = split(n, seed=seed)
    np.testing.assert_array_equal(np.sort(joined(parts)), np.arange(n))
    assert len(parts.report) == pytest.approx(0.2 * n, abs=1)
    assert len(parts.select) == pytest.approx(0.15 * n, abs=1)
    for part in (parts.train, parts.select, parts.report):
        assert (np.diff(part) > 0).all()


@given(st.lists(st.integers(5, 60), min_size=1, max_size=8), st.integers(0, 100))
def test_every_class_has_a_pair_to_train_on_one_to_select_by_and_a_pair_to_report_on(
    sizes: list[int], seed: int
) -> None:
    strata = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))
    parts = split(len(strata), strata, seed)
    np.testing.assert_array_equal(np.sort(joined(parts)), np.arange(len(strata)))
    train, select, report = (
        np.bincount(strata[part], minlength=len(sizes)) for part in (parts.train, parts.select, parts.report)
    )
    assert train.min() >= 2
    assert select.min() >= 1
    assert report.min() >= 2
    assert (np.abs(report - 0.2 * np.array(sizes)) <= 1).all()


def test_a_seed_gives_one_split_and_another_seed_another() -> None:
    first, same, other = split(100, seed=3), split(100, seed=3), split(100, seed=4)
    np.testing.assert_array_equal(first.report, same.report)
    assert not np.array_equal(first.report, other.report)


def test_items_are_dealt_without_regard_to_their_order() -> None:
    parts = split(10_000, np.repeat(np.arange(10), 1000))
    for part in (parts.train, parts.select, parts.report):
        # The mean rank of a random part of n is 1/2 with deviation 1 / sqrt(12 n).
        assert abs(part.mean() / 10_000 - 0.5) < 3 / np.sqrt(12 * len(part))


def test_too_few_items_are_refused() -> None:
    with pytest.raises(InputError, match="9 items cannot be split"):
        split(9)


def test_a_class_too_small_for_the_parts_is_named() -> None:
    with pytest.raises(InputError, match="class 1 has 4 items, but five are needed"):
        split(24, np.repeat([0, 1], [20, 4]))


def test_as_many_training_items_of_every_class_as_report_has() -> None:
    strata = np.repeat([0, 1, 2], [100, 5, 37])
    parts = split(len(strata), strata)
    drawn = as_many_as_report(parts, strata, np.random.default_rng(0))
    assert np.isin(drawn, parts.train).all()
    assert len(np.unique(drawn)) == len(drawn)
    np.testing.assert_array_equal(np.bincount(strata[drawn]), np.bincount(strata[parts.report]))


def test_as_many_training_items_as_report_has_are_drawn_at_random() -> None:
    parts = split(10_000)
    drawn = as_many_as_report(parts, None, np.random.default_rng(0))
    assert len(drawn) == len(parts.report)
    assert abs(drawn.mean() / 10_000 - 0.5) < 3 / np.sqrt(12 * len(drawn))
    strata = np.zeros(10_000, dtype=np.int64)
    drawn = as_many_as_report(parts, strata, np.random.default_rng(0))
    assert abs(drawn.mean() / 10_000 - 0.5) < 3 / np.sqrt(12 * len(drawn))
