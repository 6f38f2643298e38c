"""Copies are told from rows that are alike by chance."""

import numpy as np
import pytest

from mitools.estimators.inputs.duplicates import copied_rows

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((2000, 3)), RNG.standard_normal(2000)


@pytest.mark.parametrize("times", [2, 4])
def test_copies_are_counted(times: int) -> None:
    assert copied_rows(np.tile(X, (times, 1)), np.tile(Y, times)) == (times - 1) * 2000


def test_some_copies_are_counted_and_labels_may_repeat() -> None:
    labels = np.arange(2000) % 5
    assert copied_rows(np.vstack([X, X[:300]]), np.append(labels, labels[:300])) == 300
    assert copied_rows(X, labels) == 0


@pytest.mark.parametrize(
    "rows",
    [
        X,
        np.round(X, 1),
        X.astype(np.float16),
        np.where(X > 0.5, 0.0, X),
        RNG.integers(0, 4, (2000, 3)).astype(float),
    ],
    ids=["distinct", "rounded", "half precision", "an atom", "whole numbers"],
)
def test_rows_alike_by_chance_are_none(rows: np.ndarray) -> None:
    assert copied_rows(rows, np.round(Y, 1)) == 0
    assert copied_rows(rows[:, 0], np.round(Y, 1)) == 0


def test_a_copy_with_another_label_is_another_row() -> None:
    assert copied_rows(np.tile(X, (2, 1)), np.repeat([0, 1], 2000)) == 0
    assert copied_rows(np.arange(10), np.arange(10) % 2) == 0
