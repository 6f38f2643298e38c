"""The joint critic beside its network on all concatenated pairs: ``pytest tests/benchmarks/test_critics.py``.

A training step of InfoNCE, forward and backward, with 256 pairs of 512 dimensions a side.
"""

import pytest
import torch
from torch import Tensor, nn

from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.critics.networks import JointCritic, mlp

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
