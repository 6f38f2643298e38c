import numpy as np
import pandas as pd
import pytest
import torch

from mitools.core.arrays import as_array
from mitools.core.errors import InputError

ROWS = np.array([[1.0, 2.0], [3.0, 4.5], [5.0, 6.0]], dtype=np.float32)


@pytest.mark.parametrize(
    "values",
    [
        ROWS,
        ROWS.tolist(),
        tuple(map(tuple, ROWS)),
        torch.from_numpy(ROWS),
        torch.from_numpy(ROWS).requires_grad_(),
        torch.from_numpy(ROWS).bfloat16(),
        torch.from_numpy(ROWS).to_sparse(),
        torch.from_numpy(ROWS[:, ::-1].copy()).flip(1),
        [row.requires_grad_() for row in torch.from_numpy(ROWS.copy())],
        pd.DataFrame(ROWS, columns=["a", "b"]),
        pd.DataFrame({"a": pd.array([1, 3, 5], dtype="Int64"), "b": ROWS[:, 1]}),
        np.ma.masked_array(ROWS, mask=False),
        ROWS.astype(object),
    ],
    ids=lambda values: type(values).__name__,
)
def test_rows_are_rows_whatever_holds_them(values):
    np.testing.assert_array_equal(as_array(values, "x"), ROWS)


@pytest.mark.parametrize(
    "values",
    [
        ["cat", "dog", "cat"],
        pd.Series(["cat", "dog", "cat"], index=[7, 8, 9]),
        pd.Series(["cat", "dog", "cat"], dtype="category"),
        pd.Series(["cat", "dog", "cat"], dtype="string"),
        pd.DataFrame({"label": ["cat", "dog", "cat"]})["label"],
        np.array(["cat", "dog", "cat"], dtype=object),
    ],
    ids=lambda values: f"{type(values).__name__}",
)
def test_names_are_names_whatever_holds_them(values):
    array = as_array(values, "y")
    assert array.dtype.kind == "U"
    assert array.tolist() == ["cat", "dog", "cat"]


def test_whole_numbers_stay_whole():
    for values in ([1, 2], pd.Series([1, 2], dtype=object), torch.tensor([1, 2]), np.array([1, 2], object)):
        assert as_array(values, "y").dtype.kind == "i"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"a": [1]}, "x is a dict; give an array, a tensor, a DataFrame, a Series or a list"),
        ("text", "x is a str"),
        (3, "x is a int"),
        (None, "x is a NoneType"),
        ((k for k in range(3)), "x is a generator"),
        ([[1], [1, 2]], "its rows differ in length"),
        ([1, None], "x has nothing in row 1"),
        (pd.Series(["a", None, "b"]), "x has nothing in row 1"),
        (pd.Series(["a", pd.NA], dtype="string"), "x has nothing in row 1"),
        ([1, "a", object()], "holds objects"),
        ([object(), object()], "x holds objects (object)"),
        (pd.DataFrame({"a": [1], "b": ["c"]}), "column 'b' holds no numbers"),
        (np.ma.masked_array([1, 2], mask=[0, 1]), "masked"),
        (torch.empty(2, device="meta"), "meta device"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_holds_no_array_is_refused_in_one_sentence(values, words):
    with pytest.raises(InputError) as caught:
        as_array(values, "x")
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("values", [[-1, 2**63, 2**63 + 1], [b"a", "a"], [1, "1"]])
def test_values_that_numpy_would_make_one_are_refused(values):
    with pytest.raises(InputError, match=r"no 64 bits hold together|write them alike"):
        as_array(values, "labels")
