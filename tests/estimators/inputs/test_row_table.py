"""Rows that need not fit in memory: the same numbers, whatever is looked at together."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from mitools.estimators.class_information import calibrated_posterior as posterior
from mitools.estimators.class_information import class_pairs
from mitools.estimators.class_information import minibatch_logistic as minibatch
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.dependence import copies, near_copies, serial_dependence
from mitools.estimators.inputs import row_table as tables
from mitools.estimators.inputs.row_table import RowTable, spans
from mitools.estimators.inputs.validation import as_table, location_and_scale

ROWS = np.random.default_rng(0).standard_normal((57, 5)).astype(np.float32)


def test_chunks_are_the_rows_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 20)
    for table, expected in [(RowTable(ROWS), ROWS), (RowTable(ROWS).at(np.arange(50, 3, -2)), ROWS[50:3:-2])]:
        parts = list(table.chunks())
        assert max(len(rows) for _, rows in parts) == 4
        np.testing.assert_array_equal(np.concatenate([rows for _, rows in parts]), expected)
        for places, rows in parts:
            np.testing.assert_array_equal(rows, expected[places])
    assert [len(range(57)[some]) for some in spans(57, 100)] == [1] * 57


def test_a_part_of_a_part_is_that_of_the_array() -> None:
    table = RowTable(ROWS.astype(np.float16)).at(np.arange(10, 40)).at(np.array([3, 0, 29]))
    assert table.rows().dtype == np.float32
    np.testing.assert_array_equal(table.rows(), ROWS[[13, 10, 39]].astype(np.float16))
    assert (len(table), table.width) == (3, 5)


def test_float32_rows_are_not_copied() -> None:
    assert np.shares_memory(RowTable(ROWS).rows(), ROWS)
    assert np.shares_memory(as_table(ROWS, "x").rows(slice(3, 9)), ROWS)


def test_location_and_scale_are_numpys_to_the_last_digit_and_hardly_differ_in_chunks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = ROWS * np.float32([1e-3, 1, 1e3, 1e6, 0]) + 7
    mean, scale = location_and_scale(rows)
    np.testing.assert_array_equal(mean, rows.mean(axis=0, dtype=np.float64).astype(np.float32))
    expected = rows.std(axis=0, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(scale, np.where(expected > 0, expected, 1))
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 20)
    np.testing.assert_allclose(location_and_scale(rows), (mean, scale), rtol=1e-6)


def test_the_certificate_does_not_depend_on_how_much_is_looked_at_together(
    mixture_of: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    x, labels = mixture_of(1.0).draw(1500, np.random.default_rng(0))
    # To float16 and back, so that the file holds the same numbers.
    x = x.astype(np.float16)
    whole = ClassPosterior().fit(x.astype(np.float32), labels)
    x.tofile(tmp_path / "rows")
    mapped = np.memmap(tmp_path / "rows", np.float16, "r", shape=x.shape)
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 64)
    chunked = ClassPosterior().fit(mapped, labels)
    for name in ("dv_estimate_", "nwj_estimate_", "label_information_"):
        one, other = getattr(whole, name), getattr(chunked, name)
        assert other.nats == pytest.approx(one.nats, abs=1e-6)
        assert other.stderr_nats == pytest.approx(one.stderr_nats, rel=1e-4)
        assert other.null_nats == pytest.approx(one.null_nats, abs=1e-6)
    np.testing.assert_allclose(chunked.influence_, whole.influence_, atol=1e-4)
    assert chunked.accuracy_ == whole.accuracy_


@pytest.mark.slow
def test_no_copy_of_all_rows_is_made(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    n, d = 20_000, 160
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 4
    mapped = np.memmap(tmp_path / "rows", np.float16, "w+", shape=(n, d))
    mapped[:] = rng.standard_normal((n, d)) + rng.standard_normal((4, d))[labels]
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", 1 << 16)
    monkeypatch.setattr(posterior, "NUMBERS_IN_MEMORY", 1 << 16)
    monkeypatch.setattr(minibatch, "STEPS_AT_LEAST", 100)
    monkeypatch.setattr(class_pairs, "CLASS_PAIR_BLOCK", 256)
    # The search for rows that depend on each other looks at so many at most, whatever n is.
    for module, name, most in (
        (near_copies, "ROWS_AT_ONCE", 64),
        (near_copies, "QUERIES", 100),
        (serial_dependence, "MOST_STRETCHES", 50),
        (copies, "ROWS_TO_CHOOSE_A_COLUMN", 512),
    ):
        monkeypatch.setattr(module, name, most)
    ClassPosterior().fit(mapped[:2000], labels[:2000])  # what torch imports on the first fit is not counted
    tracemalloc.start()
    try:
        fitted = ClassPosterior(folds=1).fit(mapped, labels)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert fitted.accuracy_ > 0.9
    # What is left grows with n alone (labels, influence values, a score a class), not with n d.
    assert peak < mapped.size * 4 / 2


def test_a_classifier_of_the_callers_is_fitted_to_a_random_part(
    mixture_of: Callable[[float], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    mixture = mixture_of(1.0)
    x, labels = mixture.draw(4000, np.random.default_rng(0))
    monkeypatch.setattr(posterior, "NUMBERS_IN_MEMORY", 1000 * (x.shape[1] + 4))
    fit = ClassPosterior(GaussianNB(), prior="uniform").fit(x, labels)
    assert (fit.estimate_.settings["fitted_as"], fit.estimate_.settings["n_fitted"]) == ("random part", 1000)
    assert fit.estimate_.nats == pytest.approx(mixture.same_class_nats(), rel=0.15)
