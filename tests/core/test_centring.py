"""Columns that single precision does not resolve are shifted to where it does, and no others."""

import numpy as np
import pytest

from mitools.core.centring import find_centring, to_single, whole_as_double

STEPS = np.random.default_rng(0).permutation(500)
"""What the columns below tell apart: 500 values in random order."""


@pytest.mark.parametrize(
    "column",
    [
        1.7e9 + STEPS,  # seconds since 1970
        -1e12 + STEPS / 16,
        1 + 1e-7 * STEPS / 500,
        1e-40 * STEPS,  # below what single precision has numbers for
        (1_700_000_000 + STEPS).astype(np.int32),
        1_700_000_000_000_000_000 + STEPS,  # nanoseconds, which double precision does not tell apart
        np.uint64(2**63) + STEPS.astype(np.uint64),
    ],
    ids=["seconds", "offset", "near one", "tiny", "int32", "nanoseconds", "uint64"],
)
def test_what_differs_stays_different_and_in_order(column):
    rows = np.column_stack([column, np.zeros(500, column.dtype)])
    centring = find_centring(rows)
    assert centring.columns.tolist() == [0]
    found = to_single(rows, centring)
    assert (found.dtype, found.shape) == (np.float32, (500, 2))
    np.testing.assert_array_equal(np.argsort(found[:, 0]), np.argsort(STEPS))
    assert len(np.unique(found[:, 0])) == 500
    assert not found[:, 1].any()


def test_rows_read_later_are_shifted_alike():
    rows = (1_700_000_000_000_000_000 + STEPS)[:, None]
    centring = find_centring(rows)
    np.testing.assert_array_equal(centring(rows[7:9]), centring(rows)[7:9])


@pytest.mark.parametrize(
    "column",
    [
        1e6 + 100.0 * STEPS,  # more than a thousand steps of single precision
        0.3 + 1e-16 * STEPS,  # rounding errors of double precision
        np.full(500, 1.7e9),
        np.full(500, 1_700_000_000),
        1.7e9 + STEPS.astype(np.float32),  # stored in single precision: nothing is left to keep
        STEPS.astype(np.int16),
        np.full(500, np.nan),
    ],
    ids=["resolved", "rounding", "constant", "whole constant", "float32", "int16", "nan"],
)
def test_other_columns_are_read_to_the_last_digit_as_they_are(column):
    column = column.astype(np.float32) if column.dtype == np.float32 else column
    rows = np.column_stack([column, STEPS.astype(column.dtype)])
    assert find_centring(rows) is None
    np.testing.assert_array_equal(to_single(rows, None), rows.astype(np.float32))


def test_a_column_beside_a_shifted_one_is_untouched():
    rows = np.column_stack([1.7e9 + STEPS, 0.1 * STEPS])
    found = to_single(rows, find_centring(rows))
    np.testing.assert_array_equal(found[:, 1], rows[:, 1].astype(np.float32))


def test_whole_numbers_beyond_double_precision_stay_different():
    stamps = np.column_stack([1_700_000_000_000_000_000 + STEPS, STEPS])
    found = whole_as_double(stamps)
    np.testing.assert_array_equal(found[:, 0] - found[0, 0], STEPS - STEPS[0])
    np.testing.assert_array_equal(found[:, 1], STEPS)
    wide = np.array([[-(2**62)], [2**62]])  # too far from each other for a shift to help
    np.testing.assert_array_equal(whole_as_double(wide), wide.astype(np.float64))
