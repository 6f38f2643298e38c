"""The mean of folds keeps what every fold's interval allows for beyond the sampling of its items."""

import math

import pytest

from mitools.core.estimate import Estimate, Interval
from mitools.estimators.warnings import two_sided
from mitools.shared_information.readings import mean_of_folds


def fold(nats=4.0, stderr=0.1, below=0.0, above=0.0, method="ksg", kind="point estimate", **settings):
    low, high, confidence = two_sided(nats, stderr)
    interval = Interval(low - below, high + above, confidence)
    return Estimate(
        method, kind, nats, stderr_nats=stderr, interval_nats=interval, n_report=100, settings=settings
    )


def test_sampling_errors_shrink_and_what_lies_beyond_them_stays():
    reach = two_sided(0.0, 0.1).high
    mean = mean_of_folds([fold(above=2.0), fold(above=2.0)], started=0.0)
    assert mean.interval_nats[:2] == pytest.approx((4.0 - reach / math.sqrt(2), 6.0 + reach / math.sqrt(2)))
    assert mean.stderr_nats == pytest.approx(0.1 / math.sqrt(2))
    apart = mean_of_folds([fold(above=2.0), fold(nats=5.0, below=1.0)], started=0.0)
    assert apart.interval_nats[:2] == pytest.approx(
        (4.5 - 0.5 - reach / math.sqrt(2), 4.5 + 1.0 + reach / math.sqrt(2))
    )


def test_an_interval_without_sampling_error_stays_as_it_is():
    exact = fold(stderr=0.0, below=3.0)
    assert mean_of_folds([exact, exact], started=0.0).interval_nats[:2] == pytest.approx((1.0, 4.0))


def test_a_fold_without_interval_leaves_the_mean_without():
    without = Estimate("ksg", "point estimate", 3.0, stderr_nats=0.1)
    mean = mean_of_folds([fold(), without], started=0.0)
    assert mean.interval_nats is None
    assert mean.nats == 3.5


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        (("lower bound", "lower bound"), "lower bound"),
        (("lower bound", "asymptotic lower bound"), "asymptotic lower bound"),
        (("lower bound", "point estimate"), "point estimate"),
        (("upper bound", "lower bound"), "point estimate"),
    ],
)
def test_a_mean_is_no_better_a_bound_than_any_fold(kinds, kind):
    assert mean_of_folds([fold(kind=one) for one in kinds], started=0.0).kind == kind


def test_a_mean_names_all_that_folds_were_read_by():
    assert mean_of_folds([fold(), fold()], started=0.0).method == "ksg"
    chosen = [fold(method="auto", chosen=name) for name in ("ksg", "adaptive")]
    assert mean_of_folds(chosen, started=0.0).method == "ksg_and_adaptive"
    assert mean_of_folds(chosen[:1] * 2, started=0.0).method == "auto"
