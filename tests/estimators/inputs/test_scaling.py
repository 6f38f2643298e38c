"""Scalings of the columns: what they keep, and what they do with rows that were not fitted."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs.scaling import SCALINGS, fit_scaling


def column(values):
    return np.array(values, dtype=np.float32)[:, None]


@pytest.mark.parametrize("name", SCALINGS)
def test_constant_columns_become_0_whatever_comes_later(name):
    rng = np.random.default_rng(0)
    train = np.column_stack([np.full(50, 0.1), rng.standard_normal(50)]).astype(np.float32)
    other = rng.standard_normal((20, 2)).astype(np.float32)
    scaled = fit_scaling(name, train)(other)
    assert not scaled[:, 0].any()
    assert scaled[:, 1].any()
    assert scaled.dtype == np.float32


def test_standardised_columns_have_the_moments_of_the_fitted_rows():
    rows = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32) * 7 + 100
    scaled = fit_scaling("standardise", rows[:150])(rows)
    expected = (rows - rows[:150].mean(axis=0)) / rows[:150].std(axis=0)
    np.testing.assert_allclose(scaled, expected, rtol=1e-4, atol=1e-5)


def test_none_returns_the_values():
    rows = np.random.default_rng(0).standard_cauchy((50, 2)).astype(np.float32)
    np.testing.assert_array_equal(fit_scaling("none", rows[:30])(rows), rows)


def test_an_unknown_scaling_names_those_there_are():
    with pytest.raises(InputError, match="'rank'; accepted: rank_normal, standardise or none"):
        fit_scaling("rank", column([1, 2]))
