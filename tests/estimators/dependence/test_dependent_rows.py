"""One call tells copies, near copies and series, whatever the sides are; independent rows it lets be."""

import numpy as np
import pandas as pd
import pytest

from mitools.estimators.auto import AutoEstimator
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.row_table import RowTable


def words(x: object, y: object) -> list[str]:
    return [warning.word for warning in dependence_warnings(x, y)]


def images(times: int, jitter: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features and random labels of 300 images, each stored several times, in random order."""
    rng = np.random.default_rng(seed)
    image = rng.permutation(np.repeat(np.arange(300), times))
    features, labels = rng.standard_normal((300, 64)), rng.integers(0, 10, 300)
    return features[image] + jitter * rng.standard_normal((len(image), 64)), labels[image]


@pytest.mark.parametrize(("jitter", "word"), [(0.0, "copies"), (1e-3, "near_copies"), (1e-1, "near_copies")])
def test_copied_images_are_told_by_features_and_labels_of_any_kind(jitter: float, word: str) -> None:
    x, y = images(10, jitter)
    names = np.array(["abcdefghij"[label] for label in y])
    assert words(x, y) == words(x, names) == words(y, x) == [word]
    assert words(pd.DataFrame(x), pd.Series(y)) == [word]
    assert words(RowTable(x.astype(np.float32)), y) == [word]
    assert words(x, images(10, jitter, 1)[0][:, :5]) == []  # partners of their own


def test_both_sides_of_numbers_are_told_to_be_copied() -> None:
    rng = np.random.default_rng(0)
    x, _ = images(10, 1e-2)
    assert words(x, x[:, :8] ** 3) == ["near_copies"]
    assert words(x[:, :1], x) == ["near_copies"]
    assert words(rng.standard_normal((3000, 64)), rng.random(3000)) == []


def test_independent_rows_of_all_kinds_say_nothing() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        x, counts, labels = rng.standard_normal((1000, 16)), rng.poisson(5, 1000), rng.integers(0, 5, 1000)
        for y in (x[:, 0], x**2, counts, labels, np.sort(labels), labels.astype(str), labels.astype(float)):
            assert words(x, y) == []
        assert words(counts, labels) == words(labels, labels) == words(np.sort(labels), np.sort(labels)) == []


def test_series_of_numbers_labels_and_symbols_are_told() -> None:
    rng = np.random.default_rng(0)
    x, y = np.cumsum(rng.standard_normal((2, 2000)), axis=1)
    states, others = (np.repeat(rng.integers(0, 4, 200), 10) for _ in range(2))
    for one, other in ((x, y), (x, states), (states, x), (states, others)):
        assert words(one, other) == ["serial_dependence"]
    assert words(x, rng.permutation(y)) == words(states, rng.permutation(others)) == []


@pytest.mark.parametrize("offset", [1e6, 1.7e9, 1e12])
def test_columns_may_lie_far_from_zero(offset: float) -> None:
    x, y = images(10, 1e-1)
    assert words(offset + x, y) == ["near_copies"]
    rng = np.random.default_rng(0)
    assert words(offset + rng.standard_normal((1000, 3)), rng.integers(0, 4, 1000)) == []


def test_the_best_estimator_tells_them_too() -> None:
    walks = np.cumsum(np.random.default_rng(0).standard_normal((500, 2)), axis=0)
    assert AutoEstimator().estimate(walks[:, 0], walks[:, 1]).has_warning("serial_dependence")
    shuffled = np.random.default_rng(1).permutation(walks)
    assert not AutoEstimator().estimate(shuffled[:, 0], shuffled[:, 1]).has_warning("serial_dependence")
