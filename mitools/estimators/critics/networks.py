"""Critics: networks that score every x against every y."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError

HIDDEN_VALUES_AT_ONCE = 1 << 22
"""Hidden values that the joint critic makes at a time: 16 MiB of float32. Memory for so many is used again
and not fetched anew, which takes a sixth off a training step; many fewer cost threads that wait."""


def mlp(widths: Sequence[int]) -> nn.Sequential:
    """Fully connected layers of the given widths with ReLU between them."""
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        # In place: a linear layer keeps what it was given and not what it gives.
        layers += [nn.Linear(wide, narrow), nn.ReLU(inplace=True)]
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

    @property
    def last_layer(self) -> nn.Module:
        """The layer that makes every score 0 when it is 0."""
        return self.embed_x[-1]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.embed_x(x) @ self.embed_y(y).T

    def embed(self, z: Tensor, side: int) -> Tensor:
        """Embed rows of x (side 0) or of y (side 1)."""
        return self.embed_y(z) if side else self.embed_x(z)


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

    @property
    def last_layer(self) -> nn.Module:
        """The layer that makes every score 0 when it is 0."""
        return self.rest[-1]

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        from_x, from_y = self.from_x(x), self.from_y(y)
        rows = max(1, HIDDEN_VALUES_AT_ONCE // (len(y) * self.widest))
        scores = [self.rest(torch.relu_(some[:, None] + from_y)).squeeze(-1) for some in from_x.split(rows)]
        return torch.cat(scores)


class BilinearCritic(nn.Module):
    """f(x, y) = x' W y (van den Oord et al. 2018, Eq. 3).

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    """

    def __init__(self, d_x: int, d_y: int) -> None:
        super().__init__()
        self.last_layer = nn.Linear(d_y, d_x, bias=False)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return x @ self.last_layer(y).T


class InnerProductCritic(nn.Module):
    """f(x, y) = s x . y, of the vectors themselves or of their directions; only the scale s > 0 is learned.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    cosine
        Whether x and y are taken at length 1, as in SimCLR (Chen et al. 2020, Eq. 1). The scale then
        starts at 10, a temperature of 0.1, else at 1 / d.

    Raises
    ------
    InputError
        When the dimensions differ.
    """

    def __init__(self, d_x: int, d_y: int, cosine: bool = False) -> None:
        super().__init__()
        if d_x != d_y:
            raise InputError(
                f"an inner product is of vectors of one dimension, not of {d_x} and {d_y}; take the bilinear"
                " critic"
            )
        self.cosine = cosine
        self.log_scale = nn.Parameter(torch.tensor(10.0 if cosine else 1.0 / d_x).log())

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d), against y, shape (m, d): shape (n, m)."""
        if self.cosine:
            x, y = nn.functional.normalize(x, dim=1), nn.functional.normalize(y, dim=1)
        return self.log_scale.exp() * (x @ y.T)


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

    Attributes
    ----------
    sides_alike
        ``embed`` is the same function of either side, so that x can be scored against x by embeddings.

    Raises
    ------
    InputError
        When the dimensions differ.
    """

    sides_alike = True

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

    def embed(self, z: Tensor, side: int) -> Tensor:
        """Project rows onto the sphere of radius 1 / sqrt(temperature), either side alike."""
        return (self.log_scale / 2).exp() * nn.functional.normalize(self.head(z), dim=1)


@torch.no_grad()
def embedded(
    critic: nn.Module, x: Iterable[Tensor], y: Iterable[Tensor]
) -> tuple[Callable[[Tensor, Tensor], Tensor], Tensor, Tensor]:
    """Take what a critic computes of each side alone out of a reading's loop over pairs.

    Parameters
    ----------
    critic
        With ``embed``.
    x, y
        Rows of either side, a part at a time, so that they need not be in memory together.

    Returns
    -------
    critic, x, y
        A critic and rows that give the same scores: inner products of embeddings made once.
    """
    embed: Callable[[Tensor, int], Tensor] = critic.embed  # type: ignore[assignment]
    u, v = (torch.cat([embed(part, side) for part in parts]) for side, parts in enumerate((x, y)))
    return lambda some, others: some @ others.T, u, v


class BlindCritic(nn.Module):
    """f(x, y) = 0: what is read where nothing could be learnt. Every bound reads 0 by it."""

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return x.new_zeros(len(x), len(y))

    def baseline(self, y: Tensor) -> Tensor:
        """Give the log-baseline of each y, shape (m, d_y): shape (m,)."""
        return y.new_zeros(len(y))

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        """Give FLO's second function of the pairs (x_i, y_i): shape (n,)."""
        return x.new_zeros(len(x))


def start_at_zero(critic: nn.Module) -> nn.Module:
    """Set the layer that scores end in to 0, so that every score is exactly 0 and its gradient is not.

    Parameters
    ----------
    critic
        Changed in place.

    Returns
    -------
    nn.Module
        The same critic.

    Raises
    ------
    InputError
        When the critic has no such layer: a cosine's length is fixed.
    """
    last = getattr(critic, "last_layer", None)
    if not isinstance(last, nn.Module):
        raise InputError(
            f"{type(critic).__name__} cannot start at 0, as what corrects a base must; take the separable,"
            " joint or bilinear critic"
        )
    with torch.no_grad():
        for parameter in last.parameters():
            parameter.zero_()
    return critic


def _bilinear(d_x: int, d_y: int, hidden: Sequence[int] = ()) -> BilinearCritic:
    return BilinearCritic(d_x, d_y)


def _inner_product(d_x: int, d_y: int, hidden: Sequence[int] = ()) -> InnerProductCritic:
    return InnerProductCritic(d_x, d_y)


def _cosine(d_x: int, d_y: int, hidden: Sequence[int] = ()) -> InnerProductCritic:
    return InnerProductCritic(d_x, d_y, cosine=True)


CRITICS: dict[str, Callable[..., nn.Module]] = {
    "separable": SeparableCritic,
    "joint": JointCritic,
    "bilinear": _bilinear,
    "inner_product": _inner_product,
    "cosine": _cosine,
    "projection": ProjectionCritic,
}
"""What ``critic(d_x, d_y, hidden=...)`` makes, by name; those without a network leave the widths unused."""
