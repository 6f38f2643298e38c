"""Neighbours of other groups are those that all distances give, by whatever search."""

import numpy as np
import pytest

from mitools.estimators.classical.grouped import strangers
from mitools.estimators.classical.neighbours import strangers as stranger_search


def rows_in_groups(n=240, d=2, seed=0):
    rng = np.random.default_rng(seed)
    groups = np.sort(rng.integers(0, 30, n))[rng.permutation(n)]
    groups[:70] = 0  # one that is much larger than the others
    groups = np.unique(groups, return_inverse=True)[1]
    return rng.standard_normal((groups.max() + 1, d))[groups] + 0.1 * rng.standard_normal((n, d)), groups


def all_distances(rows, groups):
    distances = np.abs(rows[:, None] - rows).max(axis=2)
    return distances, groups[:, None] != groups


@pytest.mark.parametrize("search", ["brute", "tree", "tree for large groups"])
def test_nearest_strangers_are_the_nearest_of_other_groups(search, monkeypatch):
    monkeypatch.setattr(stranger_search, "brute_force_pays", lambda n, dimensions: search == "brute")
    monkeypatch.setattr(stranger_search, "LARGE_GROUP", 40 if search == "tree for large groups" else 1000)
    monkeypatch.setattr(stranger_search, "_FOUND_AT_ONCE", 500)
    rows, groups = rows_in_groups()
    distances, found = stranger_search.nearest_strangers(rows, groups, 4)
    to_all, strange = all_distances(rows, groups)
    expected = np.sort(np.where(strange, to_all, np.inf), axis=1)[:, :4]
    np.testing.assert_allclose(distances, expected, atol=1e-12)
    assert strange[np.arange(len(rows))[:, None], found].all()
    np.testing.assert_allclose(np.take_along_axis(to_all, found, axis=1), distances, atol=1e-12)


@pytest.mark.parametrize("large", [40, 1000])
@pytest.mark.parametrize("d", [1, 2])
def test_counts_and_shares_are_those_of_strangers(d, large, monkeypatch):
    monkeypatch.setattr(stranger_search, "LARGE_GROUP", large)
    rows, groups = rows_in_groups(d=d)
    radii = np.random.default_rng(1).uniform(0.2, 1, len(rows))
    sample = np.arange(3, 240, 7)
    counts, share = stranger_search.count_strangers(rows, radii, groups, sample)
    to_all, strange = all_distances(rows, groups)
    near = (to_all < radii[:, None]) & strange
    np.testing.assert_array_equal(counts, near.sum(axis=1) + 1)
    weights = near / np.maximum(near.sum(axis=1), 1)[:, None]
    np.testing.assert_allclose(share, weights.sum(axis=0)[sample], atol=1e-12)
    np.testing.assert_array_equal(strangers(groups), strange.sum(axis=1))


def test_nearest_of_the_class_in_other_groups():
    rows, groups = rows_in_groups()
    labels = np.arange(240) % 3
    labels[groups == 5] = 3  # a class that lies in one group
    close = stranger_search.class_strangers(rows, labels, groups, 3)
    to_all, strange = all_distances(rows, groups)
    able = strange & (labels[:, None] == labels)
    np.testing.assert_array_equal(close.found, labels != 3)
    np.testing.assert_array_equal(close.in_class, able.sum(axis=1))
    expected = np.sort(np.where(able, to_all, np.inf), axis=1)[:, 2]
    np.testing.assert_allclose(close.radii[close.found], expected[close.found])
    assert close.chosen.sum() == pytest.approx(close.found.sum())
