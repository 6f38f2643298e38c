"""Pointwise information against the exact log ratio of Gaussians, and against the readings it sums to."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import norm

from mitools.core.errors import InputError
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.pointwise_information import (
    pointwise,
    pointwise_of_class_pairs,
    pointwise_of_labels,
    pointwise_reported,
)
from mitools.pairing.same_class import SameClassPairs

BRIEF: dict[str, Any] = {"hidden": (16,), "batch_size": 64, "max_steps": 150, "learning_rate": 5e-3}
JOINT = Gaussian.dense(1, 1, 0.8)
READ_AS_RATIOS = [name for name in VARIATIONAL_METHODS if name != "deep_infomax"]

Floats = NDArray[np.float64]


def drawn(n: int, seed: int) -> tuple[Floats, Floats]:
    return JOINT.draw(n, np.random.default_rng(seed))


def fitted(method: str, n: int, **changes: Any) -> VariationalEstimator:
    critic = "projection" if method == "nt_xent" else "separable"
    return VariationalEstimator(method, critic, **(BRIEF | {"folds": 1} | changes)).fit(*drawn(n, 0))


@pytest.mark.parametrize("method", READ_AS_RATIOS)
def test_the_mean_of_the_reported_pairs_is_the_reading(method: str) -> None:
    estimator = fitted(method, 400, max_steps=100)
    found = pointwise_reported(estimator, *drawn(400, 0))
    assert found.mean_nats == pytest.approx(estimator.estimate_.nats, abs=1e-6)
    np.testing.assert_array_equal(found.rows, estimator.folds_[0].parts.report)
    assert found.nats.std() > 0.01


@pytest.mark.parametrize("method", ["infonce", "nwj"])
def test_pairs_are_told_apart_as_by_the_true_ratio(method: str) -> None:
    estimator = fitted(method, 1500, max_steps=300)
    x, y = drawn(1500, 0)
    reported = pointwise_reported(estimator, x, y)
    truth = JOINT.pointwise(x[reported.rows], y[reported.rows])
    assert np.corrcoef(reported.nats, truth)[0, 1] > 0.9

    new_x, new_y = drawn(1000, 1)
    new = pointwise(estimator, new_x, new_y)
    truth = JOINT.pointwise(new_x, new_y)
    assert np.corrcoef(new.nats, truth)[0, 1] > 0.9
    assert np.abs(new.nats - truth).mean() < 0.3
    assert new.mean_nats == pytest.approx(JOINT.truth.nats, abs=0.12)


def test_after_cross_fitting_every_row_is_read_by_a_critic_that_never_saw_it() -> None:
    x, y = drawn(600, 0)
    estimator = fitted("infonce", 600, folds=2)
    found = pointwise_reported(estimator, x, y)
    np.testing.assert_array_equal(np.sort(found.rows), np.arange(600))
    assert found.mean_nats == pytest.approx(estimator.estimate_.nats, abs=1e-6)
    assert np.corrcoef(found.nats, JOINT.pointwise(x[found.rows], y[found.rows]))[0, 1] > 0.9
    new = drawn(500, 1)
    assert np.corrcoef(pointwise(estimator, *new).nats, JOINT.pointwise(*new))[0, 1] > 0.9


def test_new_pairs_read_what_the_bound_reads_of_them() -> None:
    # Asked about its own report rows as if they were new, the mean is the reading again.
    estimator = fitted("infonce", 400, max_steps=50)
    x, y = drawn(400, 0)
    report = estimator.folds_[0].parts.report
    again = pointwise(estimator, x[report], y[report])
    assert again.mean_nats == pytest.approx(estimator.estimate_.nats, abs=1e-6)
    np.testing.assert_allclose(again.nats, pointwise_reported(estimator, x, y).nats, atol=1e-6)


def test_an_adaptive_fit_reads_new_pairs_too() -> None:
    x, y = drawn(400, 0)
    fit = AdaptiveEstimator(folds=1, hidden=(16,), max_steps=20, check_every=10).fit(x, y)
    report = fit.folds_[0].parts.report
    assert pointwise(fit, x[report], y[report]).mean_nats == pytest.approx(fit.estimate_.nats, abs=1e-5)


def test_pairs_of_one_class_are_read_by_their_rows() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 4
    x = labels[:, None] + 0.3 * rng.standard_normal((400, 2))
    estimator = VariationalEstimator("dv", folds=1, **BRIEF).fit(x, x, SameClassPairs(labels))
    found = pointwise_reported(estimator, x, x)
    np.testing.assert_array_equal(found.rows, estimator.folds_[0].pairs.x)
    assert found.mean_nats == pytest.approx(estimator.estimate_.nats, abs=1e-6)


@pytest.fixture(scope="module")
def two_classes() -> tuple[Floats, NDArray[np.int64], ClassPosterior]:
    """Unit normals at -1 and 1, three items of the first for each of the second, and their certificate."""
    rng = np.random.default_rng(0)
    labels = (np.arange(3000) % 4 == 0).astype(np.int64)
    x = (2.0 * labels - 1 + rng.standard_normal(3000))[:, None]
    return x, labels, ClassPosterior(prior="uniform").fit(x, labels)


def test_class_pairs_sum_to_the_certificate(
    two_classes: tuple[Floats, NDArray[np.int64], ClassPosterior],
) -> None:
    x, labels, certificate = two_classes
    found = pointwise_of_class_pairs(certificate, x, labels)
    np.testing.assert_array_equal(np.sort(found.rows), np.arange(len(x)))
    assert found.mean_nats == pytest.approx(certificate.dv_estimate_.nats, abs=1e-6)
    # The exact mean log ratio of an item to those of its class, on a fine grid.
    grid = np.linspace(-8, 8, 2001)
    for label, mean in ((0, -1.0), (1, 1.0)):
        own = labels[found.rows] == label
        lean = np.tanh(x[found.rows[own], 0])
        density = norm.pdf(grid, mean)
        truth = (np.log1p(np.outer(lean, np.tanh(grid))) * density).sum(axis=1) / density.sum()
        assert np.corrcoef(found.nats[own], truth)[0, 1] > 0.99
        assert np.abs(found.nats[own] - truth).mean() < 0.05


def test_labels_sum_to_the_label_information(
    two_classes: tuple[Floats, NDArray[np.int64], ClassPosterior],
) -> None:
    x, labels, certificate = two_classes
    found = pointwise_of_labels(certificate, x, labels)
    assert found.mean_nats == pytest.approx(certificate.label_information_.nats, abs=1e-6)
    truth = np.log(2) - np.logaddexp(0, -2 * x[found.rows, 0] * (2 * labels[found.rows] - 1))
    assert np.abs(found.nats - truth).mean() < 0.05
    wrong = x[found.rows, 0] * (2 * labels[found.rows] - 1) < -0.5
    assert wrong.any()
    assert (found.nats[wrong] < 0).all()


def test_what_cannot_be_read_is_named() -> None:
    estimator = fitted("dv", 60, max_steps=2)
    x, y = drawn(60, 0)
    with pytest.raises(InputError, match="x has 10 rows, but the fit had"):
        pointwise_reported(estimator, x[:10], y)
    with pytest.raises(InputError, match="two new rows or more"):
        pointwise(estimator, x[:1], y[:1])
    with pytest.raises(InputError, match="x has 5 rows and y has 4"):
        pointwise(estimator, x[:5], y[:4])
    with pytest.raises(InputError, match="take js, the same critic"):
        pointwise_reported(fitted("deep_infomax", 60, max_steps=2), x, y)
    certificate = ClassPosterior().fit(x, np.arange(60) % 2)
    with pytest.raises(InputError, match="5 rows are fewer than the fit had"):
        pointwise_of_class_pairs(certificate, x[:5], np.arange(5) % 2)
