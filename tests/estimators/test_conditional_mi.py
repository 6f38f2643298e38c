"""Conditional information against Gaussians and tables, where it is known in closed form."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.conditional_mi import ChainRule, GivenClasses, kind_of_difference
from mitools.estimators.neural.variational import VariationalEstimator

Floats = NDArray[np.float64]
BRIEF: dict[str, Any] = {
    "hidden": (16,),
    "max_steps": 150,
    "check_every": 25,
    "learning_rate": 5e-3,
    "folds": 1,
}


def common_cause(n: int, own: float, seed: int = 0) -> tuple[Floats, Floats, Floats]:
    """X = Z + U, Y = Z + V + own U, all of unit variance: X and Y share Z, and U where own > 0."""
    z, u, v = np.random.default_rng(seed).standard_normal((3, n))
    return z + u, z + v + own * u, z


def common_cause_nats(own: float) -> float:
    """Given Z, (X, Y) is (U, V + own U): a correlation of own / sqrt(1 + own^2)."""
    return 0.5 * math.log(1 + own**2)


@pytest.mark.parametrize("own", [0.0, 1.0])
@pytest.mark.parametrize(("estimator", "tolerance"), [(GaussianEstimator(), 0.03), (KSG(), 0.06)])
def test_the_chain_rule_reads_what_z_does_not_explain(
    estimator: MIEstimator, tolerance: float, own: float
) -> None:
    x, y, z = common_cause(3000, own)
    estimate = ChainRule(estimator).estimate(x, y, z)
    # X and Y alone share 0.14 nats or more; given Z nothing is left when own = 0.
    assert estimate.nats == pytest.approx(common_cause_nats(own), abs=tolerance)
    assert estimate.kind == "point estimate"
    assert estimate.has_warning("indistinguishable_from_zero") == (own == 0)


def test_the_interval_is_paired_where_rows_are_shared() -> None:
    rule = ChainRule(VariationalEstimator(**BRIEF)).fit(*common_cause(2000, 1.0))
    both, given = rule.both_, rule.given_
    assert rule.estimate_.nats == pytest.approx(common_cause_nats(1.0), abs=0.12)
    assert rule.estimate_.settings["interval"] == "paired"
    expected = (both.influence_ - given.influence_).std() / math.sqrt(len(both.influence_))
    assert rule.estimate_.stderr_nats == pytest.approx(expected, rel=1e-3)
    assert rule.estimate_.stderr_nats < math.hypot(both.estimate_.stderr_nats, given.estimate_.stderr_nats)


def test_standard_errors_are_added_where_nothing_is_known_of_the_rows() -> None:
    rule = ChainRule(GaussianEstimator()).fit(*common_cause(500, 1.0))
    errors = rule.both_.estimate_.stderr_nats, rule.given_.estimate_.stderr_nats
    assert rule.estimate_.settings["interval"] == "standard errors added"
    assert rule.estimate_.stderr_nats == pytest.approx(sum(errors))


def test_paired_intervals_cover_the_truth() -> None:
    held = 0
    for seed in range(100):
        estimate = ChainRule(GaussianEstimator()).estimate(*common_cause(300, 1.0, seed))
        low, high, _ = estimate.interval_nats
        held += low < common_cause_nats(1.0) < high
    assert held >= 95  # added standard errors are too wide rather than too narrow


def test_exclusive_or_shows_only_when_the_third_is_known() -> None:
    x, y = np.random.default_rng(0).integers(0, 2, (2, 2000))
    for conditional in (ChainRule(DiscreteEstimator()), GivenClasses(DiscreteEstimator())):
        assert conditional.estimate(x, y, x ^ y).nats == pytest.approx(math.log(2), abs=0.01)
    assert DiscreteEstimator().estimate(x, y).nats == pytest.approx(0, abs=0.01)


def by_class(n: int, seed: int = 0) -> tuple[Floats, Floats, NDArray[np.int64], float]:
    """Pairs whose correlation depends on z; truth: the shares' mean of -log(1 - r^2) / 2."""
    rng = np.random.default_rng(seed)
    correlations, shares = np.array([0.0, 0.5, 0.9]), np.array([0.5, 0.25, 0.25])
    z = rng.choice(3, n, p=shares)
    r = correlations[z]
    x = rng.standard_normal(n)
    y = r * x + np.sqrt(1 - r**2) * rng.standard_normal(n)
    return x, y, z, float(shares @ (-np.log1p(-(correlations**2)) / 2))


@pytest.mark.parametrize("estimator", [GaussianEstimator(), KSG()])
def test_within_classes_the_mean_is_read(estimator: MIEstimator) -> None:
    x, y, z, truth = by_class(4000)
    conditional = GivenClasses(estimator).fit(x, y, 10.0 * z)
    assert conditional.estimate_.nats == pytest.approx(truth, abs=0.03)
    np.testing.assert_array_equal(conditional.classes_, [0, 10, 20])
    assert list(conditional.estimate_.settings["bits_by_class"]) == ["z = 0.0", "z = 10.0", "z = 20.0"]
    assert conditional.estimate_.n_report == 4000


def test_the_interval_counts_terms_and_shares() -> None:
    held = 0
    for seed in range(200):
        x, y, z, truth = by_class(400, seed)
        low, high, _ = GivenClasses(GaussianEstimator()).estimate(x, y, z).interval_nats
        held += low < truth < high
    assert 180 <= held <= 199


def test_a_mean_of_lower_bounds_is_a_lower_bound() -> None:
    x, y, z, truth = by_class(1500)
    estimate = GivenClasses(VariationalEstimator(**BRIEF)).estimate(x, y, z)
    assert (estimate.kind, estimate.method) == ("lower bound", "infonce given classes")
    assert estimate.nats == pytest.approx(truth, abs=0.12)
    assert estimate.ceiling_nats is not None
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 600)
    certified = GivenClasses(ClassPosterior()).estimate(
        labels[:, None] + 0.1 * rng.standard_normal((600, 2)), labels, rng.integers(0, 2, 600)
    )
    assert (certified.kind, certified.entropy_nats) == ("lower bound", pytest.approx(math.log(2), abs=0.01))
    assert certified.nats == pytest.approx(math.log(2), abs=0.05)


@pytest.mark.parametrize(
    ("minuend", "subtrahend", "kind"),
    [
        ("lower bound", "lower bound", "point estimate"),
        ("upper bound", "upper bound", "point estimate"),
        ("lower bound", "upper bound", "lower bound"),
        ("upper bound", "lower bound", "upper bound"),
        ("upper bound", "asymptotic lower bound", "point estimate"),
        ("lower bound", "point estimate", "point estimate"),
    ],
)
def test_a_difference_is_bounded_only_from_opposite_sides(minuend: Any, subtrahend: Any, kind: str) -> None:
    assert kind_of_difference(minuend, subtrahend) == kind


def test_another_estimator_may_read_what_is_known() -> None:
    rng = np.random.default_rng(0)
    z = rng.integers(0, 3, 3000)
    x = 4.0 * z + rng.standard_normal(3000)
    y = x + rng.standard_normal(3000)
    # Given z, y is x behind noise of its own variance.
    estimate = ChainRule(KSG(), given=MixedKSG()).estimate(x, y, z)
    assert estimate.nats == pytest.approx(0.5 * math.log(2), abs=0.06)


def test_warnings_of_the_parts_hold_for_the_whole() -> None:
    x, y, z = common_cause(40, 1.0)
    estimate = ChainRule(GaussianEstimator()).estimate(x, y, z)
    assert estimate.has_warning("small_sample")
    assert not ChainRule(GaussianEstimator()).estimate(*common_cause(400, 1.0)).has_warning("small_sample")
    sentence = next(warning.sentence for warning in estimate.warnings if warning.word == "small_sample")
    assert sentence.startswith("I(X;[Y,Z]) (and 1 more): 40 rows")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda x, y, z: ChainRule(KSG()).fit(x, y, z[:-1]), "y has 60 rows and z has 59"),
        (lambda x, y, z: ChainRule(KSG()).fit(x, y, np.where(z > 1, np.nan, z)), "z has NaN"),
        (lambda x, y, z: GivenClasses(KSG()).fit(x, y, z), "z are not whole numbers"),
        (lambda x, y, z: GivenClasses(KSG()).fit(x[:50], y, z > 0), "x has 50 rows and z has 60"),
        (lambda x, y, z: GivenClasses(KSG()).fit(x, y, np.arange(60) // 59), "1 rows with z = 1: 1 rows are"),
        (lambda x, y, z: GivenClasses(KSG()).fit(1.0, y, z > 0), "x is a single value"),
    ],
)  # fmt: skip
def test_bad_input_is_named(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make(*common_cause(60, 1.0))
