"""The certified bound over a chosen base: which base, what the network adds, and never above the truth."""

import numpy as np
import pytest
from scipy import stats

from mitools.datasets.known_information.elliptical import Gaussian, StudentT
from mitools.datasets.known_information.tasks import find_task, sample
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator
from mitools.estimators.neural.adaptive import AdaptiveEstimator


def brief(**settings):
    return AdaptiveEstimator(**{"max_steps": 50, "folds": 1} | settings)


def test_a_normal_dependence_is_read_by_its_copula():
    known = sample(Gaussian.sparse(12, 12, 2, 0.8), 1500, seed=3)
    fitted = brief(folds=3).fit(known.x, known.y)
    found = fitted.estimate_
    assert (found.kind, found.method) == ("lower bound", "adaptive")
    assert fitted.bases_.count("gaussian copula") >= 2
    assert found.interval_nats.low <= known.nats
    assert known.nats - 0.25 < found.nats
    assert fitted.gain_nats_ <= 3 * max(fitted.gain_stderr_nats_, 1e-9)
    assert found.settings["bases"] == fitted.bases_
    assert abs(found.null_nats) < 0.05


def test_a_shared_scale_is_read_by_the_student_copula():
    known = sample(StudentT.identity(12, 3, 2), 3000, seed=3)
    fitted = brief().fit(known.x, known.y)
    assert fitted.bases_ == ["student copula"]
    assert fitted.estimate_.nats == pytest.approx(known.nats, abs=0.15)
    assert GaussianCopulaEstimator().estimate(known.x, known.y).nats < 0.05


def test_rows_turned_by_their_size_are_read_with_it():
    known = find_task("spiral of sparse normal 25x25").sample(6000, seed=3)
    fitted = brief(max_steps=50).fit(known.x, known.y)
    assert fitted.bases_ == ["gaussian with size"]
    assert fitted.estimate_.nats == pytest.approx(known.nats, abs=0.15)


def test_a_network_finds_what_no_base_does():
    rng = np.random.default_rng(3)
    x = rng.standard_normal((3000, 1))
    y = np.abs(x) + 0.3 * rng.standard_normal((3000, 1))
    # A half-normal plus a normal variable is skew-normal.
    truth = stats.skewnorm(1 / 0.3, scale=np.hypot(1, 0.3)).entropy() - stats.norm(scale=0.3).entropy()
    fitted = brief(max_steps=500).fit(x, y)
    assert fitted.estimate_.settings["critics_read"][0] in ("network", "corrected base")
    assert fitted.gain_nats_ > 10 * fitted.gain_stderr_nats_
    assert fitted.estimate_.nats == pytest.approx(truth, abs=0.1)
    assert GaussianCopulaEstimator().estimate(x, y).nats < 0.05


def test_independent_rows_read_nothing():
    fitted = brief().fit(*np.random.default_rng(3).standard_normal((2, 600, 5)))
    low, high, _ = fitted.estimate_.interval_nats
    assert low <= 1e-5
    assert high >= -1e-5
    assert abs(fitted.estimate_.nats) < 0.05


def test_same_seed_same_number_and_monotone_maps_change_nothing():
    known = sample(StudentT.identity(2, 3, 3), 600, seed=3)
    first, again, bent = (brief().estimate(x, known.y).nats for x in (known.x, known.x, np.arcsinh(known.x)))
    assert first == again
    assert bent == pytest.approx(first, abs=1e-3)
