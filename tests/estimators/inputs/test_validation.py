"""What arrays an estimator accepts."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import (
    as_classes,
    as_known_classes,
    as_labels,
    as_rows,
    as_table,
    location_and_scale,
    require_columns,
    require_single,
    same_length,
)


@pytest.mark.parametrize("dtype", [np.float16, np.float64, np.int32, np.uint8, bool])
def test_real_numbers_become_float32_rows(dtype: Any) -> None:
    rows = as_rows(np.array([[1, 0], [0, 1], [1, 1]], dtype), "x")
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, [[1, 0], [0, 1], [1, 1]])


def test_a_vector_becomes_one_column_and_a_list_will_do() -> None:
    assert as_rows(np.arange(3), "x").shape == (3, 1)
    assert as_rows([[1.5, 2], [3, 4]], "x").tolist() == [[1.5, 2], [3, 4]]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.array([1 + 2j]), "x holds complex128"),
        (np.array([None, 1.0]), "x holds object"),
        (np.array(["a"]), "x holds <U1"),
        (np.array(["2020-01-01"], "datetime64[D]"), "x holds datetime64"),
        (np.zeros((2, 3, 4)), r"x has shape \(2, 3, 4\)"),
        (np.float64(3), r"x has shape \(\)"),
        (np.zeros((0, 3)), r"x has shape \(0, 3\)"),
        (np.zeros((3, 0)), r"x has shape \(3, 0\)"),
        ([[1, 2], [3]], "rows differ in length"),
        (np.array([[0, 0], [0, np.nan], [1, np.inf]]), "2 of 3 rows, the first at row 1"),
        (np.array([0, 1e39]), "overflowing values in 1 of 2 rows, the first at row 1"),
        (np.array([np.inf, -np.inf]), "2 of 2 rows"),
    ],
)
def test_what_is_no_table_of_finite_numbers_is_refused(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_rows(bad, "x")


def test_large_values_are_finite_even_where_their_sum_is_not() -> None:
    assert as_rows(np.full((100, 2), 3e38), "x").shape == (100, 2)


@pytest.mark.parametrize(
    ("labels", "read"),
    [
        ([3, 7, 3], [0, 1, 0]),
        ([-1.0, 2.0, 2.0], [0, 1, 1]),
        ([[0], [4], [2]], [0, 2, 1]),
        (["cat", "ape", "cat"], [1, 0, 1]),
        ([True, False, True], [1, 0, 1]),
    ],
)
def test_labels_become_numbers_from_0_on(labels: Any, read: list[int]) -> None:
    found = as_labels(labels)
    assert found.dtype == np.int64
    assert found.tolist() == read


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([0.5, 1.0], "not whole numbers"),
        ([0.0, np.nan], "not whole numbers"),
        ([0.0, np.inf], "not whole numbers"),
        (np.array([1 + 0j]), "hold complex128"),
        (np.array([None, 1]), "hold object"),
        (np.eye(3), r"shape \(3, 3\), but one label a row"),
        ([], "shape"),
        ([[0], [0, 1]], "differ in length"),
    ],
)
def test_what_is_no_vector_of_classes_is_refused(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_labels(bad)


def test_different_lengths_are_refused() -> None:
    same_length(3, 3, "x", "y")
    with pytest.raises(InputError, match="x has 3 rows and y has 4"):
        same_length(3, 4, "x", "y")


def test_columns_are_located_and_scaled_in_double_precision() -> None:
    rng = np.random.default_rng(0)
    rows = np.stack([np.full(3000, 0.1), rng.normal(1e4, 1, 3000), rng.normal(0, 1e30, 3000)], axis=1)
    mean, scale = location_and_scale(rows.astype(np.float32))
    assert (mean.dtype, scale.dtype) == (np.float32, np.float32)
    assert mean[0] == np.float32(0.1)
    assert scale[0] == 1
    np.testing.assert_allclose(scale[1:], rows.std(axis=0)[1:], rtol=1e-3)
    np.testing.assert_allclose(mean[1], rows[:, 1].mean(), rtol=1e-6)


@pytest.mark.parametrize("column", [1.7e9 + np.arange(50.0), 10**12 + 10**5 * np.arange(50)])
def test_what_single_precision_cannot_tell_apart_is_shifted_first(column: Any) -> None:
    table = as_table(np.stack([np.arange(50), column], axis=1), "x")
    first, second = table.rows().T
    np.testing.assert_array_equal(first, np.arange(50))
    np.testing.assert_array_equal(np.diff(second), np.diff(column))


def test_new_rows_are_shifted_as_those_of_the_fit() -> None:
    fitted = as_table(1.7e9 + np.arange(50.0), "x")
    new = as_table(1.7e9 + np.arange(40.0, 60.0), "x", fitted.centring)
    np.testing.assert_array_equal(new.rows()[:10], fitted.rows(slice(40, 50)))


def test_a_shifted_column_is_refused_where_its_units_count() -> None:
    plain = as_table(np.arange(50.0), "x")
    assert require_single(plain, "x") is plain
    with pytest.raises(InputError, match=r"x: column 0 varies about 1.7e\+09 .* subtract a constant"):
        require_single(as_table(1.7e9 + np.arange(50.0), "x"), "x")


def test_rounding_errors_and_values_far_from_each_other_are_taken() -> None:
    noise = 0.3 + 1e-16 * np.arange(50)
    assert as_table(np.stack([noise, 1e9 * np.arange(50), 1e6 + 100.0 * np.arange(50)], axis=1), "x")


TWO = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


@pytest.mark.parametrize(
    "values",
    [
        TWO,
        TWO.clone().requires_grad_() * 1,
        torch.nn.Parameter(TWO),
        TWO.bfloat16(),
        TWO.half(),
        TWO.to_sparse(),
        TWO.to(torch.int64),
        TWO.T.contiguous().T,
        list(TWO.clone().requires_grad_()),
        pd.DataFrame(TWO.numpy()),
        pd.DataFrame({"a": pd.array([1, 3]), "b": [2.0, 4.0]}),
    ],
    ids=str,
)
def test_what_holds_numbers_is_taken_whatever_it_is(values: Any) -> None:
    np.testing.assert_array_equal(as_rows(values, "x"), [[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (torch.ones(3, 2, device="meta"), "x is a tensor on the meta device, which holds no values"),
        (torch.tensor([1 + 2j]), "x holds complex64"),
        ([torch.ones(2), torch.ones(3)], "rows differ in length"),
        (pd.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"]}), "x holds object"),
        (
            pd.DataFrame({"a": pd.array([1, None]), "b": [1.5, 2.0]}),
            "NaN.* in 1 of 2 rows, the first at row 1",
        ),
        (pd.Series(pd.to_datetime(["2020-01-01"])), "x holds datetime64"),
    ],
)
def test_tensors_and_frames_without_finite_numbers_are_refused(bad: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        as_rows(bad, "x")


@pytest.mark.parametrize("dtype", [None, "category", object])
def test_names_in_a_series_are_labels(dtype: Any) -> None:
    assert as_labels(pd.Series(["cat", "ape", "cat"], dtype=dtype)).tolist() == [1, 0, 1]


def test_classes_keep_what_they_were_given_as_and_find_new_labels() -> None:
    classes, places = as_classes([30, 10, 30])
    assert (classes.tolist(), places.tolist()) == ([10, 30], [1, 0, 1])
    assert as_known_classes([10.0, 30.0], classes).tolist() == [0, 1]
    for unknown in ([20], [5], [40], ["ape"]):
        with pytest.raises(InputError, match="none of the 2 classes of the fit"):
            as_known_classes(unknown, classes)


def test_new_rows_have_the_columns_of_the_fit() -> None:
    table = as_table(np.zeros((3, 2)), "x")
    assert require_columns(table, 2, "x") is table
    with pytest.raises(InputError, match="x has 2 columns, but the fit had 3"):
        require_columns(table, 3, "x")
