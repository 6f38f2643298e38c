"""MINE's critic on pairs: its first layer shared by joint and permuted pairs, a step, and a reading."""

import math
from typing import Any

import torch
from torch import Tensor, nn

from mitools.estimators.bounds.reading import Reading, as_reading, checked
from mitools.estimators.critics.networks import HIDDEN_VALUES_AT_ONCE, mlp
from mitools.estimators.neural.methods import MINE_RATE


class ProtocolCritic(nn.Module):
    """f(x, y): fully connected layers with ReLU on the concatenated pair, scored where it is needed.

    The first layer is linear, ``W [x; y] = W_x x + W_y y``. A step scores K pairs and K permuted
    pairs; both are made of the same K rows of x and of y, so each row is multiplied once and not twice.
    The weights start as those of one layer of d_x + d_y inputs do.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Width of every hidden layer.
    layers
        Linear layers, the last of which gives the score.
    """

    def __init__(self, d_x: int, d_y: int, hidden: int = 1024, layers: int = 4) -> None:
        super().__init__()
        whole = nn.Linear(d_x + d_y, hidden)
        self.from_x = nn.Linear(d_x, hidden)
        self.from_y = nn.Linear(d_y, hidden, bias=False)
        with torch.no_grad():
            self.from_x.weight.copy_(whole.weight[:, :d_x])
            self.from_x.bias.copy_(whole.bias)
            self.from_y.weight.copy_(whole.weight[:, d_x:])
        self.rest = mlp([hidden] * (layers - 1) + [1])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score the pairs (x_i, y_i), shapes (n, d_x) and (n, d_y): shape (n,)."""
        return self.score(self.from_x(x) + self.from_y(y))

    def joint_and_permuted(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Score the pairs (x_i, y_i), and the permuted pairs (x_i, y_{i-1}): shape (n,) each."""
        from_x, from_y = self.from_x(x), self.from_y(y)
        both = torch.cat([from_x + from_y, from_x + from_y.roll(1, 0)])
        joint, permuted = self.score(both).split(len(x))
        return joint, permuted

    def score(self, first: Tensor) -> Tensor:
        """Give the scores, shape (n,), of what the first layer makes of n pairs, which is overwritten."""
        return self.rest(torch.relu_(first)).squeeze(-1)


def mine_objective(critic: Any, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a step maximises: ``mine_surrogate`` of K and K scores."""
    joint, permuted = critic.joint_and_permuted(x, y)
    log_mean = permuted.logsumexp(dim=0) - math.log(len(permuted))
    now = log_mean.detach()
    moved = torch.logaddexp(memory + math.log1p(-MINE_RATE), now + math.log(MINE_RATE))
    now = torch.where(memory.isnan(), now, moved)
    return joint.mean() - (log_mean - now).exp(), now


@torch.no_grad()
def read_rotations(critic: ProtocolCritic, x: Tensor, y: Tensor, rotations: int) -> Reading:
    """Read Donsker-Varadhan on n pairs, with some rotations of y as the product of the marginals.

    All n^2 pairs would need as many passes of the layers behind the first.

    Parameters
    ----------
    critic
        Scores pairs.
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i; in random order.
    rotations
        Pairs (x_i, y_{i+r}) for r = 1 to this many, at most n - 1.
    """
    n = len(x)
    from_x, from_y = critic.from_x(x), critic.from_y(y)
    pieces = max(1, HIDDEN_VALUES_AT_ONCE // from_x.shape[1])

    def scores(shift: int) -> Tensor:
        shifted = from_y.roll(-shift, 0)
        parts = [
            critic.score(a + b) for a, b in zip(from_x.split(pieces), shifted.split(pieces), strict=True)
        ]
        return checked(torch.cat(parts))

    joint = scores(0)
    kernels = torch.stack([scores(shift) for shift in range(1, min(rotations, n - 1) + 1)])
    log_z = kernels.logsumexp(dim=(0, 1)) - math.log(kernels.numel())
    kernels = (kernels - log_z).exp()
    own = kernels.mean(dim=0)
    for shift, kernel in enumerate(kernels, 1):
        own += kernel.roll(shift) / len(kernels)
    influence = (joint - joint.mean()) - (own - 2)
    return as_reading(joint.mean() - log_z, influence)
