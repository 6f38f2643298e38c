"""Several views of every item of a data set, the same ones whenever they are drawn."""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.base import View, view_key
from mitools.views.draws import uniform_draws

AT_ONCE = 1 << 22
"""Numbers that a view is drawn of in one call: temporary tensors of more than 32 MiB are given back to the
system after every step, and taking their pages anew costs more than the arithmetic."""


@dataclass(frozen=True)
class ItemViews:
    """Draws of one view: number v of item i depends on (`seed`, i, v) and nothing else.

    Neither the batch that an item is in nor the order, the processes or the device change its views.

    Parameters
    ----------
    view
        What is drawn.
    count
        Views an item.
    seed
        Of all draws.

    Raises
    ------
    InputError
        When a number is out of its range, or several views are asked for and nothing in them is random.

    Examples
    --------
    >>> from mitools.views.registry import make_view
    >>> views = ItemViews(make_view("simclr"), count=2, seed=0)
    >>> views.of(torch.rand(8, 3, 32, 32), np.arange(8)).shape
    torch.Size([8, 2, 3, 32, 32])
    """

    view: View
    count: int = 2
    seed: int = 0

    def __post_init__(self) -> None:
        if self.count < 1 or self.seed < 0:
            raise InputError(
                f"views of {self.view.name}: {self.count} an item with seed {self.seed}; at least 1 view and"
                " a seed of at least 0 are needed"
            )
        if self.count > 1 and self.view.draws == 0:
            raise InputError(
                f"view {self.view.name!r} draws nothing at random, so {self.count} of them are one and the"
                " same; take a view with random draws, as simclr"
            )

    @property
    def key(self) -> str:
        """Everything that the views depend on beside the items, as one line."""
        return f"{view_key(self.view)} views={self.count} seed={self.seed}"

    def of(self, images: Tensor, items: NDArray[np.int64]) -> Tensor:
        """Draw the views of a batch of items.

        Parameters
        ----------
        images
            Shape (B, 3, H, W), float, in [0, 1].
        items
            Shape (B,): their positions in the data set.

        Returns
        -------
        Tensor
            Shape (B, count, channels, H', W'), on the device of the images.
        """
        views = [self._drawn(images, items, number) for number in range(self.count)]
        return torch.stack(views, dim=1)

    def _drawn(self, images: Tensor, items: NDArray[np.int64], number: int) -> Tensor:
        draws = uniform_draws(self.seed, items, number, self.view.draws).to(images.device)
        at_once = max(1, AT_ONCE // max(1, images[:1].numel()))
        parts = zip(images.split(at_once), draws.split(at_once), strict=True)
        return torch.cat([self.view(*part) for part in parts])
