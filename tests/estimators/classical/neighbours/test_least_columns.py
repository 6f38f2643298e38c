"""The least values of rows beside a full sort of them."""

import numpy as np
import pytest

from mitools.estimators.classical.neighbours.least_columns import least_columns


@pytest.mark.parametrize("n", [5, 80, 159, 160, 1601])
def test_the_least_columns_are_those_of_a_sorted_row(n):
    rng = np.random.default_rng(n)
    for values in (rng.standard_normal((9, n)), rng.integers(0, 3, (9, n)).astype(float)):
        found = least_columns(values, 4)
        assert all(len(set(row)) == 4 for row in found)
        least = np.take_along_axis(values, found, axis=1)
        np.testing.assert_array_equal(np.sort(least, axis=1), np.sort(values, axis=1)[:, :4])
        np.testing.assert_array_equal(least[:, -1], least.max(axis=1))
