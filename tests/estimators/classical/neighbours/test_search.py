"""Nearest neighbours in the maximum norm, by trees and by brute force."""

import numpy as np
import pytest

from mitools.estimators.classical.neighbours import search
from mitools.estimators.classical.neighbours.distances import shifted_in_blocks


@pytest.mark.parametrize("n", [2, 7, 8, 15, 16, 203, 1000])
def test_the_shift_takes_every_row_to_another_of_its_block(n):
    apart = shifted_in_blocks(n)
    np.testing.assert_array_equal(np.sort(apart), np.arange(n))
    assert (apart != np.arange(n)).all()
    assert np.abs(apart - np.arange(n)).max() < 16


def distances(rows):
    return np.abs(rows[:, None] - rows[None]).max(axis=2)


@pytest.mark.parametrize("brute", [True, False])
@pytest.mark.parametrize("d", [1, 3])
def test_the_nearest_others_are_those_of_all_distances(monkeypatch, brute, d):
    monkeypatch.setattr(search, "brute_force_pays", lambda n, dimensions: brute)
    rows = np.random.default_rng(0).standard_normal((120, d))
    found, numbers = search.nearest_others(rows, 4)
    to_all = distances(rows)
    np.fill_diagonal(to_all, np.inf)
    np.testing.assert_allclose(found, np.sort(to_all, axis=1)[:, :4], rtol=1e-12)
    np.testing.assert_allclose(np.take_along_axis(to_all, numbers, axis=1), found, rtol=1e-12)


@pytest.mark.parametrize("brute", [True, False])
@pytest.mark.parametrize("d", [1, 3])
def test_counts_and_shares_are_those_of_all_distances(monkeypatch, brute, d):
    monkeypatch.setattr(search, "brute_force_pays", lambda n, dimensions: brute)
    rng = np.random.default_rng(1)
    rows, radii, sample = rng.standard_normal((120, d)), rng.uniform(0.2, 1, 120), np.arange(0, 120, 7)
    counts, share = search.count_within(rows, radii, sample)
    within = distances(rows) < radii[:, None]
    np.testing.assert_array_equal(counts, within.sum(axis=1))
    others = within & ~np.eye(120, dtype=bool)
    np.testing.assert_allclose(
        share, (others / np.maximum(others.sum(axis=1), 1)[:, None]).sum(axis=0)[sample], atol=1e-12
    )
