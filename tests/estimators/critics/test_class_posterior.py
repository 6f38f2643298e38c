"""The critic that a class posterior gives."""

import numpy as np
import pytest
import torch
from sklearn.naive_bayes import GaussianNB

from mitools.core.errors import InputError
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.critics.class_posterior import ClassPosteriorBase


@pytest.mark.parametrize("n_classes", [2, 4])
def test_the_class_base_is_the_posteriors_ratio(n_classes, mixture):
    case = mixture(2.0, (1 / n_classes,) * n_classes)
    x, labels = case.draw(3000, np.random.default_rng(0))
    x = x.astype(np.float32)
    prior = np.array(case.prior)
    posterior = CalibratedPosterior().fit(x[:1500], labels[:1500], x[1500:2000], labels[1500:2000], prior)
    base = ClassPosteriorBase(posterior)
    rows = x[2000:2100]
    q = posterior.predict_proba(rows).astype(np.float64)
    scores = base(torch.from_numpy(rows), torch.from_numpy(rows[:50]))
    np.testing.assert_allclose(scores.numpy(), np.log((q / prior) @ q[:50].T), rtol=1e-3, atol=1e-3)


def test_the_class_base_reads_the_same_class_information(mixture):
    case = mixture(3.0)
    rng = np.random.default_rng(0)
    x, labels = case.draw(4000, rng)
    x = x.astype(np.float32)
    prior = np.array(case.prior)
    posterior = CalibratedPosterior().fit(x[:3000], labels[:3000], x[3000:], labels[3000:], prior)
    classes = rng.choice(4, 3000)
    a, b = (3.0 * classes[:, None] + rng.standard_normal((3000, 1)) for _ in "xy")
    reading = read_donsker_varadhan(
        ClassPosteriorBase(posterior), *(torch.from_numpy(v).float() for v in (a, b))
    )
    assert abs(reading.nats - case.same_class_nats()) < 3 * reading.stderr + 0.01
    assert case.same_class_nats() > 0.8


def test_the_class_base_refuses_other_classifiers():
    rows, labels = np.random.default_rng(0).standard_normal((100, 2)).astype(np.float32), np.arange(100) % 2
    posterior = CalibratedPosterior(GaussianNB()).fit(rows, labels, rows, labels, np.array([0.5, 0.5]))
    with pytest.raises(InputError, match="needs logistic regression, not GaussianNB"):
        ClassPosteriorBase(posterior)
