"""Logistic regression in blocks of rows beside scikit-learn's on all of them."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from mitools.estimators.class_information import blockwise_logistic, calibrated_posterior
from mitools.estimators.class_information.blockwise_logistic import _Objective, fit_blockwise


@pytest.fixture
def rows():
    rng = np.random.default_rng(0)
    labels = np.arange(600) % 6
    features = rng.standard_normal((6, 5))[labels] + rng.standard_normal((600, 5))
    return features.astype(np.float32), labels


def several_blocks(monkeypatch, fewest=1):
    monkeypatch.setattr(blockwise_logistic, "NUMBERS_NEAR", 6 * 50)
    monkeypatch.setattr(blockwise_logistic, "FEWEST_ROWS", fewest)


@pytest.mark.parametrize(("inverse_penalty", "fewest"), [(1e-3, 1), (1.0, 1), (1.0, 70), (1.0, 1000)])
def test_the_weights_are_scikit_learns(monkeypatch, rows, inverse_penalty, fewest):
    several_blocks(monkeypatch, fewest)
    features, labels = rows
    theirs = LogisticRegression(C=inverse_penalty, tol=1e-8, max_iter=1000).fit(
        features.astype(float), labels
    )
    ours = fit_blockwise(LogisticRegression(C=inverse_penalty, tol=1e-6, max_iter=1000), *rows, 6)
    np.testing.assert_allclose(ours.predict_proba(features), theirs.predict_proba(features), atol=5e-4)
    assert (ours.predict(features) == theirs.predict(features)).mean() > 0.99


def test_a_fit_starts_from_the_weights_it_is_given(rows):
    model = fit_blockwise(LogisticRegression(C=1.0, tol=1e-4, max_iter=200), *rows, 6)
    took = int(model.n_iter_[0])
    assert fit_blockwise(model, *rows, 6).n_iter_[0] < took / 2


def test_the_gradient_is_that_of_the_loss(monkeypatch, rows):
    several_blocks(monkeypatch)
    objective = _Objective(*rows, 6, 0.1)
    weights = 0.3 * np.random.default_rng(1).standard_normal(6 * 6)
    steps = 0.01 * np.eye(len(weights))
    slopes = [(objective(weights + step)[0] - objective(weights - step)[0]) / 0.02 for step in steps]
    np.testing.assert_allclose(objective(weights)[1], slopes, atol=1e-4)


def test_many_scores_are_fitted_in_blocks_and_few_as_always(monkeypatch, rows):
    called = []
    monkeypatch.setattr(calibrated_posterior, "fit_blockwise", lambda *given: called.append(len(given[1])))
    calibrated_posterior._logistic(*rows, 1.0, start=None)
    assert not called
    monkeypatch.setattr(calibrated_posterior, "NUMBERS_AT_ONCE", 600 * 6 - 1)
    calibrated_posterior._logistic(*rows, 1.0, start=None)
    assert called == [600]
