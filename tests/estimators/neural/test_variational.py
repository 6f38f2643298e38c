"""The fitting loop against Gaussians, whose information is known in closed form."""

import math
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural import methods
from mitools.estimators.neural import training_loop as fitting
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.warnings import SINGLE_PRECISION_NATS
from mitools.pairing.same_class import SameClassPairs

Floats = NDArray[np.float64]

QUICK: dict[str, Any] = {"hidden": (64, 64), "batch_size": 128, "folds": 1}
BRIEF: dict[str, Any] = {"hidden": (32,), "max_steps": 300, "check_every": 25, "batch_size": 128, "folds": 1}
METHODS = ["infonce", "dv", "mine"]
GAUSSIANS = [(0.9, 1), (0.5, 5), (0.5, 1)]
# One fit takes seconds: of all methods and Gaussians, every one of either is tried by default.
FIRST = {("infonce", 0.9, 1), ("infonce", 0.5, 5), ("dv", 0.5, 5), ("mine", 0.9, 1)}
CASES = [
    case if case in FIRST else pytest.param(case, marks=pytest.mark.slow)
    for case in ((method, *gaussian) for method in METHODS for gaussian in GAUSSIANS)
]


def gaussian(n: int, rho: float, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    """Pairs whose d coordinates are standard normal with correlation rho."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def gaussian_nats(rho: float, d: int) -> float:
    return -d / 2 * math.log(1 - rho**2)


class Case(NamedTuple):
    """One fit on a Gaussian of known information."""

    estimate: Estimate
    truth: float


@pytest.fixture(scope="module", params=CASES, ids=str)
def case(request: pytest.FixtureRequest) -> Case:
    method, rho, d = request.param
    estimate = VariationalEstimator(method, **QUICK).estimate(*gaussian(10_000, rho, d))
    return Case(estimate, gaussian_nats(rho, d))


def test_gaussians_are_read_within_a_twentieth_of_a_nat(case: Case) -> None:
    assert case.estimate.nats == pytest.approx(case.truth, abs=0.05)
    assert case.estimate.interval_nats is not None
    assert case.estimate.interval_nats.low < case.truth


def test_a_settled_fit_stops_early_and_raises_no_false_alarm(case: Case) -> None:
    assert case.estimate.settings["steps"] < 3000
    raised = {warning.word for warning in case.estimate.warnings}
    # At 0.14 nats, sampling alone may set train and report a fifth apart.
    assert raised <= ({"overfit"} if case.truth < 0.2 else set())
    assert abs(case.estimate.null_nats or 0) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("rho", "d"), GAUSSIANS)
def test_gaussians_are_read_by_the_default_settings(method: str, rho: float, d: int) -> None:
    estimate = VariationalEstimator(method).estimate(*gaussian(10_000, rho, d))
    assert estimate.nats == pytest.approx(gaussian_nats(rho, d), abs=0.05)
    assert not estimate.has_warning("still_rising")


@pytest.mark.parametrize("method", METHODS)
def test_independent_pairs_read_nothing(method: str) -> None:
    estimate = VariationalEstimator(method, **BRIEF).estimate(*gaussian(4000, 0.0, 1))
    assert estimate.interval_nats is not None
    assert estimate.interval_nats.low <= 0 <= estimate.interval_nats.high
    assert abs(estimate.nats) < 0.005
    assert estimate.has_warning("indistinguishable_from_zero")


def test_where_nothing_shows_on_select_the_blind_critic_is_read() -> None:
    estimator = VariationalEstimator(**BRIEF).fit(*gaussian(1000, 0.0, 1))
    assert isinstance(estimator.critic_, BlindCritic)
    assert estimator.estimate_.nats == pytest.approx(0, abs=1e-6)
    assert estimator.estimate_.stderr_nats == pytest.approx(SINGLE_PRECISION_NATS)


@pytest.fixture(scope="module")
def brief() -> tuple[Floats, Floats, VariationalEstimator]:
    """A brief fit that several tests look at."""
    x, y = gaussian(1500, 0.8, 2)
    return x, y, VariationalEstimator(seed=1, **BRIEF).fit(x, y)


def test_the_record_says_what_the_number_is(brief: tuple[Floats, Floats, VariationalEstimator]) -> None:
    estimate = brief[2].estimate_
    assert (estimate.method, estimate.kind) == ("infonce", "lower bound")
    assert (estimate.n_train, estimate.n_select, estimate.n_report) == (975, 225, 300)
    assert estimate.ceiling_nats == math.log(300)
    assert estimate.settings["pairs"] == 300
    assert estimate.settings["hidden"] == [32]
    assert brief[2].influence_.shape == (300,)
    assert Estimate.from_json(estimate.to_json()).nats == estimate.nats


def test_one_seed_gives_one_number_and_another_seed_another(
    brief: tuple[Floats, Floats, VariationalEstimator],
) -> None:
    x, y, estimator = brief
    torch.manual_seed(99)
    assert VariationalEstimator(seed=1, **BRIEF).estimate(x, y).nats == estimator.estimate_.nats
    assert VariationalEstimator(seed=2, **BRIEF).estimate(x, y).nats != estimator.estimate_.nats


def test_a_fit_leaves_torchs_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    VariationalEstimator(hidden=(4,), max_steps=2, folds=1).fit(*gaussian(100, 0.5, 1))
    torch.testing.assert_close(torch.rand(3), expected, rtol=0, atol=0)


def test_the_unit_of_the_input_does_not_matter(brief: tuple[Floats, Floats, VariationalEstimator]) -> None:
    x, y, estimator = brief
    moved = VariationalEstimator(seed=1, **BRIEF).estimate(4 * x, y / 8)
    assert moved.nats == pytest.approx(estimator.estimate_.nats, abs=1e-4)


def test_side_by_side_or_in_turn_gives_the_same_number(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = gaussian(400, 0.8, 3)
    estimator = VariationalEstimator(hidden=(16,), max_steps=100, folds=1)
    estimates = []
    for streams in (2, 1):
        monkeypatch.setattr(fitting, "stream_count", lambda device, streams=streams: streams)
        estimates.append(estimator.estimate(x, y))
    assert estimates[0].nats == pytest.approx(estimates[1].nats, abs=1e-3)
    assert estimates[0].null_nats == pytest.approx(estimates[1].null_nats, abs=1e-3)


def test_report_is_read_once_by_each_of_the_two_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def spy(critic: torch.nn.Module, x: torch.Tensor, *others: Any) -> Reading:
        sizes.append(len(x))
        return read_infonce(critic, x, *others)

    spied = replace(methods.VARIATIONAL_METHODS["infonce"], read=spy)
    monkeypatch.setitem(methods.VARIATIONAL_METHODS, "infonce", spied)
    VariationalEstimator(hidden=(8,), max_steps=20, check_every=10, folds=1).fit(*gaussian(400, 0.8, 1))
    # Each fit: select before, twice on the way; then report, and as many training items.
    assert sorted(sizes[:6]) == [60] * 6
    assert sizes[6:] == [80] * 4


def test_the_critic_scores_new_rows_by_its_scalings(
    brief: tuple[Floats, Floats, VariationalEstimator],
) -> None:
    estimator = brief[2]
    x, y = (side.astype(np.float32) for side in gaussian(500, 0.8, 2, seed=5))
    rows = torch.from_numpy(estimator.scale_x_(x)), torch.from_numpy(estimator.scale_y_(y))
    assert read_infonce(estimator.critic_, *rows).nats == pytest.approx(gaussian_nats(0.8, 2), abs=0.2)


@pytest.mark.parametrize("scaling", ["rank_normal", "standardise"])
def test_scalings_are_fitted_on_train_alone(scaling: str) -> None:
    x, y = gaussian(200, 0.8, 1)
    parts = split(200)
    brief = BRIEF | {"max_steps": 2, "scaling": scaling}
    first = VariationalEstimator(**brief).fit(x, y, parts=parts)
    held = np.concatenate([parts.select, parts.report])
    x[held] *= 5
    second = VariationalEstimator(**brief).fit(x, y, parts=parts)
    rows = np.linspace(-8, 8, 50, dtype=np.float32)[:, None]
    np.testing.assert_array_equal(first.scale_x_(rows), second.scale_x_(rows))


def test_with_a_base_the_first_value_is_already_the_closed_forms() -> None:
    x, y = gaussian(1500, 0.8, 5)
    estimator = VariationalEstimator(base="gaussian_copula", **BRIEF | {"max_steps": 1})
    estimate = estimator.estimate(x, np.sinh(2 * y))
    assert estimate.settings["critics_read"] == ["base"]
    assert estimate.nats == pytest.approx(gaussian_nats(0.8, 5), abs=2 * (estimate.stderr_nats or 0))
    # Far from what the network alone has learnt by then.
    assert VariationalEstimator(**BRIEF | {"max_steps": 1}).estimate(x, y).nats < 0.5


def test_a_critic_to_start_from_is_read_where_steps_bring_nothing() -> None:
    x, y = gaussian(1500, 0.8, 5)
    many = (torch.from_numpy(rows.astype(np.float32)) for rows in gaussian(50_000, 0.8, 5))
    truth = GaussianCopulaBase.fit(*many)
    settings = BRIEF | {"max_steps": 1, "scaling": "none"}
    estimator = VariationalEstimator(critic=truth, **settings)
    estimate = estimator.estimate(x, y)
    assert estimate.settings["critics_read"] == ["base"]
    assert estimate.nats == pytest.approx(gaussian_nats(0.8, 5), abs=2 * (estimate.stderr_nats or 0))
    assert clone(estimator).estimate(x, y).nats == estimate.nats
    with pytest.raises(InputError, match="takes the place of a base"):
        VariationalEstimator(critic=truth, base="gaussian_copula").estimate(x, y)


def test_a_network_corrects_a_base_that_sees_nothing() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((2000, 1))
    y = x * rng.choice([-1.0, 1.0], (2000, 1)) + 0.1 * rng.standard_normal((2000, 1))
    settings = BRIEF | {"learning_rate": 0.005}
    estimate = VariationalEstimator(base="gaussian_copula", **settings).estimate(x, y)
    assert estimate.settings["critics_read"] == ["corrected base"]
    assert estimate.nats > 0.5


def test_a_base_reads_nothing_in_independent_pairs() -> None:
    estimate = VariationalEstimator(base="gaussian_copula", **BRIEF).estimate(*gaussian(2000, 0.0, 3))
    assert abs(estimate.nats) < 0.01
    assert estimate.has_warning("indistinguishable_from_zero")


def test_too_few_steps_leave_the_value_rising() -> None:
    x, y = gaussian(1500, 0.9, 1)
    assert (
        VariationalEstimator(hidden=(32,), max_steps=60, folds=1).estimate(x, y).has_warning("still_rising")
    )


def test_few_items_in_many_dimensions_overfit() -> None:
    estimate = VariationalEstimator(**BRIEF).estimate(*gaussian(300, 0.5, 20))
    assert estimate.has_warning("overfit")
    assert estimate.nats < gaussian_nats(0.5, 20)


def test_few_pairs_of_much_information_saturate() -> None:
    x = np.random.default_rng(0).standard_normal((300, 5))
    estimate = VariationalEstimator(**BRIEF).estimate(x, x)
    assert estimate.has_warning("saturated")
    assert estimate.ceiling_nats is not None
    assert estimate.nats <= estimate.ceiling_nats == math.log(60)


@pytest.fixture(scope="module")
def perfect_classes() -> tuple[Floats, NDArray[np.int64]]:
    labels = np.repeat(np.arange(10), 20)
    return np.eye(10)[labels], labels


def test_nt_xent_exceeds_the_entropy_of_perfect_classes_and_says_so(
    perfect_classes: tuple[Floats, NDArray[np.int64]],
) -> None:
    # Two pairs a class on report: 3 of the 39 an anchor meets are of its class, and 39 / 3 > 10.
    x, labels = perfect_classes
    estimator = VariationalEstimator(
        "nt_xent", "projection", hidden=(32,), max_steps=500, learning_rate=0.01, folds=1
    )
    estimate = estimator.fit(x, x, SameClassPairs(labels)).estimate_
    assert estimate.kind == "asymptotic lower bound"
    assert estimate.ceiling_nats == math.log(39)
    assert estimate.entropy_nats == pytest.approx(math.log(10))
    assert estimate.nats == pytest.approx(math.log(13), abs=0.02)
    assert estimate.has_warning("exceeds_entropy")


@pytest.mark.parametrize("method", ["infonce", "dv"])
def test_proven_bounds_stay_below_the_entropy_of_perfect_classes(
    method: str, perfect_classes: tuple[Floats, NDArray[np.int64]]
) -> None:
    x, labels = perfect_classes
    estimator = VariationalEstimator(method, hidden=(32,), max_steps=500, learning_rate=0.01, folds=1)
    estimate = estimator.fit(x, x, SameClassPairs(labels)).estimate_
    assert estimate.nats == pytest.approx(math.log(10), abs=0.05)
    assert estimate.nats < math.log(10) + 1e-6
    assert not estimate.has_warning("exceeds_entropy")
    assert estimate.settings["pairs"] == 20


@pytest.mark.parametrize("critic", ["separable", "joint", "projection"])
def test_every_critic_bounds_the_truth_from_below(critic: str) -> None:
    x, y = gaussian(1000, 0.9, 1)
    settings = BRIEF | {"hidden": (32, 32), "learning_rate": 0.005}
    estimate = VariationalEstimator("infonce", critic, **settings).estimate(x, y)
    truth = gaussian_nats(0.9, 1)
    assert estimate.interval_nats is not None
    assert estimate.interval_nats.low < truth
    assert estimate.nats > 0.7 * truth
    assert estimate.settings["critic"] == critic


def test_many_small_classes_are_read() -> None:
    # A random part of train as large as report would miss whole classes.
    labels = np.repeat(np.arange(40), 10)
    x = labels[:, None] + 0.1 * np.random.default_rng(0).standard_normal((400, 1))
    estimator = VariationalEstimator(hidden=(16,), max_steps=50, folds=1)
    assert estimator.fit(x, x, SameClassPairs(labels)).estimate_.settings["pairs"] == 40


def test_it_is_a_scikit_learn_estimator() -> None:
    original = VariationalEstimator("mine", "joint", hidden=(8, 8), seed=4)
    copied = clone(original)
    assert copied.get_params() == original.get_params()
    x, y = gaussian(100, 0.5, 1)
    assert copied.set_params(max_steps=2) is copied
    assert copied.fit(x, y) is copied


GOOD = np.random.default_rng(0).standard_normal((50, 2))


@pytest.mark.parametrize(
    ("x", "y", "settings", "message"),
    [
        (GOOD, GOOD[:40], {}, "x has 50 rows and y has 40"),
        (GOOD * np.nan, GOOD, {}, "x has NaN"),
        (GOOD, GOOD.astype(object), {}, "y holds object"),
        (GOOD[:9], GOOD[:9], {}, "9 items cannot be split"),
        (GOOD, GOOD, {"method": "infonc"}, "unknown method 'infonc'; accepted: infonce, "),
        (GOOD, GOOD, {"critic": "bilinea"}, "unknown critic 'bilinea'; accepted: separable, "),
        (GOOD, GOOD, {"base": "gaussian"}, "unknown base 'gaussian'; accepted: none or gaussian_copula"),
        (GOOD, GOOD, {"scaling": "rank"}, "unknown scaling 'rank'; accepted: rank_normal, "),
        (GOOD, GOOD, {"device": "gpu"}, "unknown device 'gpu'"),
        (GOOD, GOOD, {"method": "nt_xent", "base": "gaussian_copula"}, "which a base cannot; take infonce"),
        (GOOD, GOOD, {"critic": "projection", "base": "gaussian_copula"}, "cannot start at 0"),
        (GOOD, GOOD[:, :1], {"critic": "projection"}, "2 and 1 dimensions; take the separable"),
        (GOOD, GOOD[:, :1], {"method": "nt_xent"}, "same dimension, not 2 and 1; take infonce"),
        (GOOD, GOOD, {"batch_size": 1}, "batch_size is 1, but it must be at least 2"),
        (GOOD, GOOD, {"max_steps": 0}, "max_steps is 0"),
        (GOOD, GOOD, {"check_every": 0}, "check_every is 0"),
        (GOOD, GOOD, {"patience": 0}, "patience is 0"),
        (GOOD, GOOD, {"learning_rate": math.nan}, "learning rate must be positive"),
        (GOOD, GOOD, {"average": 1.0}, r"decay in \[0, 1\)"),
        (GOOD, GOOD, {"hidden": ()}, "one hidden layer"),
        (GOOD, GOOD, {"learning_rate": 1e30, "check_every": 1, "max_steps": 20}, "scores are not finite"),
    ],
)
def test_bad_input_is_one_line_that_names_the_thing(
    x: Floats, y: Floats, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        VariationalEstimator(**settings).fit(x, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n_labels", [40, 60])
def test_a_pairing_of_other_items_is_refused(n_labels: int) -> None:
    with pytest.raises(InputError, match=f"x has 50 rows and the pairing has {n_labels}"):
        VariationalEstimator().fit(GOOD, GOOD, SameClassPairs(np.arange(n_labels) % 2))


def test_classes_too_small_for_pairs_are_refused() -> None:
    with pytest.raises(InputError, match="class 0 has 1 images in one part"):
        VariationalEstimator(max_steps=2).fit(GOOD, GOOD, SameClassPairs(np.arange(50) // 5))
