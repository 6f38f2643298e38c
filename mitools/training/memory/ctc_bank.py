"""What contrastive temporal coding compares a batch with: its own kept rows, and those of other samples."""

from typing import NamedTuple

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.training.memory.memory_bank import MemoryBank


class KeptRows(NamedTuple):
    """What is kept of a batch's items and of others, as :func:`mitools.training.losses.ctc_infonce` takes it.

    Attributes
    ----------
    keys
        Shape (K, d): what is kept of the batch's items, unit rows.
    others
        Shape (M, d): what is kept of M items, unit rows.
    is_own
        Shape (K, M), bool: where an item meets itself among the others.
    """

    keys: Tensor
    others: Tensor
    is_own: Tensor


class CTCBank(MemoryBank):
    """A memory bank that gives the keys and the negatives of a batch.

    Parameters
    ----------
    samples, width
        Of the training data, and of the encoder's output.
    negatives
        Samples drawn every step; all of them when None.
    seed
        Of the negatives drawn.

    Raises
    ------
    InputError
        When more negatives are asked for than there are other samples.
    """

    def __init__(self, samples: int, width: int, negatives: int | None = None, seed: int = 0) -> None:
        if negatives is not None and negatives >= samples:
            raise InputError(
                f"ctc.negatives {negatives} must be fewer than the data's {samples} samples; leave it"
                " out for all others"
            )
        super().__init__(samples, width)
        self.negatives = negatives
        self.seed = seed

    def forward(self, items: Tensor, step: int) -> KeptRows:
        """Give what a batch is compared with.

        Parameters
        ----------
        items
            Shape (K,), int64: the batch's samples.
        step
            Of the run: with the seed it decides which negatives are drawn.
        """
        if self.negatives is None:
            drawn, others = torch.arange(len(self), device=self.rows.device), self.rows
        else:
            drawn = self.draw(self.negatives, (self.seed, 6, step))
            others = self.rows[drawn]
        return KeptRows(self.rows[items], others, items[:, None] == drawn)
