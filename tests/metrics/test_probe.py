"""The linear probe against scikit-learn and against what chance gives."""

import numpy as np
import pytest
from scipy.stats import norm
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from mitools.core.errors import InputError
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import split
from mitools.metrics.probe import linear_probe, linear_probe_on_test


def test_digits_are_probed_as_well_as_by_scikit_learn() -> None:
    x, labels = load_digits(return_X_y=True)
    x, parts = x.astype(np.float32), split(len(x), labels)
    fit = np.concatenate([parts.train, parts.select])
    peer = GridSearchCV(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        {"logisticregression__C": [0.001, 0.01, 0.1, 1]},
        cv=3,
    )
    theirs = peer.fit(x[fit], labels[fit]).score(x[parts.report], labels[parts.report])
    # 360 report items: two correct classifiers differ by a percent or two.
    assert linear_probe(x, labels, parts) == pytest.approx(theirs, abs=0.02)
    assert theirs > 0.9


def test_the_probe_is_the_certificates_classifier() -> None:
    x, labels = load_digits(return_X_y=True)
    x, parts = x.astype(np.float32), split(len(x), labels, seed=3)
    certificate = ClassPosterior(seed=3).fit(x, labels, parts)
    assert linear_probe(x, labels, parts) == certificate.accuracy_


def test_separable_classes_are_told_apart() -> None:
    labels = np.arange(600) % 3
    x = np.eye(3, dtype=np.float32)[labels]
    assert linear_probe(x, labels, split(600, labels)) == 1


def test_features_without_information_give_chance() -> None:
    labels = np.arange(5000) % 5
    x = np.random.default_rng(0).standard_normal((5000, 6)).astype(np.float32)
    # 1,000 report items: a share of 1/5 has a standard deviation of 0.0126.
    assert linear_probe(x, labels, split(5000, labels)) == pytest.approx(0.2, abs=0.04)


def test_two_classes_and_uneven_ones_are_probed_too() -> None:
    rng = np.random.default_rng(0)
    labels = (rng.random(2000) < 0.1).astype(np.int64)
    x = (6 * labels[:, None] + rng.standard_normal((2000, 1))).astype(np.float32)
    # Two normal classes six deviations apart: the best rule errs on about 0.1%.
    assert linear_probe(x, labels, split(2000, labels)) > 0.99


def gaussians(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Two normal classes two deviations apart, of which the best rule gets Phi(1) right."""
    labels = np.arange(n) % 2
    noise = np.random.default_rng(seed).standard_normal((n, 4))
    noise[:, 0] += 2 * labels
    return noise.astype(np.float32), labels


def test_on_a_test_set_the_probe_reaches_the_best_rule() -> None:
    (train, labels), (test, test_labels) = gaussians(4000, 0), gaussians(20_000, 1)
    right = linear_probe_on_test(train, labels, test, test_labels)
    assert right.shape == (20_000,)
    # The share has a standard deviation of 0.0026.
    assert right.mean() == pytest.approx(norm.cdf(1), abs=0.012)
    again = linear_probe_on_test(train, labels, test[::-1], test_labels[::-1])
    assert np.array_equal(again[::-1], right)


def test_on_a_test_set_the_probe_does_as_well_as_scikit_learn() -> None:
    x, labels = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    train, test = np.arange(1200), np.arange(1200, len(x))
    peer = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000))
    theirs = peer.fit(x[train], labels[train]).score(x[test], labels[test])
    ours = linear_probe_on_test(x[train], labels[train], x[test], labels[test]).mean()
    assert ours == pytest.approx(theirs, abs=0.02)
    assert theirs > 0.85


def test_nothing_is_learnt_from_the_test_set() -> None:
    train, labels = gaussians(1000, 0)
    test, test_labels = gaussians(1000, 1)
    right = linear_probe_on_test(train, labels, test, test_labels)
    wrong = linear_probe_on_test(train, labels, test, 1 - test_labels)
    assert np.array_equal(right, ~wrong)


def test_parts_that_do_not_fit_are_one_line() -> None:
    x, labels = gaussians(100, 0)
    for test, test_labels, message in (
        (x[:, :3], labels, "train has rows of"),
        (x, labels + 1, "test has class 2, which train lacks"),
        (x, labels[:50], "test_labels"),
    ):
        with pytest.raises(InputError, match=message) as caught:
            linear_probe_on_test(x, labels, test, test_labels)
        assert "\n" not in str(caught.value)
