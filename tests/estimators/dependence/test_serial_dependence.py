"""The order of rows is told where both sides are series, and where their dependence is none of chance."""

import numpy as np
import pytest
from scipy.signal import lfilter

from mitools.estimators.dependence.serial_dependence import (
    label_correlations,
    lag_correlations,
    serial_dependence_warning,
)
from mitools.estimators.inputs.row_table import RowTable


def series(phi: float, n: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """Autoregressive columns of order 1."""
    return lfilter([1], [1, -phi], rng.standard_normal((n, columns)), axis=0)


@pytest.mark.parametrize("n", [200, 2000])
@pytest.mark.parametrize("phi", [0.9, 0.99, 1.0])
def test_two_series_are_told_and_shuffled_ones_are_not(phi: float, n: int) -> None:
    told = 0
    for seed in range(10):
        rng = np.random.default_rng(seed)
        x, y = series(phi, n, 1, rng), series(phi, n, 2, rng)
        warning = serial_dependence_warning(x, y, seed)
        told += warning is not None and warning.word == "serial_dependence" and "block=" in warning.remedy
        order = rng.permutation(n)
        assert serial_dependence_warning(x[order], y[order], seed) is None
    assert told >= 9


def test_frames_of_labelled_clips_are_told_in_many_dimensions() -> None:
    rng = np.random.default_rng(0)
    rows, labels = series(0.95, 2000, 128, rng), np.repeat(rng.integers(0, 3, 40), 50)
    assert serial_dependence_warning(RowTable(rows), labels) is not None
    by_class = np.argsort(labels, kind="stable")
    assert serial_dependence_warning(rows[by_class], labels[by_class]) is not None


@pytest.mark.parametrize("n", [200, 1000])
@pytest.mark.parametrize("kind", ["normal", "heavy tails", "counts", "rare categories", "constant"])
def test_independent_rows_are_not_told(kind: str, n: int) -> None:
    for seed in range(20):
        rng = np.random.default_rng(seed)
        rows = {
            "normal": rng.standard_normal((n, 3)),
            "heavy tails": rng.standard_t(1, (n, 3)),
            "counts": rng.poisson(0.3, (n, 3)),
            "rare categories": np.eye(n)[rng.integers(0, n, n)],
            "constant": np.ones((n, 2)),
        }[kind]
        assert serial_dependence_warning(rows, rows, seed) is None
        assert serial_dependence_warning(rows, rng.integers(0, 5, n), seed) is None


def test_one_series_beside_independent_rows_is_not_told() -> None:
    rng = np.random.default_rng(0)
    walk, rows, labels = series(1.0, 1000, 3, rng), rng.standard_normal((1000, 3)), rng.integers(0, 5, 1000)
    assert serial_dependence_warning(walk, rows) is None
    assert serial_dependence_warning(rows, walk) is None
    assert serial_dependence_warning(walk, labels) is None
    assert serial_dependence_warning(rows, np.repeat(np.arange(20), 50)) is None


@pytest.mark.parametrize("with_labels", [True, False])
def test_a_file_sorted_by_class_is_no_series(with_labels: bool) -> None:
    for seed in range(10):
        rng = np.random.default_rng(seed)
        labels = np.sort(rng.integers(0, 10, 2000))
        means = 3 * rng.standard_normal((10, 32))
        x, y = (means[labels] + rng.standard_normal((2000, 32)) for _ in range(2))
        assert serial_dependence_warning(x, labels if with_labels else y, seed) is None


def test_few_rows_say_nothing() -> None:
    walk = np.cumsum(np.random.default_rng(0).standard_normal((99, 1)), axis=0)
    assert serial_dependence_warning(walk, walk) is None


def test_labels_that_stay_correlate_as_often_as_they_stay() -> None:
    """Drawn afresh with probability 0.2, labels l steps apart are the same label's with 0.8^l."""
    rng = np.random.default_rng(0)
    shape, fresh = 200_000, rng.integers(0, 4, 200_000)
    last = np.maximum.accumulate(np.where(rng.random(shape) < 0.2, np.arange(shape), 0))
    found = label_correlations(fresh[last].reshape(-1, 20))
    np.testing.assert_allclose(found.correlations, 0.8 ** np.arange(1, 9), atol=0.02)


def test_order_without_meaning_gives_standard_normal_deviations() -> None:
    deviations = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        deviations.append(lag_correlations(rng.standard_normal((20, 20, 4)), rng).deviations[0])
        deviations.append(label_correlations(rng.integers(0, 4, (20, 20))).deviations[0])
    assert abs(np.mean(deviations)) < 0.3
    assert 0.8 < np.std(deviations) < 1.3
