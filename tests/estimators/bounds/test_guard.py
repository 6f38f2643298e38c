"""Bounds that their pairs cannot carry are read by InfoNCE, and those that they can are left alone."""

import math

import numpy as np
import pytest
import torch

from mitools.estimators import VariationalEstimator, make_estimator
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.bounds.guard import few_pairs, is_carried
from mitools.estimators.bounds.nwj import read_nwj
from mitools.estimators.bounds.reading import Reading

BRIEF = {"hidden": (32,), "max_steps": 150, "learning_rate": 2e-3}
LOG_PAIRS = math.log(1000)


def bits(noise, n=1000, count=20, seed=0):
    """Fair bits and a copy of which a share is flipped: I = count (log 2 - H(noise))."""
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (n, count))
    y = np.where(rng.random(x.shape) < noise, 1 - x, x)
    lost = -sum(p * math.log(p) for p in (noise, 1 - noise) if p)
    return x.astype(float), y.astype(float), count * (math.log(2) - lost)


def far_copies(n=1000):
    """Five columns and a copy with a noise of a thousandth: 34 nats."""
    x, noise = np.random.default_rng(0).standard_normal((2, n, 5))
    return x, x + 1e-3 * noise, 2.5 * math.log(1 + 1e6)


def many_symbols(n=1000):
    """A number of 30 bits, one column a bit, and the same number bit by bit in another order."""
    x, _, truth = bits(0.0, n, 30)
    return x, x[:, ::-1].copy(), truth


class _Table(torch.nn.Module):
    """A critic whose scores are given."""

    def __init__(self, scores):
        super().__init__()
        self.scores = scores

    def forward(self, x, y):
        return self.scores[x[:, 0].long()][:, y[:, 0].long()]


def read(scores, bound):
    items = torch.arange(len(scores), dtype=torch.float32)[:, None]
    return bound(_Table(torch.as_tensor(scores)), items, items)


@pytest.mark.parametrize("bound", [read_donsker_varadhan, read_nwj])
def test_the_effective_number_is_kishs(bound):
    scores = np.random.default_rng(0).standard_normal((40, 40))
    weights = np.exp(scores)
    np.fill_diagonal(weights, 0)
    kish = min(side.sum() ** 2 / (side**2).sum() for side in (weights.sum(axis=0), weights.sum(axis=1)))
    assert read(scores, bound).normaliser_rows == pytest.approx(kish)


def test_one_pair_that_makes_up_the_normaliser_is_no_normaliser():
    scores = np.zeros((100, 100))
    assert is_carried([read(scores, read_donsker_varadhan)])
    scores[3, 7] = 30.0
    found = read(scores, read_donsker_varadhan)
    assert found.normaliser_rows == pytest.approx(1)
    assert not is_carried([found])


def test_more_than_twice_the_log_of_the_pairs_is_not_carried():
    influence = np.zeros(1000)
    assert is_carried([Reading(2 * LOG_PAIRS - 0.01, influence)])
    assert not is_carried(
        [Reading(2 * LOG_PAIRS - 0.01, influence), Reading(2 * LOG_PAIRS + 0.01, influence)]
    )


@pytest.mark.parametrize("method", ["adaptive", "dv", "mine", "nwj", "tuba", "js", "flo"])
@pytest.mark.parametrize("draw", [lambda: bits(0.0), lambda: bits(0.01), far_copies, many_symbols])
def test_no_lower_bound_claims_more_than_its_pairs_carry(method, draw):
    x, y, truth = draw()
    settings = BRIEF | ({"max_steps": 40, "folds": 1} if method == "adaptive" else {"folds": 1})
    found = make_estimator(method).set_params(**settings).estimate(x, y)
    assert truth > 2 * math.log(200)
    assert found.kind == "lower bound"
    assert found.interval_nats.high < 2 * LOG_PAIRS
    assert found.has_warning("few_pairs") == (found.ceiling_nats is not None)
    assert found.nats < (found.ceiling_nats or 2 * math.log(200)) + 1e-6
    assert method != "adaptive" or found.has_warning("few_pairs")


def test_what_is_read_in_its_place_is_infonce_of_the_same_critic():
    x, y, _ = bits(0.0)
    fitted = VariationalEstimator("dv", folds=1, **(BRIEF | {"max_steps": 400})).fit(x, y)
    assert fitted.estimate_.has_warning("few_pairs")
    fold = fitted.folds_[0]
    rows_x, rows_y = (
        torch.from_numpy(scale(side[pairs].astype(np.float32)))
        for scale, side, pairs in ((fold.scale_x, x, fold.pairs.x), (fold.scale_y, y, fold.pairs.y))
    )
    with torch.no_grad():
        scores = fold.critic(rows_x, rows_y).double()
    expected = scores.log_softmax(dim=1).diagonal().mean() + math.log(len(scores))
    assert fitted.estimate_.nats == pytest.approx(float(expected), abs=1e-5)
    assert fitted.score(x[:300], y[:300]) * math.log(2) <= math.log(300)


@pytest.mark.parametrize("method", ["adaptive", "dv", "nwj"])
def test_ordinary_pairs_are_read_as_before_to_the_last_digit(method, monkeypatch):
    rng = np.random.default_rng(0)
    x = rng.standard_normal((1000, 2))
    y = 0.8 * x + 0.6 * rng.standard_normal((1000, 2))  # 1.02 nats

    def estimate():
        return make_estimator(method).set_params(**(BRIEF | {"folds": 1, "max_steps": 60})).estimate(x, y)

    guarded = estimate()
    monkeypatch.setattr("mitools.estimators.neural.cross_fitted.is_carried", lambda readings: True)
    unguarded = estimate()
    assert (guarded.nats, guarded.interval_nats) == (unguarded.nats, unguarded.interval_nats)
    assert not guarded.has_warning("few_pairs")


def test_the_remedy_is_one_that_helps():
    """Few pairs need more; where InfoNCE reads them in blocks, more do not raise what it can read."""
    reading = Reading(9.0, np.zeros(50), normaliser_rows=3.0)  # of 50 groups
    few, many = few_pairs("dv", [reading], [1000]), few_pairs("dv", [reading], [40_000])
    assert "3 of 1,000 rows" in few.sentence
    assert "at most log 1,000" in few.sentence
    assert few.remedy.startswith("give more rows")
    assert "3 of 40,000 rows" in many.sentence
    assert "at most log 20,000" in many.sentence
    assert "more rows do not raise this limit" in many.remedy


def test_every_bound_with_a_sampled_normaliser_is_guarded():
    from mitools.estimators.neural.methods import VARIATIONAL_METHODS

    uncapped = {name for name, method in VARIATIONAL_METHODS.items() if method.ceiling(100) is None}
    bounds = {name for name in uncapped if VARIATIONAL_METHODS[name].kind == "lower bound"}
    assert bounds == {name for name, method in VARIATIONAL_METHODS.items() if method.sampled_normaliser}
