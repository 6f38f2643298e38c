"""The probe of one hidden layer: it reads what lines cannot, and nothing where there is nothing."""

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.metrics.mlp_probe import mlp_probe_on_test
from mitools.metrics.probe import linear_probe_on_test

Drawn = tuple[NDArray[np.float32], NDArray[np.int64]]


def quadrants(n: int, seed: int) -> Drawn:
    """The sign of a product of two columns, on a scale and with a centre of their own."""
    rows = np.random.default_rng(seed).standard_normal((n, 2))
    labels = (rows[:, 0] * rows[:, 1] > 0).astype(np.int64)
    return (100 + 5 * rows).astype(np.float32), labels


def test_it_reads_what_a_linear_classifier_cannot() -> None:
    (train, labels), (test, truth) = quadrants(500, 0), quadrants(400, 1)
    right = mlp_probe_on_test(train, labels, test, truth, epochs=25)
    assert right.mean() > 0.9
    assert linear_probe_on_test(train, labels, test, truth).mean() < 0.6
    assert np.array_equal(right, mlp_probe_on_test(train, labels, test, truth, epochs=25))


def test_labels_without_meaning_are_read_by_chance() -> None:
    """More columns than half the rows can be learnt by heart; held out, four standard errors of chance."""
    rng = np.random.default_rng(0)
    rows = rng.standard_normal((600, 200)).astype(np.float32)
    labels = rng.integers(0, 2, 600)
    right = mlp_probe_on_test(rows[:300], labels[:300], rows[300:], labels[300:], epochs=8)
    assert abs(right.mean() - 0.5) < 4 * 0.5 / np.sqrt(300)


def test_constant_columns_change_nothing_but_noise() -> None:
    (train, labels), (test, truth) = quadrants(400, 0), quadrants(300, 1)
    wide = [np.hstack([rows, np.full((len(rows), 3), 7.0, np.float32)]) for rows in (train, test)]
    assert mlp_probe_on_test(wide[0], labels, wide[1], truth, epochs=30).mean() > 0.85


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda a, b, c, d: (a, b[:-1], c, d), "train_labels"),
        (lambda a, b, c, d: (a, b, c[:, :1], d), r"train has rows of \(2,\) numbers and test of \(1,\)"),
        (lambda a, b, c, d: (a, b, c, d + 1), "test has class 2, which train lacks"),
    ],
)
def test_rows_that_do_not_fit_are_one_line(change, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        mlp_probe_on_test(*change(*quadrants(60, 0), *quadrants(30, 1)), epochs=1)
    assert "\n" not in str(caught.value)
