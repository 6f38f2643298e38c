import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from mitools.core.errors import InputError
from mitools.metrics import clustering
from mitools.metrics.clustering import kmeans_nmi


def blobs(classes=5, each=40, spread=0.02, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    return np.eye(classes)[labels] + rng.normal(0, spread, (len(labels), classes)), labels


@pytest.mark.parametrize("full_rows", [20_000, 10])
def test_separate_clusters_are_found_whole_or_in_batches(monkeypatch, full_rows):
    monkeypatch.setattr(clustering, "FULL_KMEANS_ROWS", full_rows)
    features, labels = blobs()
    lengths = np.random.default_rng(1).uniform(0.1, 10, (len(features), 1))
    assert kmeans_nmi(features * lengths, labels, seed=0) == pytest.approx(1)
    assert kmeans_nmi(features, labels * 7 + 2, seed=0) == pytest.approx(1)


def test_digits_score_far_above_shuffled_labels():
    # Published k-means scores on the 1,797 digits lie around 0.72 to 0.75.
    features, labels = load_digits(return_X_y=True)
    assert 0.70 < kmeans_nmi(features, labels, seed=0) < 0.80
    assert kmeans_nmi(features, np.random.default_rng(0).permutation(labels), seed=0) < 0.02


def test_the_seed_fixes_the_answer():
    features, labels = load_digits(return_X_y=True)
    assert kmeans_nmi(features[:400], labels[:400], seed=3) == kmeans_nmi(
        features[:400], labels[:400], seed=3
    )


def test_constant_features_carry_nothing_and_scikit_learn_says_why():
    with pytest.warns(ConvergenceWarning, match="distinct clusters"):
        assert kmeans_nmi(np.ones((30, 4)), np.arange(30) % 3, seed=0) == 0


def test_bad_input_is_one_line():
    with pytest.raises(InputError, match="30 rows") as error:
        kmeans_nmi(np.ones((30, 4)), [0, 1], seed=0)
    assert "\n" not in str(error.value)
