"""Readings that disagree are a range; readings that agree are one number."""

from types import SimpleNamespace

import numpy as np
import pytest

from mitools.core.estimate import Estimate, Interval
from mitools.estimators.auto import AutoEstimator
from mitools.estimators.automatic.choice import Choice
from mitools.estimators.automatic.disagreement import agree, with_range


def reading(nats, stderr=0.01, method="ksg"):
    return Estimate(method, "point estimate", nats, stderr, Interval(nats - 0.02, nats + 0.02, 0.95))


def shown(nats, **others):
    chosen = Choice(SimpleNamespace(estimate_=reading(nats, method="components")), "why")
    return with_range(chosen, {name: reading(value) for name, value in others.items()}).estimate()


def test_a_reading_that_stands_alone_reaches_down_to_the_next():
    found = shown(3.0, ksg=2.0, adaptive=2.5, gaussian=4.0)
    assert [warning.word for warning in found.warnings] == ["methods_disagree"]
    assert "adaptive, the next" in found.warnings[0].sentence
    assert (found.interval_nats.low, found.interval_nats.high) == (pytest.approx(2.48), pytest.approx(3.02))


@pytest.mark.parametrize("others", [{"ksg": 2.95, "adaptive": 2.0}, {"ksg": 4.0}, {}])
def test_not_one_that_another_confirms_nor_the_lowest(others):
    found = shown(3.0, **others)
    assert found.warnings == ()
    assert found.interval_nats == Interval(2.98, 3.02, 0.95)


def test_agreement_is_within_errors_and_a_small_share():
    assert agree(reading(3.0), reading(3.1))
    assert not agree(reading(3.0), reading(3.2))
    assert agree(reading(3.0, 0.1), reading(3.2))


def test_strong_uniform_noise_in_two_columns():
    """Only the residuals read it; that no other method does is said."""
    rng = np.random.default_rng(64)
    x = rng.random((1500, 2))
    noise = np.exp(-3.5) / 2
    y = x + noise * rng.uniform(-1, 1, x.shape)
    turn = np.linalg.qr(rng.standard_normal((2, 2)))[0]
    truth = 2 * (noise - np.log(2 * noise))
    found = AutoEstimator(max_steps=20).estimate(x @ turn, y)
    assert found.has_warning("methods_disagree")
    assert found.interval_nats.low < truth
    assert found.nats == pytest.approx(truth, abs=0.25)


def test_strong_normal_noise_in_two_columns():
    x, noise = np.random.default_rng(63).standard_normal((2, 1500, 2))
    found = AutoEstimator(max_steps=20).estimate(x, x + 0.05 * noise)
    assert not found.has_warning("methods_disagree")
    assert found.nats == pytest.approx(np.log(401), abs=0.15)
