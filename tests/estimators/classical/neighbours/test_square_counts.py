"""Counts in intervals and squares beside those of all distances, ties and rounded sums included."""

import numpy as np
import pytest

from mitools.estimators.classical.neighbours.search import count_within
from mitools.estimators.classical.neighbours.square_counts import count_in_squares


def lattice(rng, n, d):
    """Values of one decimal, whose sums and differences are rounded differently."""
    return np.round(rng.standard_normal((n, d)), 1), np.round(rng.uniform(0.1, 1, n), 1)


def cloud(rng, n, d):
    return rng.standard_normal((n, d)), rng.uniform(0.01, 1, n)


@pytest.mark.parametrize("draw", [lattice, cloud])
@pytest.mark.parametrize("n", [1, 2, 7, 8, 9, 400])
def test_squares_hold_the_points_of_all_distances(draw, n):
    points, radii = draw(np.random.default_rng(n), n, 2)
    inside = np.abs(points[:, None] - points).max(axis=2) < radii[:, None]
    np.testing.assert_array_equal(count_in_squares(points, radii), inside.sum(axis=1))


@pytest.mark.parametrize("draw", [lattice, cloud])
def test_intervals_hold_the_values_of_all_distances(draw):
    points, radii = draw(np.random.default_rng(0), 400, 1)
    inside = np.abs(points - points.T) < radii[:, None]
    counts, _ = count_within(points, radii, np.arange(0))
    np.testing.assert_array_equal(counts, inside.sum(axis=1))


def test_single_precision_is_counted_as_it_is():
    points, radii = (a.astype(np.float32) for a in lattice(np.random.default_rng(1), 300, 2))
    inside = np.abs(points[:, None] - points).max(axis=2) < radii[:, None]
    np.testing.assert_array_equal(count_in_squares(points, radii), inside.sum(axis=1))
