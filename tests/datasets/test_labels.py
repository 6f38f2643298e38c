"""Classes that are told apart where they come from stay apart: names, large numbers, texts of numbers."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitools.core.errors import InputError
from mitools.datasets.arrays import number_labels
from mitools.datasets.readers.columns import number_classes
from mitools.datasets.readers.features import read_features

LARGE = 2**63
"""The first number that 64 bits hold without a sign only, and that no float has to itself."""


@given(st.lists(st.text(), min_size=1, max_size=8))
def test_different_texts_are_different_classes(texts: list[str]) -> None:
    classes, labels = number_classes(texts)
    assert [classes[label] for label in labels] == texts


@given(st.lists(st.integers(-(2**64), 2**64), min_size=1, max_size=8))
def test_different_whole_numbers_are_different_classes(numbers: list[int]) -> None:
    classes, labels = number_classes(numbers)
    assert [int(classes[label]) for label in labels] == numbers


def test_whole_numbers_as_texts_are_in_their_order_and_endless_ones_are_names() -> None:
    assert number_classes(["10", "9", "-1"])[0] == ["-1", "9", "10"]
    endless = "1" * 5000
    assert number_classes(["10", "9", endless])[0] == ["10", endless, "9"]


def test_large_labels_of_a_file_are_told_apart(tmp_path: Path) -> None:
    values = np.array([LARGE, LARGE + 1] * 5, dtype=np.uint64)
    np.savez(tmp_path / "rows.npz", features=np.eye(10), labels=values)
    pq.write_table(pa.table({"x": np.arange(10.0), "label": values}), tmp_path / "rows.parquet")
    for name in ("rows.npz", "rows.parquet"):
        found = read_features(tmp_path / name)
        assert found.classes == [str(LARGE), str(LARGE + 1)]
        assert found.labels.tolist() == [0, 1] * 5


@pytest.mark.parametrize(
    "values", [[-1, LARGE, LARGE + 1], np.float32([2.0**25, 1.0])], ids=["ints", "floats"]
)
def test_labels_that_came_as_floats_too_large_to_be_told_apart_are_refused(values: object) -> None:
    with pytest.raises(InputError, match=r"different whole numbers are the same|no 64 bits hold together"):
        number_labels(values)


def test_floats_that_are_told_apart_are_labels() -> None:
    assert number_labels(np.float32([2.0**24, 1.0]))[0] == ["1", "16777216"]
