"""Bounds against their formulas written out in plain Python, and their ceilings against any scores."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from torch import Tensor

from mitools.core.errors import InputError
from mitools.estimators.bounds.alpha_tuba import alpha_tuba
from mitools.estimators.bounds.donsker_varadhan import donsker_varadhan, mine_surrogate
from mitools.estimators.bounds.flo import flo
from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.jensen_shannon import jensen_shannon
from mitools.estimators.bounds.nt_xent import nt_xent
from mitools.estimators.bounds.nwj import nwj
from mitools.estimators.bounds.smile import smile

K = 4
SCORES, XX, YY = (torch.from_numpy(np.random.default_rng(seed).normal(0, 2, (K, K))) for seed in range(3))

any_scores = st.integers(2, 6).flatmap(lambda k: arrays(np.float64, (k, k), elements=st.floats(-500, 500)))


def test_infonce_is_its_formula() -> None:
    terms = [
        math.log(math.exp(SCORES[i, i]) / (sum(math.exp(SCORES[i, j]) for j in range(K)) / K))
        for i in range(K)
    ]
    assert float(infonce(SCORES)) == pytest.approx(sum(terms) / K, rel=1e-12)


def test_nt_xent_is_definitions_ii_1_and_ii_2() -> None:
    loss = 0.0
    for i in range(K):
        positive = math.exp(SCORES[i, i])
        from_x = sum(math.exp(XX[i, j]) for j in range(K) if j != i)
        from_x += sum(math.exp(SCORES[i, j]) for j in range(K))
        from_y = sum(math.exp(YY[i, j]) for j in range(K) if j != i)
        from_y += sum(math.exp(SCORES[j, i]) for j in range(K))
        loss -= (math.log(positive / from_x) + math.log(positive / from_y)) / (2 * K)
    assert float(nt_xent(SCORES, XX, YY)) == pytest.approx(math.log(2 * K - 1) - loss, rel=1e-12)


def joint_and_product_means() -> tuple[float, float]:
    joint = sum(float(SCORES[i, i]) for i in range(K)) / K
    product = sum(math.exp(SCORES[i, j]) for i in range(K) for j in range(K) if i != j) / (K * (K - 1))
    return joint, product


def test_donsker_varadhan_is_its_formula() -> None:
    joint, product = joint_and_product_means()
    assert float(donsker_varadhan(SCORES)) == pytest.approx(joint - math.log(product), rel=1e-12)


def test_nwj_is_its_formula() -> None:
    joint, product = joint_and_product_means()
    assert float(nwj(SCORES)) == pytest.approx(joint - product / math.e, rel=1e-12)


ALPHA = 0.3
LOG_BASELINE = torch.from_numpy(np.random.default_rng(7).normal(0, 1, K))
U = torch.from_numpy(np.random.default_rng(8).normal(0, 1, K))


def test_nwj_of_a_critic_less_its_baseline_is_tuba() -> None:
    # Poole et al. (2019), Sec. 2.2: E_joint[f] - E_product[e^f / a(y)] - E[log a(y)] + 1.
    a = [math.exp(LOG_BASELINE[j]) for j in range(K)]
    joint = sum(float(SCORES[i, i]) - math.log(a[i]) for i in range(K)) / K
    product = sum(math.exp(SCORES[i, j]) / a[j] for i in range(K) for j in range(K) if i != j)
    written = joint - product / (K * (K - 1)) + 1
    assert float(nwj(1 + SCORES - LOG_BASELINE)) == pytest.approx(written, rel=1e-12)


def test_alpha_tuba_is_equations_15_and_16() -> None:
    f, q = SCORES, [math.exp(LOG_BASELINE[j]) for j in range(K)]
    joint, product = 0.0, 0.0
    for j in range(K):
        with_own = [math.exp(f[i, j]) for i in range(K) if i != (j + 1) % K]
        others = [math.exp(f[i, j]) for i in range(K) if i != j]
        between = ALPHA * sum(with_own) / (K - 1) + (1 - ALPHA) * q[j]
        joint += math.log(math.exp(f[j, j]) / between) / K
        between = ALPHA * sum(others) / (K - 1) + (1 - ALPHA) * q[j]
        product += sum(value / between for value in others) / (K * (K - 1))
    value = float(alpha_tuba(f - LOG_BASELINE, ALPHA))
    assert value == pytest.approx(1 + joint - product, rel=1e-12)


def test_alpha_tuba_lies_between_tuba_and_infonce() -> None:
    assert float(alpha_tuba(SCORES, 1e-9)) == pytest.approx(float(nwj(1 + SCORES)), rel=1e-6)
    # InfoNCE over the y's of every x, each over its own x and K - 2 others.
    written = 0.0
    for j in range(K):
        among = [math.exp(SCORES[i, j]) for i in range(K) if i != (j + 1) % K]
        written += math.log(math.exp(SCORES[j, j]) / (sum(among) / (K - 1))) / K
    assert float(alpha_tuba(SCORES, 1 - 1e-12)) == pytest.approx(written, rel=1e-6)


def test_flo_is_its_formula() -> None:
    written = 1.0
    for i in range(K):
        contrasts = [math.exp(SCORES[i, j] - SCORES[i, i] - U[i]) for j in range(K) if j != i]
        written -= (float(U[i]) + sum(contrasts) / (K - 1)) / K
    assert float(flo(SCORES, U)) == pytest.approx(written, rel=1e-12)


def test_flo_is_largest_at_its_own_u() -> None:
    f = [[float(SCORES[i, j]) for j in range(K)] for i in range(K)]
    best = [
        math.log(sum(math.exp(f[i][j] - f[i][i]) for j in range(K) if j != i) / (K - 1)) for i in range(K)
    ]
    at_best = float(flo(SCORES, torch.tensor(best, dtype=torch.float64)))
    assert at_best == pytest.approx(-sum(best) / K, rel=1e-12)
    assert at_best > float(flo(SCORES, U))


def test_jensen_shannon_is_its_formula() -> None:
    joint = sum(math.log(1 / (1 + math.exp(-SCORES[i, i]))) for i in range(K)) / K
    product = sum(math.log(1 + math.exp(SCORES[i, j])) for i in range(K) for j in range(K) if i != j)
    written = 2 * math.log(2) + joint - product / (K * (K - 1))
    assert float(jensen_shannon(SCORES)) == pytest.approx(written, rel=1e-12)


def test_smile_is_its_formula() -> None:
    clip = 1.5
    assert float(SCORES.abs().max()) > clip
    joint = sum(float(SCORES[i, i]) for i in range(K)) / K
    product = sum(
        min(max(math.exp(SCORES[i, j]), math.exp(-clip)), math.exp(clip))
        for i in range(K)
        for j in range(K)
        if i != j
    )
    written = joint - math.log(product / (K * (K - 1)))
    assert float(smile(SCORES, clip)) == pytest.approx(written, rel=1e-12)
    assert float(smile(SCORES, math.inf)) == pytest.approx(float(donsker_varadhan(SCORES)))


def test_scores_of_zero_read_nothing() -> None:
    zero = torch.zeros(K, K, dtype=torch.float64)
    for value in (
        nwj(1 + zero),
        alpha_tuba(zero, ALPHA),
        flo(zero, zero.diagonal()),
        jensen_shannon(zero),
        smile(zero, 5.0),
    ):
        assert float(value) == pytest.approx(0, abs=1e-12)


def test_alpha_tubas_ceiling_is_reached_and_lies_above_the_papers() -> None:
    k = 50
    scores = torch.full((k, k), -1e3, dtype=torch.float64).fill_diagonal_(1e3)
    value = float(alpha_tuba(scores, ALPHA))
    assert value == pytest.approx(1 + math.log((k - 1) / ALPHA), rel=1e-12)
    assert value > math.log(k / ALPHA)


@given(any_scores, st.floats(0.01, 0.99))
def test_no_scores_pass_the_further_ceilings(scores: np.ndarray, alpha: float) -> None:
    xy, k = torch.from_numpy(scores), len(scores)
    assert float(alpha_tuba(xy, alpha)) <= 1 + math.log((k - 1) / alpha) + 1e-9
    assert float(jensen_shannon(xy)) <= 2 * math.log(2) + 1e-9


def test_every_bound_has_a_finite_gradient_where_scores_are_extreme() -> None:
    for extreme in (60.0, -60.0):
        scores = (extreme * torch.eye(K)).requires_grad_()
        total = (
            alpha_tuba(scores, ALPHA)
            + jensen_shannon(scores)
            + smile(scores, 5.0)
            + flo(scores, torch.zeros(K) - scores.diagonal())
        )
        (gradient,) = torch.autograd.grad(total, scores)
        assert torch.isfinite(gradient).all()


@pytest.mark.parametrize("k", [2, 5, 64])
def test_a_diverging_diagonal_reaches_the_ceiling(k: int) -> None:
    scores, apart = 1e3 * torch.eye(k, dtype=torch.float64), torch.zeros(k, k, dtype=torch.float64)
    assert float(infonce(scores)) == pytest.approx(math.log(k), abs=1e-12)
    assert float(nt_xent(scores, apart, apart)) == pytest.approx(math.log(2 * k - 1), abs=1e-12)
    assert float(donsker_varadhan(scores)) == 1e3


@given(any_scores, any_scores, any_scores)
def test_no_scores_pass_the_ceilings(first: np.ndarray, second: np.ndarray, third: np.ndarray) -> None:
    k = min(len(first), len(second), len(third))
    xy, xx, yy = (torch.from_numpy(scores[:k, :k].copy()) for scores in (first, second, third))
    assert float(infonce(xy)) <= math.log(k) + 1e-9
    assert float(nt_xent(xy, xx, yy)) <= math.log(2 * k - 1) + 1e-9


@given(any_scores, st.floats(-100, 100))
def test_a_constant_added_to_the_scores_changes_nothing(scores: np.ndarray, constant: float) -> None:
    xy = torch.from_numpy(scores)
    for bound in (infonce, donsker_varadhan, lambda s: nt_xent(s, s, s)):
        assert float(bound(xy + constant)) == pytest.approx(float(bound(xy)), abs=1e-9)


@given(any_scores)
def test_nwj_never_passes_donsker_varadhan(scores: np.ndarray) -> None:
    xy = torch.from_numpy(scores)
    assert float(nwj(xy)) <= float(donsker_varadhan(xy)) + 1e-9


def gradient_of_mine(log_average: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    scores = SCORES.clone().requires_grad_()
    objective, new_average = mine_surrogate(scores, log_average, rate)
    objective.backward()
    assert scores.grad is not None
    return scores.grad, new_average


def test_mine_divides_the_gradient_by_the_moving_average() -> None:
    # Belghazi et al. (2018), Sec. 3.2: E_joint[grad f] - E_product[e^f grad f] / moving average of E[e^f].
    before, rate = 3.0, 0.01
    _, product = joint_and_product_means()
    average = (1 - rate) * before + rate * product
    gradient, new_average = gradient_of_mine(torch.tensor(math.log(before), dtype=torch.float64), rate)
    assert float(new_average) == pytest.approx(math.log(average), rel=1e-12)
    for i in range(K):
        for j in range(K):
            written = 1 / K if i == j else -math.exp(SCORES[i, j]) / (K * (K - 1)) / average
            assert float(gradient[i, j]) == pytest.approx(written, rel=1e-12)


def test_mine_starts_with_the_gradient_of_donsker_varadhan() -> None:
    scores = SCORES.clone().requires_grad_()
    donsker_varadhan(scores).backward()
    gradient, average = gradient_of_mine(torch.tensor(torch.nan), 0.01)
    torch.testing.assert_close(gradient, scores.grad, rtol=1e-12, atol=0)
    assert float(average) == pytest.approx(math.log(joint_and_product_means()[1]), rel=1e-12)
    assert not average.requires_grad


@pytest.mark.parametrize("shape", [(3, 4), (1, 1), (4,), (2, 2, 2)])
def test_a_bound_reads_a_square_matrix(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match="square score matrix of at least 2 x 2"):
        infonce(torch.zeros(shape))
