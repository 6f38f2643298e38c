"""One representation of every training sample, kept from step to step."""

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional


class MemoryBank:
    """A unit row for every sample, once (Wu et al. 2018; Cui et al. 2022, Sec. 4.2).

    A sample that is seen moves its own row alone: ``momentum * row + (1 - momentum) * representation``,
    normalised.

    Parameters
    ----------
    samples, width
        How many rows there are, and how wide.
    device
        Where they stay: ``4 * samples * width`` bytes.
    """

    def __init__(self, samples: int, width: int, device: torch.device | str = "cpu") -> None:
        self.rows = torch.zeros(samples, width, device=device)

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
        fresh = functional.normalize(representations.detach(), dim=1)
        mixed = momentum * self.rows[items] + (1 - momentum) * fresh
        self.rows[items] = functional.normalize(mixed, dim=1)

    def draw(self, count: int, seed: tuple[int, ...]) -> Tensor:
        """Draw so many different samples, each set as likely: shape (count,), int64, by the seed alone."""
        drawn = np.random.default_rng(seed).choice(len(self), count, replace=False, shuffle=False)
        return torch.from_numpy(drawn).to(self.rows.device)
