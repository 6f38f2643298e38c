"""Copies are told from rows that are alike by chance."""

from pathlib import Path

import numpy as np
import pytest

from mitools.estimators.dependence.copies import _row_codes, copied_rows, copies_warning, copy_groups
from mitools.estimators.inputs import row_table
from mitools.estimators.inputs.row_table import RowTable

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


def test_copies_are_one_group() -> None:
    order = RNG.permutation(np.tile(np.arange(2000), 3))
    groups = copy_groups(RowTable(X[order]))
    assert len(groups) == 6000
    assert len(np.unique(groups)) == len(np.unique(np.stack([groups, order], axis=1), axis=0)) == 2000
    assert len(np.unique(copy_groups(RowTable(X)))) == 2000


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_table_that_is_mapped_from_a_file_is_read_in_parts(
    kind: type, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_table, "NUMBERS_AT_ONCE", 1000)
    np.save(tmp_path / "rows.npy", np.tile(RNG.standard_normal((2000, 33)), (2, 1)).astype(kind))
    mapped = np.load(tmp_path / "rows.npy", mmap_mode="r")
    labels = np.tile(np.arange(2000) % 7, 2)
    assert copied_rows(RowTable(mapped), labels) == copied_rows(mapped, labels) == 2000
    assert copied_rows(RowTable(mapped[:2000]), labels[:2000]) == 0


def test_whole_numbers_as_floats_have_codes_of_their_own() -> None:
    """Their bytes differ in a few high bits only."""
    rows = np.stack(np.meshgrid(*[np.arange(20.0)] * 4), axis=-1).reshape(-1, 4)
    assert len(np.unique(_row_codes(rows))) == len(rows) == 160_000
    assert len(np.unique(_row_codes(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]])))) == 2


def test_copies_are_warned_of() -> None:
    warning = copies_warning(np.tile(X, (2, 1)), np.tile(Y, 2))
    assert warning is not None
    assert warning.word == "copies"
    assert "2,000 of 4,000" in warning.sentence
    assert "groups=" in warning.remedy
    assert copies_warning(X, Y) is None
