"""Critics: networks that score every x against every y."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mitools.errors import InputError

VALUES_IN_MEMORY = 1 << 24
"""Hidden values that the joint critic holds at a time when it only reads: 64 MiB of float32."""


def mlp(widths: Sequence[int]) -> nn.Sequential:
    """Fully connected layers of the given widths with ReLU between them."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


class SeparableCritic(nn.Module):
    """f(x, y) = g(x) . h(y) with two networks (Poole et al. 2019): K forward passes score K^2 pairs.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the hidden layers of both networks.
    embedding
        Dimension in which the inner product is taken.
    """

    def __init__(self, d_x: int, d_y: int, hidden: Sequence[int] = (256, 256), embedding: int = 64) -> None:
        super().__init__()
        self.embed_x = mlp([d_x, *hidden, embedding])
        self.embed_y = mlp([d_y, *hidden, embedding])

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.embed_x(x) @ self.embed_y(y).T


class JointCritic(nn.Module):
    """f(x, y) = g([x; y]) with one network over every concatenated pair.

    The first layer is linear, ``W [x; y] = U x + V y``, so its product is taken over n + m rows and not
    over n m pairs; the rest runs over all pairs, a few rows at a time unless a gradient is wanted.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the hidden layers.
    """

    def __init__(self, d_x: int, d_y: int, hidden: Sequence[int] = (256, 256)) -> None:
        super().__init__()
        self.from_x = nn.Linear(d_x, hidden[0])
        self.from_y = nn.Linear(d_y, hidden[0], bias=False)
        self.rest = mlp([*hidden, 1])
        self.widest = max(hidden)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        from_x, from_y = self.from_x(x), self.from_y(y)
        rows = len(x)
        if not torch.is_grad_enabled():
            rows = max(1, VALUES_IN_MEMORY // (len(y) * self.widest))
        scores = [self.rest(torch.relu(some[:, None] + from_y)).squeeze(-1) for some in from_x.split(rows)]
        return torch.cat(scores)


class ProjectionCritic(nn.Module):
    """Cosine similarity of one projection head over a temperature (Lee et al., Def. II.1 and Sec. III-C).

    Both views pass the same head, as in SimCLR, so x and y must have the same dimension. The
    temperature is learned, starting at the given value.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the head's hidden layers.
    embedding
        The head's output dimension.
    temperature
        Where the temperature starts.

    Raises
    ------
    InputError
        When the dimensions differ.
    """

    def __init__(
        self,
        d_x: int,
        d_y: int,
        hidden: Sequence[int] = (256, 256),
        embedding: int = 64,
        temperature: float = 0.1,
    ) -> None:
        super().__init__()
        if d_x != d_y:
            raise InputError(
                f"a projection head is shared by both views, but they have {d_x} and {d_y} dimensions; take"
                " the separable or the joint critic"
            )
        self.head = mlp([d_x, *hidden, embedding])
        self.log_scale = nn.Parameter(torch.tensor(1.0 / temperature).log())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d), against y, shape (m, d): shape (n, m)."""
        u = nn.functional.normalize(self.head(x), dim=1)
        v = nn.functional.normalize(self.head(y), dim=1)
        return self.log_scale.exp() * (u @ v.T)


class BlindCritic(nn.Module):
    """f(x, y) = 0: what is read where nothing could be learnt. Every bound reads 0 by it."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return x.new_zeros(len(x), len(y))


CRITICS: dict[str, Callable[..., nn.Module]] = {
    "separable": SeparableCritic,
    "joint": JointCritic,
    "projection": ProjectionCritic,
}
