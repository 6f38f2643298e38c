"""Scouts: what their networks add decides whether those of the other folds are trained."""

from types import SimpleNamespace

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.elliptical import Gaussian
from mitools.datasets.known_information.tasks import sample
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.scouts import fit_with_scouts
from mitools.estimators.neural.training_loop import FittedCritic, Member


def reading(nats, noise=0.0, n=100):
    return Reading(nats, noise * np.sqrt(n) * np.where(np.arange(n) % 2, 1.0, -1.0))


def plan_of(folds, rivals):
    """Make as many members as a plan has, whose starts are their places."""
    count = (folds + 1) * (2 if rivals else 1)
    members = [Member(k, 2, None, lambda start: reading(1.0)) for k in range(count)]
    return SimpleNamespace(folds=[None] * folds, starts=[None] * (folds + 1), members=members)


def trained_by(plan, scouts, best):
    """Train by a table of place -> nats on select, which starts at 1; say what was trained."""
    asked = []

    def fit(members):
        asked.extend(member.start for member in members)
        return [
            FittedCritic(m.start, reading(best.get(m.start, 1.0), 0.1), reading(1.0), 50, False)
            for m in members
        ]

    return asked, fit_with_scouts(plan, scouts, fit)


def test_networks_that_add_nothing_stay_with_the_scouts():
    # A gain of 0.15 with a standard error of 0.1 is no clear one.
    asked, found = trained_by(plan_of(4, rivals=True), 1, {0: 1.15})
    assert asked == [0]
    assert not found.adds
    assert [one.steps for one in found.fitted] == [50] + 9 * [0]
    assert [one.critic for one in found.fitted] == list(range(10))


def test_the_others_train_what_reads_more():
    plan = plan_of(4, rivals=True)
    asked, found = trained_by(plan, 1, {0: 2.0, 5: 1.5})
    assert found.adds
    assert asked == [0, 5, 4, 1, 2, 3]
    asked, found = trained_by(plan, 1, {0: 2.0, 5: 2.5})
    assert asked == [0, 5, 4, 6, 7, 8]
    assert [one.steps for one in found.fitted] == [50, 0, 0, 0, 50, 50, 50, 50, 50, 0]


def test_without_rivals_and_without_scouts():
    asked, found = trained_by(plan_of(3, rivals=False), 2, {0: 2.0, 1: 2.0})
    assert (asked, found.adds) == ([0, 1, 3, 2], True)
    asked, found = trained_by(plan_of(3, rivals=True), 0, {})
    assert (asked, found.adds) == ([], False)


def test_bases_are_read_where_no_network_adds():
    known = sample(Gaussian.sparse(3, 3, 2, 0.8), 1000, seed=3)  # 1.02 nats
    fitted = AdaptiveEstimator(folds=2, max_steps=50, scouts=1, hidden=(16,)).fit(known.x, known.y)
    found = fitted.estimate_
    assert found.settings["critics_read"] == ["base"] * 2
    assert fitted.bases_[0] == "gaussian copula"
    assert (fitted.gain_nats_, found.kind) == (0.0, "lower bound")
    low, high, _ = found.interval_nats
    assert low < known.nats < high
    assert abs(found.null_nats) < 0.05
    # Each fold's base is that of train and select together.
    first = fitted.plan(known.x, known.y).folds[0]
    x, y = first.training_pairs(with_select=True)
    assert len(x) == len(y) == len(first.parts.train) + len(first.parts.select)
    assert fitted.folds_[0].critic.nats == GaussianCopulaBase.fit(x, y).nats


def test_networks_are_trained_where_they_add():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((800, 1))
    y = np.abs(x) + 0.3 * rng.standard_normal((800, 1))
    fitted = AdaptiveEstimator(folds=2, max_steps=100, check_every=25, hidden=(32,), scouts=1).fit(x, y)
    assert all(name in ("network", "corrected base") for name in fitted.estimate_.settings["critics_read"])
    assert fitted.gain_nats_ > 10 * fitted.gain_stderr_nats_
    with pytest.raises(InputError, match="scouts is -1"):
        fitted.set_params(scouts=-1).fit(x, y)
