"""A learned density of y given x against truths known in closed form or by integration."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise, KnownCritic
from mitools.estimators.inputs.whitening import log_standard_normal
from mitools.estimators.neural.learned_density import LEARNED_DENSITY_METHODS, LearnedDensityEstimator

Floats = NDArray[np.float64]

BRIEF: dict[str, Any] = {"hidden": (16,), "max_steps": 20, "check_every": 10, "folds": 1}
QUICK: dict[str, Any] = {
    "hidden": (32,), "max_steps": 150, "check_every": 25, "learning_rate": 0.01, "average": 0.9, "folds": 1
}  # fmt: skip


def gaussian(n: int, rho: float, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, d))


def gaussian_nats(rho: float, d: int) -> float:
    return -d / 2 * math.log(1 - rho**2)


def wave(n: int, seed: int = 0) -> tuple[Floats, Floats]:
    """A relation that no linear model sees."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, 1))
    return x, np.cos(2 * x) + 0.3 * rng.standard_normal((n, 1))


def wave_nats() -> float:
    """h(Y) - h(noise), by quadrature."""
    x, y = np.linspace(-8, 8, 2001), np.linspace(-4, 4, 2001)
    weight = np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi) * (x[1] - x[0])
    given_x = np.exp(-((y[:, None] - np.cos(2 * x)) ** 2) / 0.18) / math.sqrt(0.18 * math.pi)
    density = np.maximum(given_x @ weight, 1e-300)
    h_y = -(density * np.log(density)).sum() * (y[1] - y[0])
    return float(h_y - 0.5 * math.log(2 * math.pi * math.e * 0.09))


TIGHT = ["difference_of_entropies", "leave_one_out", "variational_kl"]


@pytest.mark.parametrize(("method", "d"), [("barber_agakov", 1), *((method, 3) for method in TIGHT)])
def test_gaussians_are_read_within_the_sampling_error(method: str, d: int) -> None:
    estimate = LearnedDensityEstimator(method, **BRIEF).estimate(*gaussian(3000, 0.7, d))
    assert estimate.stderr_nats is not None
    assert abs(estimate.nats - gaussian_nats(0.7, d)) < min(2.5 * estimate.stderr_nats, 0.15)
    assert abs(estimate.null_nats or 0) < 0.01


@pytest.mark.parametrize("method", ["club", "club_sampled"])
def test_club_reads_its_own_closed_form(method: str) -> None:
    # CLUB of a Gaussian of correlation rho is rho^2 / (1 - rho^2), above the truth.
    rho = 0.6
    estimate = LearnedDensityEstimator(method, scaling="standardise", **BRIEF).estimate(
        *gaussian(5000, rho, 1)
    )
    assert estimate.stderr_nats is not None
    assert abs(estimate.nats - rho**2 / (1 - rho**2)) < 2.5 * estimate.stderr_nats + 0.02
    assert estimate.nats > gaussian_nats(rho, 1)
    assert estimate.kind == "point estimate"


@pytest.fixture(scope="module")
def waves() -> dict[str, Estimate]:
    """One relation read by every method that is tight on it."""
    return {
        method: LearnedDensityEstimator(method, **QUICK).estimate(*wave(3000))
        for method in ("barber_agakov", "leave_one_out")
    }


def test_the_network_learns_what_is_not_linear(waves: dict[str, Estimate]) -> None:
    for estimate in waves.values():
        assert estimate.settings["critics_read"] == ["corrected base"]
        assert estimate.nats > 0.7 * wave_nats()


def test_barber_agakov_lies_below_the_truth(waves: dict[str, Estimate]) -> None:
    estimate = waves["barber_agakov"]
    assert estimate.kind == "lower bound"
    assert estimate.interval_nats is not None
    assert estimate.interval_nats.low < wave_nats()
    assert estimate.nats < wave_nats() + 0.03


def test_a_given_entropy_counts_in_ys_own_units() -> None:
    d, rho, mixing = 2, 0.7, np.array([[3.0, 0.0], [40.0, 20.0]])
    x, y = gaussian(10_000, rho, d)
    y = y @ mixing + 5
    entropy = d / 2 * math.log(2 * math.pi * math.e) + math.log(abs(np.linalg.det(mixing)))
    estimate = LearnedDensityEstimator("barber_agakov", entropy, **BRIEF).estimate(x, y)
    assert estimate.kind == "lower bound"
    assert estimate.stderr_nats is not None
    assert abs(estimate.nats - gaussian_nats(rho, d)) < min(2.5 * estimate.stderr_nats, 0.1)
    more = LearnedDensityEstimator("barber_agakov", entropy + 0.5, **BRIEF).estimate(x, y)
    assert more.nats == pytest.approx(estimate.nats + 0.5, abs=1e-6)


@pytest.mark.parametrize("method", ["barber_agakov", *TIGHT, "club", "club_sampled"])
def test_independent_pairs_read_nothing(method: str) -> None:
    estimate = LearnedDensityEstimator(method, **BRIEF).estimate(*gaussian(2000, 0.0, 1))
    assert abs(estimate.nats) < 0.02
    assert estimate.has_warning("indistinguishable_from_zero")


def test_few_rows_in_many_columns_read_no_more_than_there_is() -> None:
    estimate = LearnedDensityEstimator("difference_of_entropies", **BRIEF).estimate(*gaussian(150, 0.5, 30))
    assert estimate.nats < gaussian_nats(0.5, 30)


def test_a_diagonal_covariance_misses_what_the_noise_shares() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4000, 2))
    noise = rng.multivariate_normal([0, 0], [[1, 0.95], [0.95, 1]], len(x))
    y = np.hstack([x[:, :1], x[:, :1]]) + noise
    y[:, 1] += x[:, 1]
    full, diagonal = (
        LearnedDensityEstimator(covariance=covariance, scaling="standardise", **BRIEF).estimate(x, y).nats
        for covariance in ("full", "diagonal")
    )
    signal = np.array([[1.0, 1.0], [1.0, 2.0]])
    covariance = np.array([[1, 0.95], [0.95, 1]])
    truth = 0.5 * math.log(np.linalg.det(signal + covariance) / np.linalg.det(covariance))
    assert full == pytest.approx(truth, abs=0.12)
    assert diagonal < full - 0.02


def test_the_critic_scores_new_rows_as_a_log_density_ratio() -> None:
    x, y = gaussian(5000, 0.7, 2)
    estimator = LearnedDensityEstimator(scaling="standardise", **BRIEF).fit(x, y)
    new_x, new_y = (rows.astype(np.float32) for rows in gaussian(200, 0.7, 2, seed=9))
    with torch.no_grad():
        scores = estimator.critic_(
            torch.from_numpy(estimator.scale_x_(new_x)), torch.from_numpy(estimator.scale_y_(new_y))
        )
    channel = KnownCritic(AdditiveGaussianNoise(1 - 0.7**2, lambda x: 0.7 * x), log_standard_normal)
    exact = channel(torch.from_numpy(new_x).double(), torch.from_numpy(new_y).double())
    assert float(np.corrcoef(scores.flatten(), exact.flatten())[0, 1]) > 0.99
    assert float(scores.diagonal().mean()) == pytest.approx(float(exact.diagonal().mean()), abs=0.05)


def test_several_folds_are_one_number_of_all_rows() -> None:
    settings = BRIEF | {"folds": 3}
    estimator = LearnedDensityEstimator("leave_one_out", **settings).fit(*gaussian(900, 0.7, 1))
    assert estimator.influence_.shape == (900,)
    assert estimator.estimate_.n_report == 900
    assert estimator.estimate_.nats == pytest.approx(gaussian_nats(0.7, 1), abs=0.1)


def test_one_seed_gives_one_number() -> None:
    x, y = gaussian(600, 0.7, 2)
    first, second = (LearnedDensityEstimator("club", seed=3, **BRIEF).estimate(x, y) for _ in range(2))
    assert first.nats == second.nats


def test_it_is_a_scikit_learn_estimator() -> None:
    original = LearnedDensityEstimator("club", covariance="diagonal", hidden=(8,), seed=4)
    copied = clone(original)
    assert copied.get_params() == original.get_params()
    assert copied.set_params(max_steps=2, folds=1).fit(*gaussian(200, 0.5, 2)) is copied
    assert Estimate.from_json(copied.estimate_.to_json()).nats == pytest.approx(copied.estimate_.nats)


GOOD = np.random.default_rng(0).standard_normal((60, 2))


@pytest.mark.parametrize(
    ("y", "settings", "message"),
    [
        (GOOD, {"method": "clab"}, "unknown method 'clab'; accepted: barber_agakov"),
        (GOOD, {"method": "barber_agakov"}, "needs h.Y.*give entropy_y_nats or take difference_of_entropies"),
        (GOOD[:, 0], {"method": "barber_agakov", "scaling": "standardise"}, "rank_normal scaling only"),
        (GOOD[:, 0].round(), {"method": "barber_agakov"}, "continuous y.*take label_information"),
        (GOOD, {"entropy_y_nats": 1.0}, "makes no use of entropy_y_nats"),
        (GOOD, {"method": "barber_agakov", "entropy_y_nats": math.nan}, "must be a finite number"),
        (
            GOOD * [1, 0],
            {"method": "barber_agakov", "entropy_y_nats": 1.0},
            "a column of y is constant or follows from others",
        ),
        (GOOD, {"covariance": "round"}, "unknown covariance 'round'; accepted: full or diagonal"),
        (GOOD * 0, {}, "y does not vary"),
        (GOOD * np.nan, {}, "y has NaN"),
        (GOOD, {"patience": 0}, "patience is 0"),
        (GOOD[:40], {}, "x has 60 rows and y has 40"),
    ],
)
def test_bad_input_is_one_line_that_names_the_thing(
    y: Floats, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        LearnedDensityEstimator(**settings).fit(GOOD, y)
    assert "\n" not in str(caught.value)


def test_constant_columns_are_left_out() -> None:
    x, y = gaussian(1000, 0.7, 2)
    plain = LearnedDensityEstimator(**BRIEF).estimate(x, y).nats
    x, y = np.insert(x, 1, 3.0, axis=1), np.insert(y, 1, 7.0, axis=1)
    assert LearnedDensityEstimator(**BRIEF).estimate(x, y).nats == pytest.approx(plain, abs=0.05)


def test_copied_columns_count_once() -> None:
    x, y = gaussian(1000, 0.7, 2)
    plain, doubled = (LearnedDensityEstimator(**BRIEF).estimate(x, rows) for rows in (y, np.hstack([y, y])))
    assert doubled.nats == pytest.approx(plain.nats, abs=0.05)
    assert abs(doubled.null_nats or 0) < 0.02


def test_every_method_says_what_it_is() -> None:
    assert {name: method.kind for name, method in LEARNED_DENSITY_METHODS.items()} == {
        "barber_agakov": "lower bound",
        "difference_of_entropies": "point estimate",
        "club": "point estimate",
        "club_sampled": "point estimate",
        "leave_one_out": "point estimate",
        "variational_kl": "point estimate",
    }


def test_a_value_that_has_a_probability_has_no_density() -> None:
    rng = np.random.default_rng(0)
    x = (rng.random(2000) < 0.05).astype(float)
    y = np.where(x > 0, 0.0, rng.standard_normal(2000))
    with pytest.raises(InputError, match="needs a continuous y"):
        LearnedDensityEstimator("barber_agakov", **BRIEF).estimate(x, y)
    rounded = rng.standard_normal(2000).astype(np.float16).astype(float)[:400]
    rounded[:3] = rounded[0]
    assert LearnedDensityEstimator("barber_agakov", **BRIEF).estimate(x[:400], rounded).nats < 0.1
