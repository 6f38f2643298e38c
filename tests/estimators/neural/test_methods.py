"""What a training step maximises: the bounds themselves, alike for one critic and for several at once."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call, stack_module_state, vmap

from mitools.core.errors import InputError
from mitools.estimators.bounds.alpha_tuba import alpha_tuba
from mitools.estimators.bounds.donsker_varadhan import donsker_varadhan
from mitools.estimators.bounds.flo import flo
from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.jensen_shannon import jensen_shannon
from mitools.estimators.bounds.nt_xent import nt_xent
from mitools.estimators.bounds.nwj import nwj
from mitools.estimators.critics.networks import CRITICS, SeparableCritic
from mitools.estimators.critics.with_baseline import WithBaseline, WithU
from mitools.estimators.neural.methods import (
    VARIATIONAL_METHODS,
    CriticMethod,
    alpha_tuba_method,
    smile_method,
)
from mitools.estimators.neural.variational import VariationalEstimator

HIDDEN = (8,)


def batch(seed: int, d: int = 3) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(16, d, generator=generator), torch.randn(16, d, generator=generator)


class Step(nn.Module):
    """An objective as a module of its critic's parameters."""

    def __init__(self, method: CriticMethod, seed: int) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.method = method
        self.critic = method.wrap(SeparableCritic(3, 3, HIDDEN), 3, 3, HIDDEN)
        for parameter in self.parameters():
            nn.init.normal_(parameter, std=0.3)

    def forward(self, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return self.method.objective(self.critic, x, y, memory)


@pytest.mark.parametrize("name", VARIATIONAL_METHODS)
def test_several_at_once_are_several_one_by_one(name: str) -> None:
    steps = [Step(VARIATIONAL_METHODS[name], seed) for seed in range(3)]
    weights, buffers = stack_module_state(steps)
    x, y = (torch.stack(side) for side in zip(*(batch(seed) for seed in range(3)), strict=True))

    def call(weights: Any, buffers: Any, x: Tensor, y: Tensor, memory: Tensor) -> Any:
        return functional_call(steps[0], (weights, buffers), (x, y, memory))

    together = alone = torch.full((3,), torch.nan)
    for _ in range(2):  # The second step uses the memory of the first.
        values, together = vmap(call)(weights, buffers, x, y, together)
        singly = [step(x[k], y[k], alone[k]) for k, step in enumerate(steps)]
        torch.testing.assert_close(values, torch.stack([value for value, _ in singly]))
        alone = torch.stack([memory for _, memory in singly])
        torch.testing.assert_close(together, alone, equal_nan=True)
    values.sum().backward()
    for k, (value, _) in enumerate(singly):
        value.backward()
        for parameter, (path, stacked) in zip(steps[k].parameters(), weights.items(), strict=True):
            assert stacked.grad is not None, path
            torch.testing.assert_close(stacked.grad[k], parameter.grad, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", CRITICS)
def test_nt_xent_embedded_once_is_nt_xent_of_three_score_matrices(name: str) -> None:
    torch.manual_seed(0)
    critic = CRITICS[name](3, 3, hidden=HIDDEN).double()
    x, y = (side.double() for side in batch(0))
    value, _ = VARIATIONAL_METHODS["nt_xent"].objective(critic, x, y, torch.tensor(torch.nan))
    scored = nt_xent(critic(x, y), critic(x, x), critic(y, y))
    torch.testing.assert_close(value, scored, rtol=1e-12, atol=0)
    weights = list(critic.parameters())
    for ours, theirs in zip(*(torch.autograd.grad(v, weights) for v in (value, scored)), strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-9, atol=1e-12)


def test_only_mine_remembers() -> None:
    for name, method in VARIATIONAL_METHODS.items():
        _, memory = Step(method, 0)(*batch(0), torch.tensor(torch.nan))
        assert bool(memory.isnan()) == (name != "mine")


WRITTEN: dict[str, Callable[[Any, Tensor, Tensor], Tensor]] = {
    "infonce": lambda critic, x, y: infonce(critic(x, y)),
    "dv": lambda critic, x, y: donsker_varadhan(critic(x, y)),
    "nwj": lambda critic, x, y: nwj(1 + critic(x, y)),
    "js": lambda critic, x, y: jensen_shannon(critic(x, y)),
    "smile": lambda critic, x, y: jensen_shannon(critic(x, y)),
    "deep_infomax": lambda critic, x, y: jensen_shannon(critic(x, y)),
    "tuba": lambda critic, x, y: nwj(1 + critic.critic(x, y) - critic.baseline(y)),
    "alpha_tuba": lambda critic, x, y: alpha_tuba(
        critic.critic(x, y) - critic.baseline(y), VARIATIONAL_METHODS["alpha_tuba"].record["alpha"]
    ),
    "flo": lambda critic, x, y: flo(critic.critic(x, y), critic.u(x, y) - critic.critic(x, y).diagonal()),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_objective_is_this_bound(name: str) -> None:
    step, (x, y) = Step(VARIATIONAL_METHODS[name], 0), batch(0)
    value, _ = step(x, y, torch.tensor(torch.nan))
    torch.testing.assert_close(value, WRITTEN[name](step.critic, x, y))


@pytest.mark.parametrize("wrap", [WithBaseline, WithU])
def test_what_is_learned_beside_a_critic_starts_at_nothing_and_learns(wrap: Any) -> None:
    critic, (x, y) = SeparableCritic(3, 3, HIDDEN), batch(0)
    wrapped = wrap(critic, 3, 3, HIDDEN)
    torch.testing.assert_close(wrapped(x, y), critic(x, y), rtol=0, atol=0)
    method = VARIATIONAL_METHODS["tuba" if wrap is WithBaseline else "flo"]
    method.objective(wrapped, x, y, torch.tensor(torch.nan))[0].backward()
    last = (wrapped.log_baseline if wrap is WithBaseline else wrapped.beside)[-1]
    assert float(last.bias.grad.abs()) > 0


def test_constants_are_on_record() -> None:
    assert smile_method(2.0).record == {"clip": 2.0}
    assert alpha_tuba_method(0.2).record == {"alpha": 0.2}
    assert alpha_tuba_method(0.2).ceiling(100) == 1 + math.log(500)
    assert VARIATIONAL_METHODS["deep_infomax"].ceiling(100) == 2 * math.log(2)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_constants_out_of_range_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="must lie between"):
        alpha_tuba_method(value)
    with pytest.raises(InputError, match="must be above 0"):
        smile_method(value)


def test_a_number_that_is_no_bound_does_not_choose_the_critic() -> None:
    x, y = batch(0)

    def sure(x: Tensor, y: Tensor) -> Tensor:
        return 100.0 * torch.eye(len(x))

    look = VARIATIONAL_METHODS["smile"].read_select(sure, x, y, False, None)
    assert look.nats <= 2 * math.log(2) < VARIATIONAL_METHODS["smile"].read(sure, x, y, False).nats


def gaussian(n: int, rho: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((n, 1))
    return x, rho * x + math.sqrt(1 - rho**2) * rng.standard_normal((n, 1))


def twice_jensen_shannon(rho: float) -> float:
    grid = np.linspace(-7, 7, 801)
    x, y = grid[:, None], grid[None]
    log_ratio = (2 * rho * x * y - rho**2 * (x**2 + y**2)) / (2 * (1 - rho**2)) - 0.5 * np.log(1 - rho**2)
    product = np.exp(-(x**2 + y**2) / 2) / (2 * np.pi) * (grid[1] - grid[0]) ** 2
    middle = np.logaddexp(0, log_ratio) - np.log(2)
    return float((product * np.exp(log_ratio) * (log_ratio - middle) - product * middle).sum())


@pytest.mark.parametrize("name", ["nwj", "tuba", "alpha_tuba", "js", "flo", "smile", "deep_infomax"])
def test_a_short_training_reaches_the_truth(name: str) -> None:
    rho = 0.8
    truth = twice_jensen_shannon(rho) if name == "deep_infomax" else -0.5 * math.log(1 - rho**2)
    estimator = VariationalEstimator(
        name,
        hidden=(32,),
        learning_rate=0.01,
        average=0.9,
        max_steps=250,
        check_every=25,
        batch_size=128,
        folds=1,
    )
    estimate = estimator.estimate(*gaussian(2500, rho))
    assert estimate.kind == VARIATIONAL_METHODS[name].kind
    assert estimate.nats == pytest.approx(truth, abs=0.1)
    assert estimate.stderr_nats is not None
    assert abs(estimate.nats - truth) < 3 * estimate.stderr_nats + 0.02
    assert abs(estimate.null_nats or 0) < 0.02
