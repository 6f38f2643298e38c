"""Half the rows against all: who rises with n, and how far the interval then reaches."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from mitools.core.estimate import Estimate, Interval
from mitools.estimators.auto import AutoEstimator
from mitools.estimators.automatic.choice import Choice, Readings
from mitools.estimators.automatic.half_rows import Rise, rise_of_critic, rise_of_neighbours, with_rise
from mitools.estimators.classical.gaussian import GaussianEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.neural.adaptive import AdaptiveEstimator

READINGS = Readings(seed=0, max_steps=20, device="cpu", groups=None, parts=None)


def choice(nats=2.0):
    found = Estimate("ksg", "point estimate", nats, 0.01, Interval(nats - 0.02, nats + 0.02, 0.95))
    return Choice(SimpleNamespace(estimate_=found), "why")


def test_a_clear_rise_is_told_and_widens_the_interval_upwards():
    found = with_rise(choice(), Rise(1.9, 2.0, 0.01)).estimate()
    assert [warning.word for warning in found.warnings] == ["rises_with_n"]
    assert "it rises with n, and the truth may be higher" in found.warnings[0].sentence
    low, high, _ = found.interval_nats
    assert (low, high) == (pytest.approx(1.98), pytest.approx(2.02 + 0.1 / (math.sqrt(2) - 1)))


def test_what_is_left_is_known_no_better_than_the_rise():
    found = with_rise(choice(), Rise(1.9, 2.0, 0.01, same_pairs=True)).estimate()
    per_rise = 1 / (math.sqrt(2) - 1)
    reach = math.hypot(0.02, 1.959964 * per_rise * 0.01)
    assert found.interval_nats.high == pytest.approx(2.0 + 0.1 * per_rise + reach)
    assert found.interval_nats.low == pytest.approx(1.98)


def test_a_fall_widens_it_downwards():
    found = with_rise(choice(), Rise(2.1, 2.0, 0.01)).estimate()
    assert "it falls with n, and the truth may be lower" in found.warnings[0].sentence
    assert found.interval_nats.low == pytest.approx(1.98 - 0.1 / (math.sqrt(2) - 1))
    assert found.interval_nats.high == pytest.approx(2.02)


def test_what_rises_like_log_n_has_no_interval():
    found = with_rise(choice(), Rise(1.4, 2.0, 0.01)).estimate()
    assert found.interval_nats is None
    assert "cannot be told" in found.warnings[0].sentence


def test_chance_is_not_told():
    assert with_rise(choice(), Rise(1.985, 2.0, 0.01)).estimate().warnings == ()
    unknown = choice()
    assert with_rise(unknown, None) is unknown


class TestReadings:
    def pairs(self, spread, n, seed=60):
        x, noise = np.random.default_rng(seed).standard_normal((2, n))
        return x, x + spread * noise

    def test_neighbours_on_a_thin_ridge(self):
        x, y = self.pairs(1e-3, 1000)
        found = AutoEstimator().estimate(np.sign(x) * x**2, y)
        fitted = KSG().fit(x, y)
        rise = rise_of_neighbours(fitted, x[:, None], y[:, None], READINGS)
        assert rise.is_clear
        assert rise.whole == fitted.estimate_.nats
        assert rise.half < rise.whole < 0.5 * math.log(1 + 1e6)
        low, high, _ = found.interval_nats
        assert low < 0.5 * math.log(1 + 1e6) < high

    def test_neighbours_where_they_are_enough(self):
        x, y = self.pairs(0.5, 2000)
        found = AutoEstimator().estimate(x, y)
        assert found.settings["chosen"] == "ksg"
        assert not found.has_warning("rises_with_n")

    def test_a_closed_form_that_is_unbiased(self):
        x, y = self.pairs(0.01, 1000)
        fitted = GaussianEstimator().fit(x, y)
        assert not rise_of_neighbours(fitted, x[:, None], y[:, None], READINGS).is_clear

    def test_too_few_rows_have_no_halves(self):
        x, y = self.pairs(0.5, 150)
        assert rise_of_neighbours(KSG().fit(x, y), x[:, None], y[:, None], READINGS) is None

    def test_a_critic_is_read_on_the_pairs_of_its_fold(self):
        x, noise = np.random.default_rng(61).standard_normal((2, 500, 2))
        fitted = AdaptiveEstimator(folds=2, max_steps=20, hidden=(8,)).fit(x, x + noise)
        rise = rise_of_critic(fitted, x, x + noise, READINGS)
        assert rise.same_pairs
        assert rise.whole == fitted.folds_[0].reading.nats
        assert 0 < rise.stderr < fitted.folds_[0].reading.stderr
        few = fitted.fit(x[:200], x[:200] + noise[:200])
        assert rise_of_critic(few, x[:200], x[:200] + noise[:200], READINGS) is None

    @pytest.mark.slow
    def test_a_critic_that_learns(self):
        x = np.random.default_rng(61).standard_normal((3000, 3))
        y = np.sin(4 * x[:, :1]) * x[:, 1:2] + 0.1 * np.random.default_rng(62).standard_normal((3000, 1))
        fitted = AdaptiveEstimator(folds=2).fit(x, y)
        rise = rise_of_critic(fitted, x, y, READINGS)
        assert rise.is_clear
        assert rise.half < rise.whole
