"""Every bound runs on the meta device: a tensor that is left on the CPU raises without a GPU at hand."""

from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mitools.estimators import bounds
from mitools.estimators.bounds import (
    alpha_tuba,
    club,
    donsker_varadhan,
    flo,
    infonce,
    jensen_shannon,
    leave_one_out,
    log_likelihood,
    nt_xent,
    nwj,
    score_matrix,
    smile,
)

K, D = 6, 3


def on_meta(*shape: int, **more: Any) -> Tensor:
    return torch.empty(shape, device="meta", **more)


class Critic(nn.Module):
    """A critic with everything that a bound asks of one."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        return x @ y.T

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        return (x * y).sum(dim=1)

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        return x.sum(dim=1)

    def divergence(self, x: Tensor) -> Tensor:
        return x.sum(dim=1)


SCORES, VECTOR, X, Y = on_meta(K, K), on_meta(K), on_meta(K, D), on_meta(K, D)
PARTNER = on_meta(K, dtype=torch.int64)
LOG_MARGINAL = on_meta(K, dtype=torch.float64)

FORMULAS: dict[str, Callable[[], Any]] = {
    "alpha_tuba.alpha_tuba": lambda: alpha_tuba.alpha_tuba(SCORES, 0.5),
    "alpha_tuba.log_interpolated": lambda: alpha_tuba.log_interpolated(VECTOR, 0.5),
    "club.club": lambda: club.club(SCORES),
    "club.club_sampled": lambda: club.club_sampled(SCORES, PARTNER),
    "donsker_varadhan.donsker_varadhan": lambda: donsker_varadhan.donsker_varadhan(SCORES),
    "donsker_varadhan.mine_surrogate": lambda: donsker_varadhan.mine_surrogate(SCORES, on_meta(), 0.1),
    "flo.flo": lambda: flo.flo(SCORES, VECTOR),
    "infonce.infonce": lambda: infonce.infonce(SCORES),
    "jensen_shannon.jensen_shannon": lambda: jensen_shannon.jensen_shannon(SCORES),
    "leave_one_out.leave_one_out": lambda: leave_one_out.leave_one_out(SCORES),
    "nt_xent.nt_xent": lambda: nt_xent.nt_xent(SCORES, on_meta(K, K), on_meta(K, K)),
    "nwj.nwj": lambda: nwj.nwj(SCORES),
    "score_matrix.log_mean_exp_off_diagonal": lambda: score_matrix.log_mean_exp_off_diagonal(SCORES),
    "score_matrix.without_diagonal": lambda: score_matrix.without_diagonal(SCORES),
    "smile.smile": lambda: smile.smile(SCORES, 5.0),
}

READINGS: dict[str, Callable[..., Any]] = {
    "alpha_tuba.read_alpha_tuba": partial(alpha_tuba.read_alpha_tuba, alpha=0.5),
    "club.read_club": club.read_club,
    "club.read_club_sampled": club.read_club_sampled,
    "donsker_varadhan.read_donsker_varadhan": donsker_varadhan.read_donsker_varadhan,
    "flo.read_flo": flo.read_flo,
    "infonce.read_infonce": infonce.read_infonce,
    "infonce.read_infonce_in_blocks": infonce.read_infonce_in_blocks,
    "jensen_shannon.read_jensen_shannon": jensen_shannon.read_jensen_shannon,
    "leave_one_out.read_leave_one_out": leave_one_out.read_leave_one_out,
    "log_likelihood.read_barber_agakov": lambda critic, x, y, _: log_likelihood.read_barber_agakov(
        critic, x, y, log_marginal=LOG_MARGINAL, entropy=1.0
    ),
    "log_likelihood.read_divergence": lambda critic, x, y, _: log_likelihood.read_divergence(critic, x, y),
    "log_likelihood.read_log_ratio": lambda critic, x, y, _: log_likelihood.read_log_ratio(critic, x, y),
    "nt_xent.read_nt_xent": nt_xent.read_nt_xent,
    "nwj.read_nwj": nwj.read_nwj,
    "smile.read_smile": partial(smile.read_smile, clip=5.0),
}

NEED_VALUES = {
    "guard.few_pairs": "says in words what readings hold",
    "guard.is_carried": "looks at the numbers that readings hold",
    "infonce.ceiling_in_blocks": "counts pairs, and sees no tensor",
    "infonce.pairs_in_block": "counts pairs, and sees no tensor",
    "reading.Reading": "holds a number and a NumPy array",
    "reading.as_reading": "takes the number and the influence from the device",
    "reading.checked": "refuses scores that are not finite, and so must read them",
    "reading.chunks": "counts rows, and sees no tensor",
    "reading.next_stranger": "finds where the group changes, which values say",
    "reading.over_strangers": "adds up within groups, which values say",
    "reading.pooled": "joins the NumPy arrays of several readings",
    "reading.strangers": "counts the rows of each group, which values say",
}
"""What cannot run on tensors without values, and why; the readings run with the first two of it left out."""


def test_no_function_is_forgotten(public_members_of: Callable[[ModuleType], set[str]]) -> None:
    assert {*FORMULAS, *READINGS, *NEED_VALUES} == public_members_of(bounds)


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_stays_on_the_device_of_its_scores(name: str, one_device: Any) -> None:
    with one_device():
        found = FORMULAS[name]()
    for value in found if isinstance(found, tuple) else (found,):
        assert value.is_meta


@pytest.mark.parametrize("diagonal_is_marginal", [False, True])
@pytest.mark.parametrize("name", READINGS)
def test_a_reading_stays_on_the_device_of_its_rows(
    name: str,
    diagonal_is_marginal: bool,
    one_device: Any,
    without_values: Callable[[ModuleType], None],
) -> None:
    without_values(bounds)
    with one_device():
        nats, influence = READINGS[name](Critic(), X, Y, diagonal_is_marginal)
    assert nats.is_meta
    assert (nats.ndim, influence.shape) == (0, (K,))
    assert influence.is_meta


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: SCORES.masked_fill(torch.eye(K, dtype=torch.bool), 0.0),
        lambda: SCORES @ torch.zeros(K, K),
        lambda: SCORES[torch.arange(2)],
        lambda: torch.zeros(K, K).add_(SCORES),
        lambda: nn.Linear(K, 2)(SCORES),
    ],
)
def test_a_tensor_left_on_the_cpu_raises(wrong: Callable[[], Tensor], one_device: Any) -> None:
    with one_device(), pytest.raises(RuntimeError, match="with tensors on cpu and meta"):
        wrong()
