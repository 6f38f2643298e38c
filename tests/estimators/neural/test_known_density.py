"""The true density of y given x bounds the truth from above, and is the one thing that does."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.base import clone

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.classical.pairwise_bounds import PairwiseUpperBound
from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise
from mitools.estimators.inputs.splits import split
from mitools.estimators.neural.known_density import KNOWN_DENSITY_METHODS, KnownDensityEstimator

Floats = NDArray[np.float64]

NOISE = 0.5


def channel(n: int, d: int, seed: int = 0) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((n, d))
    return x, x + math.sqrt(NOISE) * rng.standard_normal((n, d))


def truth(d: int) -> float:
    return d / 2 * math.log(1 + 1 / NOISE)


def two_points(n: int) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (n, 1))
    return x, x + math.sqrt(NOISE) * rng.standard_normal((n, 1))


def two_points_nats() -> float:
    """h(Y) - h(noise), by quadrature."""
    y = np.linspace(-8, 8, 4001)
    density = sum(np.exp(-((y - x) ** 2) / (2 * NOISE)) for x in (-1, 1)) / 2 / math.sqrt(2 * math.pi * NOISE)
    h_y = -(density * np.log(density)).sum() * (y[1] - y[0])
    return float(h_y - 0.5 * math.log(2 * math.pi * math.e * NOISE))


@pytest.mark.parametrize("d", [1, 4])
@pytest.mark.parametrize("method", KNOWN_DENSITY_METHODS)
def test_upper_bounds_lie_above_the_truth(method: str, d: int) -> None:
    estimate = KnownDensityEstimator(AdditiveGaussianNoise(NOISE), method).estimate(*channel(1500, d))
    assert estimate.kind == "upper bound"
    assert estimate.stderr_nats is not None
    assert estimate.nats > truth(d) - 2.5 * estimate.stderr_nats
    closed = d / NOISE if method.startswith("club") else truth(d)
    assert estimate.nats == pytest.approx(closed, abs=3 * estimate.stderr_nats + 0.02 * d)


def test_where_the_marginal_is_not_normal_the_divergence_is_above_and_leave_one_out_is_not() -> None:
    x, y = two_points(2500)
    bounds = {
        method: KnownDensityEstimator(AdditiveGaussianNoise(NOISE), method).estimate(x, y)
        for method in ("leave_one_out", "variational_kl")
    }
    tight, loose = bounds["leave_one_out"], bounds["variational_kl"]
    assert tight.stderr_nats is not None
    assert loose.stderr_nats is not None
    assert tight.nats == pytest.approx(two_points_nats(), abs=2.5 * tight.stderr_nats)
    # A normal of the same variance has the largest entropy of all.
    closed = 0.5 * math.log((1 + NOISE) / NOISE)
    assert loose.nats == pytest.approx(closed, abs=2.5 * loose.stderr_nats)
    assert closed > two_points_nats() + 0.03


def test_it_agrees_with_the_pairwise_bound_of_noisy_classes() -> None:
    # Kolchinsky & Tracey (2017) bound I(T;H) from above by the same densities, all centres given.
    x, y = two_points(1000)
    labels = (x[:, 0] > 0).astype(int)
    other = PairwiseUpperBound(noise_variance=NOISE).estimate(x, labels)
    estimate = KnownDensityEstimator(AdditiveGaussianNoise(NOISE)).estimate(x, y)
    assert estimate.stderr_nats is not None
    assert estimate.nats < other.nats + 2.5 * estimate.stderr_nats


def test_all_items_are_reported_unless_a_marginal_is_fitted() -> None:
    x, y = channel(400, 1)
    known = AdditiveGaussianNoise(NOISE)
    tight = KnownDensityEstimator(known).fit(x, y)
    assert (tight.estimate_.n_train, tight.estimate_.n_select, tight.estimate_.n_report) == (0, 0, 400)
    assert tight.influence_.shape == (400,)
    fitted = KnownDensityEstimator(known, "variational_kl").estimate(x, y)
    assert (fitted.n_train, fitted.n_select, fitted.n_report) == (260, 60, 80)
    parts = split(400, seed=1)
    assert KnownDensityEstimator(known).fit(x, y, parts=parts).estimate_.n_report == 80


def test_the_record_names_the_density_and_has_no_null() -> None:
    estimate = KnownDensityEstimator(AdditiveGaussianNoise(NOISE)).estimate(*channel(100, 1))
    assert estimate.settings["conditional"] == "AdditiveGaussianNoise"
    assert estimate.null_nats is None
    assert Estimate.from_json(estimate.to_json()).kind == "upper bound"


def test_noise_alone_is_flagged() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 500, 1))
    no_signal = AdditiveGaussianNoise(1.0, lambda x: np.zeros_like(x))
    estimate = KnownDensityEstimator(no_signal).estimate(x, y)
    assert estimate.nats == pytest.approx(0, abs=1e-9)
    assert estimate.has_warning("indistinguishable_from_zero")


def test_it_is_a_scikit_learn_estimator() -> None:
    original = KnownDensityEstimator(AdditiveGaussianNoise(NOISE), "club", seed=2)
    copied = clone(original)
    assert (copied.method, copied.seed) == ("club", 2)
    x, y = channel(60, 1)
    assert copied.estimate(x, y).nats == original.estimate(x, y).nats


class Narrow:
    """Log densities of the wrong shape."""

    def log_prob(self, y: Floats, x: Floats) -> Floats:
        return np.zeros(len(y))


@pytest.mark.parametrize(
    ("x", "y", "estimator", "message"),
    [
        (
            *channel(50, 1),
            KnownDensityEstimator(AdditiveGaussianNoise(NOISE), "clab"),
            "unknown method 'clab'",
        ),
        (
            channel(50, 1)[0],
            channel(40, 1)[1],
            KnownDensityEstimator(AdditiveGaussianNoise(NOISE)),
            "50 rows",
        ),
        (*channel(50, 1), KnownDensityEstimator(Narrow()), r"shape \(50,\), but \(50, 50\)"),
        (*channel(50, 1), KnownDensityEstimator(AdditiveGaussianNoise(-1.0)), "not positive definite"),
        (*channel(1, 1), KnownDensityEstimator(AdditiveGaussianNoise(1.0)), "two at least"),
        (
            channel(50, 1)[0],
            np.ones((50, 1)),
            KnownDensityEstimator(AdditiveGaussianNoise(1.0), "variational_kl"),
            "y does not vary",
        ),
    ],
)
def test_bad_input_is_one_line_that_names_the_thing(
    x: Floats, y: Floats, estimator: KnownDensityEstimator, message: str
) -> None:
    with pytest.raises(InputError, match=message) as caught:
        estimator.fit(x, y)
    assert "\n" not in str(caught.value)
