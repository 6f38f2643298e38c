"""One representation of every training sample, kept from step to step."""

from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class MemoryBank(nn.Module):
    """A unit row for every sample, once (Wu et al. 2018; Cui et al. 2022, Sec. 4.2).

    A sample that is seen moves its own row alone: ``momentum * row + (1 - momentum) * representation``,
    normalised. The rows are a buffer: they are saved, moved and loaded with the module that holds the bank.

    Parameters
    ----------
    samples, width
        How many rows there are, and how wide: ``4 * samples * width`` bytes.

    Attributes
    ----------
    rows
        Shape (samples, width), float32; zeros until a sample was seen.

    Examples
    --------
    >>> bank = MemoryBank(samples=4, width=2)
    >>> bank.update(torch.tensor([3]), torch.tensor([[0.0, 5.0]]), momentum=0.0)
    >>> bank.rows[3]
    tensor([0., 1.])
    """

    rows: Tensor

    def __init__(self, samples: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", torch.zeros(samples, width))

    def __len__(self) -> int:
        """Count the samples."""
        return len(self.rows)

    @torch.no_grad()
    def update(self, items: Tensor, representations: Tensor, momentum: float) -> None:
        """Move the rows of a batch.

        Parameters
        ----------
        items
            Shape (K,), int64, every sample at the most once.
        representations
            Shape (K, width); normalised here.
        momentum
            Share of the old row that stays; 0 replaces it.
        """
        new = functional.normalize(representations.detach(), dim=1)
        mixed = momentum * self.rows[items] + (1 - momentum) * new
        self.rows[items] = functional.normalize(mixed, dim=1)

    @torch.no_grad()
    def scatter(self) -> None:
        """Give every sample a random direction, which stands there until the sample is seen."""
        self.rows.copy_(functional.normalize(torch.randn_like(self.rows), dim=1))

    @torch.no_grad()
    def fill(self, encoder: nn.Module, views: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Replace the rows of all samples that are given.

        Parameters
        ----------
        encoder
            Of the rows; it is left in evaluation mode.
        views
            Items (K,) and their pixels (K, 3, H, W).
        """
        encoder.eval()
        for items, pixels in views:
            self.update(items, encoder(pixels).float(), momentum=0.0)

    def draw(self, count: int, seed: tuple[int, ...]) -> Tensor:
        """Draw so many different samples, each set as likely: shape (count,), int64, by the seed alone."""
        drawn = np.random.default_rng(seed).choice(len(self), count, replace=False, shuffle=False)
        return torch.from_numpy(drawn).to(self.rows.device)
