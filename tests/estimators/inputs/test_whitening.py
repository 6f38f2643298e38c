"""Columns made uncorrelated, and what is left out of them."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.inputs.whitening import Whitening


def test_whitening_makes_the_fitted_rows_white_and_keeps_volumes() -> None:
    rng = np.random.default_rng(0)
    y = (rng.standard_normal((5000, 3)) @ rng.standard_normal((3, 3)) + 5).astype(np.float32)
    y = np.insert(y, 1, 4.0, axis=1)
    whiten = Whitening(y)
    white = whiten(y)
    assert white.shape == (5000, 3)
    np.testing.assert_allclose(np.cov(white.T), np.eye(3), atol=0.02)
    covariance = np.cov(np.delete(y, 1, axis=1).T)
    assert whiten.log_volume == pytest.approx(-0.5 * np.linalg.slogdet(covariance)[1], abs=0.02)


def test_copies_and_sums_of_columns_are_left_out() -> None:
    y = np.random.default_rng(0).standard_normal((500, 2)).astype(np.float32)
    whiten = Whitening(np.column_stack([y, y[:, 0], y.sum(axis=1), np.ones(500)]).astype(np.float32))
    assert whiten.matrix.shape == (5, 2)
    assert not whiten.keeps_all
    assert Whitening(y).keeps_all
    few = Whitening(np.random.default_rng(0).standard_normal((10, 30)).astype(np.float32))
    assert few.keeps_all


def test_a_y_that_does_not_vary_has_no_density() -> None:
    with pytest.raises(InputError, match="y does not vary"):
        Whitening(np.ones((20, 2), dtype=np.float32))
