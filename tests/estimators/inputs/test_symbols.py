"""Rows as symbols: equal rows are one."""

import numpy as np
import pytest
import torch

from mitools.core.errors import InputError
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.inputs.symbols import as_symbols, numbered_together, row_symbols, symbol_values


def test_rows_of_symbols_are_symbols():
    rng = np.random.default_rng(1)
    x = rng.integers(0, 3, (2000, 2))
    y = 3 * x[:, 0] + x[:, 1]
    assert DiscreteEstimator("plug_in").estimate(x, y).nats == pytest.approx(np.log(9), abs=0.01)
    assert DiscreteEstimator("plug_in").estimate(x * 1.0, y.astype(str)).nats == pytest.approx(
        np.log(9), abs=0.01
    )
    assert DiscreteEstimator().estimate(np.column_stack([-0.0 * y, y]), y).settings["symbols_x"] == 9


def test_large_whole_numbers_keep_their_last_digits():
    first = np.arange(400) % 4
    ids = 2**60 + np.stack([first, np.zeros(400, dtype=np.int64)], axis=1)
    assert DiscreteEstimator("plug_in").estimate(ids, first).nats == pytest.approx(np.log(4))


def test_equal_rows_are_one_symbol_whatever_their_zeros():
    rows = np.array([[0.0, 1.0], [2.0, 1.0], [-0.0, 1.0], [0.0, 1.5]])
    symbols = row_symbols(rows)
    assert symbols[0] == symbols[2]
    assert len(np.unique(symbols)) == 3


def test_a_constant_side_has_no_column():
    assert as_symbols(np.full(5, 7), "x").shape == (5, 0)
    assert as_symbols(np.full((5, 2), 7), "x").shape == (5, 0)


def test_names_and_tensors_are_symbols():
    assert as_symbols(["b", "a", "b"], "x").tolist() == [1, 0, 1]
    assert as_symbols(torch.tensor([[0, 1], [0, 1], [1, 1]]), "x").tolist() == [0, 0, 1]


def test_rows_of_fractions_are_refused():
    with pytest.raises(InputError, match="x is not of whole numbers; use the binned method"):
        as_symbols(np.array([[0.5, 1.0], [1.0, 2.0]]), "x")


def test_the_same_value_has_the_same_number_on_both_sides():
    x, y, symbols = numbered_together(np.array([7, 3, 7]), np.array([9.0, 7.0, 3.0]))
    assert (x.tolist(), y.tolist(), symbols) == ([1, 0, 1], [2, 1, 0], 3)
    x, y, symbols = numbered_together(np.array([7, 3, 7]), np.array(["b", "a", "c"]))
    assert (x.tolist(), y.tolist(), symbols) == ([1, 0, 1], [1, 0, 2], 3)
    x, y, symbols = numbered_together(np.array([7, 3, 7]), np.array([107, 103, 107]))
    assert (x.tolist(), y.tolist(), symbols) == ([1, 0, 1], [1, 0, 1], 2)


def test_rows_of_several_columns_are_one_value_each():
    values = symbol_values(np.array([[1, 2], [0, 9], [1, 2]]), "x")
    assert values[0] == values[2] != values[1]
    assert symbol_values(np.ones((4, 2)), "x").tolist() == ["0", "0", "0", "0"]
    assert symbol_values(["b", "a"], "x").tolist() == ["b", "a"]
