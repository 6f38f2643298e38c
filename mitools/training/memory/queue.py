"""The keys of earlier batches, the oldest replaced first."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from mitools.core.errors import InputError


class KeyQueue(nn.Module):
    """So many unit rows, of which a batch replaces the oldest (He et al. 2020, MoCo).

    Before as many keys have come in, the rest are random directions, of no item. Rows, their items and the
    position are buffers: they are saved, moved and loaded with the module that holds the queue.

    Parameters
    ----------
    length, width
        How many rows there are, and how wide: ``4 * length * width`` bytes.

    Attributes
    ----------
    rows
        Shape (length, width), float32.
    items
        Shape (length,), int64: of which item each row is; -1 where no key has come in.

    Examples
    --------
    >>> queue = KeyQueue(length=3, width=2)
    >>> queue.add(torch.tensor([[0.0, 2.0], [5.0, 0.0]]), items=torch.tensor([7, 4]))
    >>> queue.rows[:2].tolist(), queue.items.tolist(), int(queue.next)
    ([[0.0, 1.0], [1.0, 0.0]], [7, 4, -1], 2)
    """

    rows: Tensor
    items: Tensor
    next: Tensor

    def __init__(self, length: int, width: int) -> None:
        super().__init__()
        self.register_buffer("rows", functional.normalize(torch.randn(length, width), dim=1))
        self.register_buffer("items", torch.full((length,), -1, dtype=torch.int64))
        self.register_buffer("next", torch.zeros((), dtype=torch.int64))

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.rows)

    @torch.no_grad()
    def add(self, keys: Tensor, items: Tensor) -> None:
        """Replace the oldest rows; of more keys than rows, the last ones stay.

        Parameters
        ----------
        keys
            Shape (K, width); normalised here.
        items
            Shape (K,), int64: of which items they are.
        """
        keys, items = keys[-len(self) :], items[-len(self) :]
        places = (self.next + torch.arange(len(keys), device=keys.device)) % len(self)
        self.rows[places] = functional.normalize(keys.detach(), dim=1)
        self.items[places] = items
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


def keys_made(items: int, batch_size: int, epochs: int) -> int:
    """Count the keys that a run makes of a view: of every step's whole batch, without what fills none.

    Examples
    --------
    >>> keys_made(5000, 256, 1)
    4864
    """
    # A batch larger than the data is refused by who draws the batches, who can say so.
    return epochs * max(1, items // batch_size) * batch_size


def queue_length(asked: int | None, usual: int, items: int, made: int) -> int:
    """Give how long a queue is, of so many items: no longer than it can be filled.

    Parameters
    ----------
    asked, usual, items
        As for :func:`negatives_among`.
    made
        Keys that the whole run makes, :func:`keys_made`.

    Raises
    ------
    InputError
        When more are asked for than there are other items, or than the run makes.

    Examples
    --------
    >>> queue_length(None, 65536, 5000, made=4864), queue_length(None, 65536, 5000, made=9728)
    (4864, 4999)
    """
    length = negatives_among(asked, usual, items)
    if asked is not None and asked > made:
        raise InputError(
            f"negatives_count {asked} is more than the {made} keys of the whole run, which cannot fill the"
            f" queue; ask for {made} at the most, or for more epochs"
        )
    return min(length, made)
