"""Critics with what a bound learns beside them: TUBA's baseline, FLO's second function."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mitools.estimators.critics.networks import mlp


class WithBaseline(nn.Module):
    """A critic less a learned log a(y), which makes NWJ of it TUBA (Poole et al. 2019, Sec. 2.2).

    The baseline starts at zero, so that the scores start as the critic's own. They tend to the log density
    ratio, whatever function of y the critic itself adds.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the baseline's hidden layers.
    """

    def __init__(self, critic: nn.Module, d_x: int, d_y: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.critic = critic
        self.log_baseline = _from_zero([d_y, *hidden, 1])

    def baseline(self, y: Tensor) -> Tensor:
        """Give log a(y), shape (m,)."""
        return self.log_baseline(y).squeeze(-1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.critic(x, y) - self.baseline(y)


class WithU(nn.Module):
    """A critic f with FLO's second function (Guo et al. 2022), kept as what it adds to -f.

    At its best, FLO's u is the negative log density ratio, and so is -f where f is the ratio itself. What
    is learned is their difference, which starts at zero: the first value is then NWJ's.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the second function's hidden layers.
    """

    def __init__(self, critic: nn.Module, d_x: int, d_y: int, hidden: Sequence[int]) -> None:
        super().__init__()
        self.critic = critic
        self.beside = _from_zero([d_x + d_y, *hidden, 1])

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        """Give u(x_i, y_i) + f(x_i, y_i) of n pairs, shape (n,)."""
        return self.beside(torch.cat([x, y], dim=1)).squeeze(-1)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.critic(x, y)


def _from_zero(widths: Sequence[int]) -> nn.Sequential:
    """Fully connected layers whose output is zero before the first step."""
    network = mlp(widths)
    last = network[-1]
    assert isinstance(last, nn.Linear)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return network
