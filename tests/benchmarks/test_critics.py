"""Training steps of critics, forward and backward, 256 pairs of 512 dimensions a side.

``pytest -n 0 tests/benchmarks/test_critics.py``: InfoNCE of the joint critic beside its network on all
concatenated pairs, and NT-Xent of views embedded once beside its three score matrices, scored one by one.
"""

import pytest
import torch
from torch import Tensor, nn

from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.nt_xent import nt_xent
from mitools.estimators.critics.networks import JointCritic, ProjectionCritic, mlp
from mitools.estimators.neural.methods import VARIATIONAL_METHODS

K, D, HIDDEN = 256, 512, (512, 512)


class PairByPair(nn.Module):
    """One network, run on K^2 rows of x and y side by side."""

    def __init__(self) -> None:
        super().__init__()
        self.network = mlp([2 * D, *HIDDEN, 1])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        pairs = torch.cat([x[:, None].expand(-1, len(y), -1), y.expand(len(x), -1, -1)], dim=2)
        return self.network(pairs).squeeze(-1)


@pytest.mark.parametrize("who", ["factored", "pair by pair"])
@pytest.mark.benchmark(group="joint critic, a training step, K = 256, 512+512 dimensions, hidden 512x2")
def test_joint_critic(benchmark, who):
    torch.manual_seed(0)
    critic = JointCritic(D, D, HIDDEN) if who == "factored" else PairByPair()
    x, y = torch.randn(K, D), torch.randn(K, D)

    def step():
        critic.zero_grad()
        objective = infonce(critic(x, y))
        objective.backward()
        return objective

    objective = benchmark.pedantic(step, rounds=5, iterations=1, warmup_rounds=1)
    assert abs(float(objective)) < 0.5
    assert all(parameter.grad is not None for parameter in critic.parameters())


@pytest.mark.parametrize("who", ["embedded once", "scored three times"])
@pytest.mark.benchmark(group="NT-Xent, a training step, K = 256, 512+512 dimensions")
def test_nt_xent(benchmark, who):
    torch.manual_seed(0)
    critic, memory = ProjectionCritic(D, D), torch.tensor(torch.nan)
    x, y = torch.randn(K, D), torch.randn(K, D)

    def step():
        critic.zero_grad()
        if who == "embedded once":
            objective, _ = VARIATIONAL_METHODS["nt_xent"].objective(critic, x, y, memory)
        else:
            objective = nt_xent(critic(x, y), critic(x, x), critic(y, y))
        objective.backward()
        return objective.detach()

    objective = benchmark.pedantic(step, rounds=20, iterations=1, warmup_rounds=2)
    assert abs(float(objective)) < 0.5
