"""Which rows form pairs, and pairs permuted within each part."""

import numpy as np

from mitools.estimators.inputs.splits import split
from mitools.estimators.pairs import PairedRows, permuted_within


def test_paired_rows_keep_row_with_row() -> None:
    rng = np.random.default_rng(0)
    source = PairedRows(100).within(np.arange(20, 60))
    x, y = source.draw(30, rng)
    np.testing.assert_array_equal(x, y)
    assert len(np.unique(x)) == 30
    x, y = source.draw(500, rng)
    np.testing.assert_array_equal(np.unique(x), np.arange(20, 60))
    x, y = source.independent(rng)
    np.testing.assert_array_equal(x, np.arange(20, 60))
    np.testing.assert_array_equal(x, y)


def test_permuted_rows_stay_in_their_part() -> None:
    parts = split(1000)
    permuted = PairedRows(1000).permuted(parts, np.random.default_rng(0))
    for part in (parts.train, parts.select, parts.report):
        x, y = permuted.within(part).independent(np.random.default_rng(0))
        np.testing.assert_array_equal(np.sort(y), part)
        assert (x == y).mean() < 0.05


def test_values_are_permuted_within_parts_only() -> None:
    parts = split(50)
    values = np.arange(50) * 10
    shuffled = permuted_within(values, parts, np.random.default_rng(0))
    np.testing.assert_array_equal(values, np.arange(50) * 10)
    for part in (parts.train, parts.select, parts.report):
        np.testing.assert_array_equal(np.sort(shuffled[part]), values[part])
