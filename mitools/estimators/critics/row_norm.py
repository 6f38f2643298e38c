"""Critics that see more than columns: the size of a row, and a row through its size."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

MEAN_SQUARE_OFFSET = 1e-2
"""Added to a row's mean square before the logarithm: rows at the origin get one size by it."""

LEAST_DEVIATION_OF_SIZES = 1e-4
"""Deviation of the logarithm below which single precision shows rounding alone."""

LARGEST_ROW_SIZE = 3.0
"""Standard deviations at which a row's size is cut off, so that no row is outside what was trained on."""


class RowSize(nn.Module):
    """One column: the logarithm of a row's mean square, standardised by training rows.

    Parameters
    ----------
    rows
        Shape (n, d), scaled.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        sizes = _log_mean_square(rows)
        self.register_buffer("mean", sizes.mean())
        # Rows of one size have size 0, and not rounding errors over their deviation.
        scale = sizes.std()
        self.register_buffer("scale", torch.where(scale > LEAST_DEVIATION_OF_SIZES, scale, torch.inf))

    def forward(self, rows: Tensor) -> Tensor:
        """Give the sizes of rows, shape (n, d): shape (n, 1)."""
        return ((_log_mean_square(rows) - self.mean) / self.scale).clamp(-LARGEST_ROW_SIZE, LARGEST_ROW_SIZE)


class ColumnsWithSize(nn.Module):
    """The columns, the row's size, and (of two columns or more) every column times the size.

    What turns or stretches a row by an amount that depends on its size is linear in these columns to first
    order.

    Parameters
    ----------
    rows
        Shape (n, d), scaled.
    """

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        self.size = RowSize(rows)

    def forward(self, rows: Tensor) -> Tensor:
        """Widen rows, shape (n, d), to shape (n, 2 d + 1), or (n, 2) of one column."""
        size = self.size(rows)
        return torch.cat([rows, size] if rows.shape[1] == 1 else [rows, size, rows * size], dim=1)


class VariatesWithSize(nn.Module):
    """Given linear combinations of the columns, and the row's size.

    Parameters
    ----------
    rows
        Shape (n, d), scaled.
    directions
        Shape (d, k); the columns themselves when None.
    """

    directions: Tensor | None

    def __init__(self, rows: Tensor, directions: Tensor | None) -> None:
        super().__init__()
        self.size = RowSize(rows)
        self.register_buffer("directions", directions)
        self.width = 1 + (rows.shape[1] if directions is None else directions.shape[1])

    def forward(self, rows: Tensor) -> Tensor:
        """Give what the network sees of rows, shape (n, d): shape (n, k + 1)."""
        seen = rows if self.directions is None else rows @ self.directions
        return torch.cat([seen, self.size(rows)], dim=1)

    def extra_repr(self) -> str:
        """Give critics of different widths different texts: only those of one text are trained together."""
        return str(self.width)


class MappedCritic(nn.Module):
    """A critic of x and y each seen through a map.

    Parameters
    ----------
    critic
        Of what the maps give.
    of_x, of_y
        The maps.
    """

    def __init__(self, critic: nn.Module, of_x: nn.Module, of_y: nn.Module) -> None:
        super().__init__()
        self.critic = critic
        self.of_x = of_x
        self.of_y = of_y

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.critic(self.of_x(x), self.of_y(y))


class SmoothCritic(nn.Module):
    """f(x, y) = g(x) . h(y) + a(x) + b(y), two networks with smooth units; it starts at 0 everywhere.

    Parameters
    ----------
    d_x, d_y
        Dimensions of x and y.
    hidden
        Widths of the hidden layers of both networks.
    embedding
        Dimension in which the inner product is taken.
    """

    def __init__(self, d_x: int, d_y: int, hidden: Sequence[int], embedding: int = 16) -> None:
        super().__init__()
        self.embedding = embedding
        self.embed_x = _smooth_mlp([d_x, *hidden, embedding + 1])
        self.embed_y = _smooth_mlp([d_y, *hidden, embedding + 1])
        with torch.no_grad():
            for parameter in self.embed_y[-1].parameters():
                parameter.zero_()
            for parameter in self.embed_x[-1].parameters():
                parameter[embedding:] = 0

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        of_x, of_y = self.embed_x(x), self.embed_y(y)
        g, a = of_x[:, : self.embedding], of_x[:, self.embedding :]
        h, b = of_y[:, : self.embedding], of_y[:, self.embedding :]
        return g @ h.T + a + b.T


def _log_mean_square(rows: Tensor) -> Tensor:
    return (rows.square().mean(dim=1, keepdim=True) + MEAN_SQUARE_OFFSET).log()


def _smooth_mlp(widths: Sequence[int]) -> nn.Sequential:
    layers: list[nn.Module] = []
    for wide, narrow in pairwise(widths):
        layers += [nn.Linear(wide, narrow), nn.SiLU()]
    return nn.Sequential(*layers[:-1])
