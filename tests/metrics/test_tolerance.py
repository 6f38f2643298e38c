import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mitools.core.errors import InputError
from mitools.metrics import tolerance as tolerance_module
from mitools.metrics.tolerance import tolerance, tolerance_all_pairs


def brute_force(features, labels):
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    cosine = unit @ unit.T
    different = ~np.eye(len(unit), dtype=bool)
    same = (labels[:, None] == labels) & different
    return cosine[same].mean(), (cosine * same)[different].mean()


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(4, 60), st.integers(1, 5), st.integers(1, 7))
def test_class_sums_give_the_mean_over_pairs(seed, n, classes, d):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d))
    labels = np.concatenate([[0, 0], rng.integers(0, classes, n - 2)])
    mean, all_pairs = brute_force(features, labels)
    assert tolerance(features, labels) == pytest.approx(mean, abs=1e-12)
    assert tolerance_all_pairs(features, labels) == pytest.approx(all_pairs, abs=1e-12)


def test_blocks_and_the_names_of_labels_do_not_change_it(monkeypatch):
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(50, 3)), rng.integers(0, 4, 50)
    expected = tolerance(features, labels)
    monkeypatch.setattr(tolerance_module, "BLOCK_ROWS", 7)
    assert tolerance(features, labels) == pytest.approx(expected, abs=1e-12)
    assert tolerance(features, labels * 10 - 3) == pytest.approx(expected, abs=1e-12)


def test_known_values():
    features = np.array([[1.0, 0], [5, 0], [0, 1], [0, -1]])
    labels = np.array([0, 0, 1, 1])
    assert tolerance(features, labels) == 0  # the pairs are +1 and -1
    assert tolerance(features[:2], labels[:2]) == 1
    assert tolerance_all_pairs(features, [0, 0, 1, 2]) == pytest.approx(1 / 6)  # one pair of six, cosine 1


def test_constant_and_dead_features():
    labels = np.arange(20) % 4
    assert tolerance(np.full((20, 3), -2.0, dtype=np.float32), labels) == pytest.approx(1, abs=1e-6)
    assert tolerance(np.zeros((20, 3)), labels) == 0


@pytest.mark.parametrize("function", [tolerance, tolerance_all_pairs])
@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (np.ones((3, 2)), [0, 1], "3 rows"),
        (np.full((3, 2), np.nan), [0, 0, 1], "NaN"),
    ],
)
def test_bad_input_is_one_line(function, features, labels, words):
    with pytest.raises(InputError, match=words) as error:
        function(features, labels)
    assert "\n" not in str(error.value)


def test_tolerance_needs_a_class_with_two_items_and_the_other_reading_two_rows():
    with pytest.raises(InputError, match="no class has two"):
        tolerance(np.ones((3, 2)), [0, 1, 2])
    assert tolerance_all_pairs(np.ones((3, 2)), [0, 1, 2]) == pytest.approx(0, abs=1e-12)
    with pytest.raises(InputError, match="two rows"):
        tolerance_all_pairs(np.ones((1, 2)), [0])
