"""Bounds by a conditional density: their formulas, and either side of the truth by the exact density."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.estimators.bounds import reading as readings
from mitools.estimators.bounds.club import club, club_sampled, read_club, read_club_sampled
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.leave_one_out import leave_one_out, read_leave_one_out
from mitools.estimators.bounds.log_likelihood import read_barber_agakov, read_divergence, read_log_ratio
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise, KnownCritic
from mitools.estimators.inputs.whitening import log_standard_normal

K = 5
SCORES = torch.from_numpy(np.random.default_rng(0).normal(0, 2, (K, K)))
NOISE = 0.5
TRUTH = 0.5 * math.log(1 + 1 / NOISE)
"""Of x standard normal and y = x + noise of that variance."""


def test_club_is_its_formula() -> None:
    joint = sum(float(SCORES[i, i]) for i in range(K)) / K
    product = sum(float(SCORES[i, j]) for i in range(K) for j in range(K) if i != j) / (K * (K - 1))
    assert float(club(SCORES)) == pytest.approx(joint - product, rel=1e-12)


def test_club_sampled_is_its_formula() -> None:
    partner = [2, 0, 4, 1, 3]
    written = sum(float(SCORES[i, i]) - float(SCORES[i, partner[i]]) for i in range(K)) / K
    value = float(club_sampled(SCORES, torch.tensor(partner)))
    assert value == pytest.approx(written, rel=1e-12)


def test_leave_one_out_is_its_formula() -> None:
    written = 0.0
    for j in range(K):
        marginal = sum(math.exp(SCORES[i, j]) for i in range(K) if i != j) / (K - 1)
        written += math.log(math.exp(SCORES[j, j]) / marginal) / K
    assert float(leave_one_out(SCORES)) == pytest.approx(written, rel=1e-12)


@pytest.mark.parametrize("bound", [club, leave_one_out])
def test_a_function_of_y_alone_changes_nothing(bound: Callable[[Tensor], Tensor]) -> None:
    of_y = torch.from_numpy(np.random.default_rng(1).normal(0, 3, K))
    assert float(bound(SCORES + of_y)) == pytest.approx(float(bound(SCORES)), rel=1e-10)


class Asymmetric:
    """Scores that are no symmetric function."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        mixing = torch.from_numpy(np.random.default_rng(5).normal(0, 0.5, (x.shape[1], y.shape[1])))
        return x @ mixing @ y.T + 0.3 * y.square().sum(dim=1)

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        return self(x, y).diagonal()


def noise(n: int, d: int) -> tuple[Tensor, Tensor]:
    x, y = (torch.from_numpy(np.random.default_rng(seed).normal(size=(n, d))) for seed in (0, 1))
    return x, y


MATRIX = {"club": (read_club, club), "loo": (read_leave_one_out, leave_one_out)}


@pytest.mark.parametrize("name", MATRIX)
@pytest.mark.parametrize("in_memory", [1, 33, 47, 1 << 24])
def test_a_reading_in_chunks_is_the_bound_on_the_whole_matrix(
    name: str, in_memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, written = MATRIX[name]
    x, y = noise(11, 3)
    whole = read(Asymmetric(), x, y)
    monkeypatch.setattr(readings, "SCORES_IN_MEMORY", in_memory)
    reading = read(Asymmetric(), x, y)
    assert reading.nats == pytest.approx(float(written(Asymmetric()(x, y))), rel=1e-12)
    assert reading.influence.mean() == pytest.approx(0, abs=1e-12)
    np.testing.assert_allclose(reading.influence, whole.influence, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("diagonal_is_marginal", [False, True])
@pytest.mark.parametrize("read", [read_club, read_leave_one_out])
def test_the_influence_is_what_leaving_a_pair_out_changes(
    read: Callable[..., Reading], diagonal_is_marginal: bool
) -> None:
    n = 100
    x, y = noise(n, 2)
    reading = read(Asymmetric(), x, y, diagonal_is_marginal)
    without = []
    for k in range(n):
        kept = torch.from_numpy(np.delete(np.arange(n), k))
        without.append(read(Asymmetric(), x[kept], y[kept], diagonal_is_marginal).nats)
    left_out = (n - 1) * (np.mean(without) - np.array(without))
    assert np.corrcoef(reading.influence, left_out)[0, 1] > 0.995
    assert reading.influence.std() == pytest.approx(left_out.std(), rel=0.05)


def channel(n: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    x = rng.standard_normal((n, 1))
    y = x + math.sqrt(NOISE) * rng.standard_normal((n, 1))
    return torch.from_numpy(x), torch.from_numpy(y)


def exact_marginal(y: NDArray[np.float64]) -> NDArray[np.float64]:
    spread = 1 + NOISE
    return log_standard_normal(y / math.sqrt(spread)) - 0.5 * math.log(spread)


def wide_marginal(y: NDArray[np.float64]) -> NDArray[np.float64]:
    return log_standard_normal(y / 3) - math.log(3)


EXACT = KnownCritic(AdditiveGaussianNoise(NOISE), exact_marginal)


def club_truth() -> float:
    """CLUB of the exact channel: E_product[(y - x)^2] is 2 + NOISE, and E_joint NOISE."""
    return (2 + NOISE - NOISE) / (2 * NOISE)


@pytest.mark.parametrize("read", [read_club, read_club_sampled])
def test_club_by_the_exact_density_reads_its_closed_form_above_the_truth(
    read: Callable[..., Reading],
) -> None:
    reading = read(EXACT, *channel(2000, np.random.default_rng(0)))
    assert abs(reading.nats - club_truth()) < 2.5 * reading.stderr < 0.5
    assert reading.nats - 2 * reading.stderr > TRUTH


def test_leave_one_out_and_infonce_by_the_exact_density_enclose_the_truth() -> None:
    # Poole et al. (2019), Sec. 2.4: with few samples both are loose, on either side.
    rng = np.random.default_rng(1)
    above, below = [], []
    for _ in range(150):
        x, y = channel(8, rng)
        above.append(read_leave_one_out(EXACT, x, y).nats)
        below.append(read_infonce(EXACT, x, y).nats)
    for values, side in ((above, 1), (below, -1)):
        stderr = float(np.std(values)) / math.sqrt(len(values))
        assert side * (np.mean(values) - TRUTH) > 2 * stderr
    reading = read_leave_one_out(EXACT, *channel(2000, rng))
    assert reading.nats == pytest.approx(TRUTH, abs=2.5 * reading.stderr)


def test_a_marginal_that_is_not_the_true_one_reads_above_by_its_divergence() -> None:
    x, y = channel(2000, np.random.default_rng(2))
    exact = read_log_ratio(EXACT, x, y)
    assert exact.nats == pytest.approx(TRUTH, abs=2.5 * exact.stderr)
    wide = read_log_ratio(KnownCritic(AdditiveGaussianNoise(NOISE), wide_marginal), x, y)
    ratio = (1 + NOISE) / 9
    assert wide.nats == pytest.approx(TRUTH + (ratio - 1 - math.log(ratio)) / 2, abs=2.5 * wide.stderr)


def test_barber_agakov_by_the_exact_density_is_the_truth_and_by_another_below_it() -> None:
    x, y = channel(2000, np.random.default_rng(3))
    entropy = 0.5 * math.log(2 * math.pi * math.e * (1 + NOISE))
    log_marginal = torch.from_numpy(exact_marginal(y.numpy()))
    exact = read_barber_agakov(EXACT, x, y, log_marginal=log_marginal, entropy=entropy)
    assert exact.nats == pytest.approx(TRUTH, abs=2.5 * exact.stderr)
    wrong = KnownCritic(AdditiveGaussianNoise(2 * NOISE), exact_marginal)
    below = read_barber_agakov(wrong, x, y, log_marginal=log_marginal, entropy=entropy)
    # By KL(N(0, v) || N(0, 2v)).
    assert below.nats == pytest.approx(TRUTH - (0.5 - 1 + math.log(2)) / 2, abs=2.5 * below.stderr)
    assert below.nats + 2 * below.stderr < TRUTH


@pytest.mark.parametrize("read", [read_club, read_club_sampled, read_leave_one_out, read_log_ratio])
def test_the_standard_error_is_the_spread_over_repeated_samples(read: Callable[..., Reading]) -> None:
    rng = np.random.default_rng(4)
    taken = [read(EXACT, *channel(100, rng)) for _ in range(300)]
    variances = [reading.stderr**2 for reading in taken]
    assert np.mean(variances) / np.var([reading.nats for reading in taken]) == pytest.approx(1, abs=0.3)


def test_where_the_diagonal_is_of_the_product_a_pair_may_meet_itself() -> None:
    x, y = channel(50, np.random.default_rng(5))
    scores = EXACT(x, y)
    club = float(scores.diagonal().mean() - scores.mean())
    assert read_club(EXACT, x, y, True).nats == pytest.approx(club, rel=1e-12)
    written = float((scores.diagonal() - (scores.logsumexp(dim=0) - math.log(50))).mean())
    assert read_leave_one_out(EXACT, x, y, True).nats == pytest.approx(written, rel=1e-12)


def test_densities_that_are_not_finite_are_an_error() -> None:
    class Broken:
        def __call__(self, x: Tensor, y: Tensor) -> Tensor:
            return torch.full((len(x), len(y)), math.nan)

        def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
            return torch.full((len(x),), math.nan)

        def divergence(self, x: Tensor) -> Tensor:
            return torch.full((len(x),), math.nan)

    x, y = noise(6, 1)
    for read in (read_club, read_club_sampled, read_leave_one_out, read_log_ratio, read_divergence):
        with pytest.raises(InputError, match="scores are not finite"):
            read(Broken(), x, y)
