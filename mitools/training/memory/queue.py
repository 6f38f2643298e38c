"""The keys of earlier batches, the oldest replaced first."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mitools.core.errors import InputError


class KeyQueue(nn.Module):
    """So many unit rows, of which a batch replaces the oldest (He et al. 2020, MoCo).

    Before as many keys have come in, the rest are random directions. Rows and position are buffers: they are
    saved, moved and loaded with the module that holds the queue.

    Parameters
    ----------
    length, width
        How many rows there are, and how wide: ``4 * length * width`` bytes.

    Attributes
    ----------
    rows
        Shape (length, width), float32.

    Examples
    --------
    >>> queue = KeyQueue(length=3, width=2)
    >>> queue.add(torch.tensor([[0.0, 2.0], [5.0, 0.0]]))
    >>> queue.rows[:2].tolist(), int(queue.next)
    ([[0.0, 1.0], [1.0, 0.0]], 2)
    """

    rows: Tensor
    next: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", functional.normalize(torch.randn(length, width), dim=1))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    @torch.no_grad()
    def add(self, keys: Tensor) -> None:
        """Replace the oldest rows; of more keys than rows, the last ones stay.

        Parameters
        ----------
        keys
            Shape (K, width); normalised here.
        """
        keys = keys[-len(self) :]
        places = (self.next + torch.arange(len(keys), device=keys.device)) % len(self)
        self.rows[places] = functional.normalize(keys.detach(), dim=1)
        self.next.add_(len(keys)).remainder_(len(self))


def negatives_among(asked: int | None, usual: int, items: int) -> int:
    """Give how many negatives a positive has, of so many items.

    Parameters
    ----------
    asked
        How many the recipe asks for; None for the usual number, or all other items where there are fewer.
    usual
        The paper's number.
    items
        Of the data.

    Raises
    ------
    InputError
        When more are asked for than there are other items.

    Examples
    --------
    >>> negatives_among(None, 65536, 1000)
    999
    """
    if asked is None:
        return min(usual, items - 1)
    if asked >= items:
        raise InputError(
            f"negatives_count {asked} must be fewer than the data's {items} items; leave it out for all"
            " others"
        )
    return asked
