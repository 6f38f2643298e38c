"""What the guard counts, against features spoilt on purpose and second computations."""

import numpy as np
import pytest

from mitools.estimators.inputs import row_table as tables
from mitools.metrics.feature_quality import feature_quality


def rows(n=400, d=12, seed=0):
    return np.random.default_rng(seed).standard_normal((n, d)).astype(np.float32)


def erank(x):
    """The effective rank by a singular value decomposition in double precision."""
    singular = np.linalg.svd(x - x.mean(axis=0, dtype=np.float64), compute_uv=False)
    share = singular[singular > 0] / singular.sum()
    return np.exp(-(share * np.log(share)).sum())


def test_sound_features_are_left_in_peace():
    found = feature_quality(rows())
    assert (found.dim, found.rows) == (12, 400)
    counts = (found.constant_dims, found.dead_units, found.duplicate_rows, found.nonfinite_rows)
    assert counts == (0, 0, 0, 0)
    assert found.warnings(classes=10) == []


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("numbers_at_once", [1 << 24, 100], ids=["whole", "in chunks"])
def test_what_was_spoilt_is_counted(dtype, numbers_at_once, monkeypatch):
    monkeypatch.setattr(tables, "NUMBERS_AT_ONCE", numbers_at_once)
    x = rows()
    x[:, 3] = 0
    x[:, 7] = 0.1
    x[:, 8] = 1e4 + np.linspace(0, 1e-3, 400)
    x[[20, 399]] = x[5]
    x[301] = x[300]
    x = x.astype(dtype)
    x[[50, 60, 70]], x[50, 0], x[60, 1], x[70, 2] = x[[50, 60, 70]], np.nan, np.inf, -np.inf
    found = feature_quality(x)
    assert found.dead_units == 1
    assert found.constant_dims == 3
    assert found.duplicate_rows == 3
    assert found.nonfinite_rows == 3


def test_zero_and_minus_zero_are_one_value():
    assert feature_quality(np.array([[0.0, 1.0], [-0.0, 1.0], [2.0, 3.0]])).duplicate_rows == 1


@pytest.mark.parametrize("d", [12, 13, 40])
def test_rows_of_few_values_collide_only_where_they_are_equal(d):
    x = np.random.default_rng(0).integers(0, 2, (30_000, d)).astype(np.float16)
    assert feature_quality(x).duplicate_rows == len(x) - len(np.unique(x, axis=0))


@pytest.mark.parametrize(("n", "d"), [(400, 12), (12, 40)])
@pytest.mark.parametrize("scale", [1e-15, 1.0, 1e15])
def test_the_effective_rank_is_that_of_the_singular_values(n, d, scale):
    x = rows(n, d) * np.linspace(0.1, 3, d, dtype=np.float32) + 5
    assert feature_quality(x * scale).effective_rank == pytest.approx(erank(x), rel=1e-3)


@pytest.mark.parametrize("directions", [1, 2, 5])
def test_features_on_few_directions_have_that_rank(directions):
    x = rows(2000, directions) @ np.linalg.qr(rows(20, directions, 1))[0].T
    assert feature_quality(x).effective_rank == pytest.approx(directions, rel=0.02)


def test_features_without_any_variation_have_none():
    for value in (0.0, 1.0):
        found = feature_quality(np.full((300, 4), value))
        assert found.effective_rank == 0
        assert found.duplicate_rows == 299
    assert feature_quality(rows(1, 4)).effective_rank == 0


def test_the_spectrum_of_many_rows_is_taken_from_some(monkeypatch):
    monkeypatch.setattr("mitools.metrics.feature_quality.SPECTRUM_ROWS", 1000)
    x = rows(5000, 6)
    assert feature_quality(x).effective_rank == pytest.approx(erank(x), rel=0.02)


def test_warnings_name_what_is_told():
    x = rows(200, 40)
    x[:, 1:5] = 0
    x[:4] = x[4]
    found = feature_quality(x).warnings(classes=10)
    assert found == ["constant_dims (4 of 40)", "duplicate_rows (4 of 200)"]
    line = feature_quality(rows(200, 1) @ rows(1, 40))
    assert line.warnings(classes=100) == ["collapsed (effective rank 1.0 of 40)"]
    assert line.warnings(classes=2) == []
    x[7, 0] = np.nan
    assert "nonfinite (1 of 200 rows)" in feature_quality(x).warnings(classes=10)
