"""Strong dependence by what a regression leaves: closed-form truths of 3 to 8 nats, and refusals."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.datasets.known_information.channels import AdditiveUniform
from mitools.datasets.known_information.elliptical import Gaussian, StudentT, sparse_correlation
from mitools.datasets.known_information.tasks import sample
from mitools.estimators.classical.residuals import ResidualEstimator

N = 2000


def read(x, y, **more):
    return ResidualEstimator().estimate(x, y, **more)


@pytest.mark.parametrize(
    ("joint", "tolerance"),
    [
        (Gaussian.sparse(1, 1, 1, 0.9999999), 0.1),
        (Gaussian.sparse(3, 2, 2, 0.9999), 0.15),
        (AdditiveUniform(0.001, 1), 0.1),
        (AdditiveUniform(0.02, 2), 0.2),
        (StudentT(sparse_correlation(1, 1, 1, 0.9999), 1, df=3), 0.15),
        (StudentT(sparse_correlation(2, 2, 2, 0.9995), 2, df=3), 0.25),
    ],
    ids=["normal 1x1", "normal 3x2", "uniform 1x1", "uniform 2x2", "student 1x1", "student 2x2"],
)
def test_linear_channels(joint, tolerance):
    known = sample(joint, N, seed=70)
    assert known.nats > 4
    found = read(known.x, known.y)
    assert found.nats == pytest.approx(known.nats, abs=tolerance)
    assert abs(found.null_nats) < 0.15


def test_a_bent_channel():
    z, noise = np.random.default_rng(71).standard_normal((2, N))
    found = read(z**3, np.exp(z + 0.01 * noise))
    assert found.nats == pytest.approx(0.5 * np.log(1 + 1e4), abs=0.2)
    assert found.settings["regression"].startswith("locally linear")


def test_what_the_residual_shares_is_read():
    """Noise whose size is 0.01 or 0.1 by the sign of x: h(y|x) is the mean of two normal entropies."""
    x, noise = np.random.default_rng(72).standard_normal((2, 2, N))[:, 0]
    y = x + np.where(x > 0, 0.01, 0.1) * noise
    truth = 0.5 * np.log(1 + 0.0) - 0.5 * (np.log(0.01) + np.log(0.1))
    found = read(x, y)
    assert found.settings["left_nats"] > 0.3
    assert found.nats == pytest.approx(truth, abs=0.15)


def test_weak_dependence_and_none():
    x, noise = np.random.default_rng(73).standard_normal((2, N))
    assert read(x, 0.8 * x + 0.6 * noise).nats == pytest.approx(-np.log(0.6), abs=0.08)
    found = read(x, noise)
    assert abs(found.nats) < 0.05
    assert found.has_warning("indistinguishable_from_zero")


def test_noise_columns_on_the_predicting_side():
    x = np.random.default_rng(74).standard_normal((N, 20))
    y = x[:, 3] + 0.01 * np.random.default_rng(75).standard_normal(N)
    assert read(x, y).nats == pytest.approx(0.5 * np.log(1 + 1e4), abs=0.12)
    assert read(y, x).settings["predicted"] == "x"
    assert read(y, x).nats == pytest.approx(read(x, y).nats, abs=1e-9)


def test_the_interval_holds_the_truth():
    held = 0
    for seed in range(25):
        known = sample(Gaussian.sparse(1, 1, 1, 0.999), 400, seed=700 + seed)
        low, high, _ = read(known.x, known.y).interval_nats
        held += low < known.nats < high
    assert 22 <= held <= 25


def test_copies_in_groups_are_no_neighbours():
    x, noise = np.random.default_rng(76).standard_normal((2, 600))
    groups = np.repeat(np.arange(600), 2)
    found = read(np.repeat(x, 2), np.repeat(x + 0.01 * noise, 2), groups=groups)
    assert found.nats == pytest.approx(0.5 * np.log(1 + 1e4), abs=0.2)


def test_what_has_no_density_is_refused():
    x = np.random.default_rng(77).standard_normal((300, 6))
    with pytest.raises(InputError, match="more than 5 columns"):
        read(x, x + 1)
    with pytest.raises(InputError, match="exactly"):
        read(x[:, :1], 2 * x[:, :1] + 1)
    with pytest.raises(InputError, match="values recur"):
        read(np.maximum(x[:, 0], 0), x[:, 1])
    with pytest.raises(InputError, match="multiples of each other"):
        read(x[:, :2], x[:, [2, 2]])
    with pytest.raises(InputError, match="too few"):
        read(x[:60], x[:60, 0])


@pytest.mark.parametrize("n", [300, 1000])
def test_independent_columns_read_nothing(n):
    rng = np.random.default_rng(0)
    found = [ResidualEstimator().fit(*rng.standard_normal((2, n, 1))).estimate_ for _ in range(15)]
    assert abs(np.mean([one.nats for one in found])) < 0.05
    assert sum(one.interval_nats.low > 0 for one in found) <= 3
