"""A posterior that can be believed: chosen and calibrated on items that did not fit it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from mitools.core.errors import InputError
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior

UNIFORM = np.full(4, 0.25)


def fitted(
    x: np.ndarray, labels: np.ndarray, prior: np.ndarray, classifier: Any = None
) -> CalibratedPosterior:
    """Fit on the first two thirds and calibrate on the rest."""
    cut = 2 * len(x) // 3
    x = x.astype(np.float32)
    return CalibratedPosterior(classifier).fit(x[:cut], labels[:cut], x[cut:], labels[cut:], prior)


def test_the_default_recovers_the_true_posterior(mixture: Callable[..., Any]) -> None:
    truth = mixture(2.0)
    x, labels = truth.draw(6000, np.random.default_rng(0))
    fresh, _ = truth.draw(2000, np.random.default_rng(1))
    found = fitted(x, labels, UNIFORM).predict_proba(fresh.astype(np.float32))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert found.min() > 0
    assert np.abs(found - truth.posterior(fresh)).mean() < 0.01


def test_the_posterior_is_moved_to_the_prior_that_is_meant(mixture: Callable[..., Any]) -> None:
    # Drawn with other frequencies, read with a uniform prior: the posterior under the uniform prior.
    truth = mixture(2.0)
    x, labels = truth.draw(9000, np.random.default_rng(0), frequencies=(0.6, 0.2, 0.15, 0.05))
    fresh, _ = truth.draw(2000, np.random.default_rng(1))
    found = fitted(x, labels, UNIFORM).predict_proba(fresh.astype(np.float32))
    assert np.abs(found - truth.posterior(fresh)).mean() < 0.02
    drawn = mixture(2.0, (0.6, 0.2, 0.15, 0.05)).posterior(fresh)
    assert np.abs(found - drawn).mean() > 0.05


@pytest.mark.parametrize(
    "classifier",
    [GaussianNB(), KNeighborsClassifier(100), RandomForestClassifier(100, min_samples_leaf=40)],
    ids=lambda classifier: type(classifier).__name__,
)
def test_any_classifier_is_calibrated(mixture: Callable[..., Any], classifier: Any) -> None:
    truth = mixture(2.0)
    x, labels = truth.draw(6000, np.random.default_rng(0))
    fresh, _ = truth.draw(2000, np.random.default_rng(1))
    model = fitted(x, labels, UNIFORM, classifier)
    assert model.inverse_penalty_ is None
    assert np.abs(model.predict_proba(fresh.astype(np.float32)) - truth.posterior(fresh)).mean() < 0.03


class Sharpened(GaussianNB):
    """Four times as sure as it should be."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        sharp = super().predict_proba(x) ** 4
        return sharp / sharp.sum(axis=1, keepdims=True)


def test_a_classifier_four_times_too_sure_is_turned_down_to_a_quarter(mixture: Callable[..., Any]) -> None:
    x, labels = mixture(2.0).draw(6000, np.random.default_rng(0))
    assert fitted(x, labels, UNIFORM, GaussianNB()).sharpness_ == pytest.approx(1, abs=0.06)
    assert fitted(x, labels, UNIFORM, Sharpened()).sharpness_ == pytest.approx(0.25, abs=0.015)


def test_labels_without_features_leave_the_prior() -> None:
    rng = np.random.default_rng(0)
    prior = np.array([0.1, 0.2, 0.3, 0.4])
    model = fitted(rng.standard_normal((3000, 20)), rng.integers(0, 4, 3000), prior)
    found = model.predict_proba(rng.standard_normal((100, 20)).astype(np.float32))
    assert np.abs(found - prior).max() < 0.05


def test_nothing_is_believed_rarer_than_select_could_show() -> None:
    labels = np.arange(300) % 2
    model = fitted(labels[:, None] * 100.0, labels, np.array([0.5, 0.5]))
    found = model.predict_proba(np.array([[0.0], [100.0]], dtype=np.float32))
    assert found.min() == pytest.approx(0.5 / (100 + 2), rel=1e-3)


@pytest.mark.parametrize("seed", range(4))
def test_what_tells_classes_apart_is_found_beside_a_hundredfold_nuisance(seed: int) -> None:
    # The strongest regularisation sees the nuisance alone and learns nothing: the walk must go on.
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 4, 1600)
    nuisance = 100 * rng.standard_normal((1600, 10))
    signal = 2 * np.random.default_rng(99).standard_normal((4, 10))[labels] + rng.standard_normal((1600, 10))
    x = np.concatenate([nuisance + signal, nuisance], axis=1).astype(np.float32)
    model = fitted(x, labels, UNIFORM)
    assert (model.predict(x) == labels).mean() > 0.98


def test_more_dimensions_than_items_still_generalise() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(150) % 3
    centres = rng.standard_normal((3, 1000))
    x = (0.3 * centres[labels] + rng.standard_normal((150, 1000))).astype(np.float32)
    model = fitted(x, labels, np.full(3, 1 / 3))
    fresh = (0.3 * centres[labels] + rng.standard_normal((150, 1000))).astype(np.float32)
    assert (model.predict(fresh) == labels).mean() > 0.95
    own = model.predict_proba(fresh)[np.arange(150), labels]
    assert -np.log(own).mean() < 0.5 * np.log(3)


def test_the_chosen_regularisation_is_the_best_on_select() -> None:
    x, labels = load_digits(return_X_y=True)
    prior = np.bincount(labels) / len(labels)
    cut = 2 * len(x) // 3
    model = fitted(x, labels, prior)

    def loss(inverse_penalty: float) -> float:
        one = CalibratedPosterior(inverse_penalties=[inverse_penalty])
        rows = x.astype(np.float32)
        one.fit(rows[:cut], labels[:cut], rows[cut:], labels[cut:], prior)
        own = one.predict_proba(rows[cut:])[np.arange(len(x) - cut), labels[cut:]]
        return -float(np.log(own).mean())

    losses = [loss(inverse_penalty) for inverse_penalty in INVERSE_PENALTIES]
    assert model.inverse_penalty_ == INVERSE_PENALTIES[int(np.argmin(losses))]


def test_the_decisions_are_those_of_scikit_learns_logistic_regression() -> None:
    x, labels = load_digits(return_X_y=True)
    x = x.astype(np.float32)
    model = fitted(x, labels, np.full(10, 0.1))
    train = slice(0, 2 * len(x) // 3)
    scale = x[train].std(axis=0)
    standardised = (x - x[train].mean(axis=0)) / np.where(scale > 0, scale, 1)
    peer = LogisticRegression(C=model.inverse_penalty_, max_iter=1000).fit(standardised[train], labels[train])
    assert (model.predict(x) == peer.predict(standardised)).mean() > 0.995


def test_a_column_constant_in_training_cannot_upset_the_rest() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 1500)
    x = np.stack([2.0 * labels + rng.standard_normal(1500), np.full(1500, 0.1)], axis=1)
    fresh = x[:100].astype(np.float32)
    fresh[:, 1] = 0.2
    model = fitted(x, labels, np.array([0.5, 0.5]))
    np.testing.assert_allclose(
        model.predict_proba(fresh), model.predict_proba(x[:100].astype(np.float32)), atol=0.01
    )


@pytest.mark.parametrize("factor", [1e-20, 1e20, 1e38])
def test_the_unit_of_the_features_does_not_matter(factor: float) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    x = np.clip(0.5 * labels + 0.3 * rng.standard_normal(600), -1, 2)[:, None]
    plain, scaled = fitted(x, labels, np.array([0.5, 0.5])), fitted(x * factor, labels, np.array([0.5, 0.5]))
    np.testing.assert_allclose(
        scaled.predict_proba((x * factor).astype(np.float32)),
        plain.predict_proba(x.astype(np.float32)),
        atol=1e-3,
    )


def test_a_classifier_without_probabilities_is_refused() -> None:
    with pytest.raises(InputError, match="LinearSVC gives no class probabilities"):
        fitted(np.zeros((30, 1)), np.arange(30) % 2, np.array([0.5, 0.5]), LinearSVC())


class Broken(GaussianNB):
    """Gives what is no probability."""

    def predict_proba(self, x: np.ndarray) -> np.ndarray:
        return np.full((len(x), 2), np.nan)


def test_probabilities_that_are_not_finite_are_an_error() -> None:
    with pytest.raises(InputError, match="Broken gives probabilities that are not finite"):
        fitted(np.arange(30.0)[:, None], np.arange(30) % 2, np.array([0.5, 0.5]), Broken())


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_classifier_that_missed_a_class_is_refused() -> None:
    labels = np.r_[np.arange(20) % 2, np.arange(10) % 3]
    with pytest.raises(InputError, match="2 probabilities a row for 3 classes"):
        fitted(np.arange(30.0)[:, None], labels, np.full(3, 1 / 3), GaussianNB())
