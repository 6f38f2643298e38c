"""Several views of every item of a data set, the same ones whenever they are drawn."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.base import View, draw_numbers, view_key
from mitools.views.draws import uniform_draws

AT_ONCE = 1 << 22
"""Numbers that a view is drawn of in one call: temporary tensors of more than 32 MiB are given back to the
system after every step, and taking their pages anew costs more than the arithmetic."""


@dataclass(frozen=True)
class ItemViews:
    """Draws of one view: number v of item i depends on (`seed`, i, v) and nothing else.

    Neither the batch that an item is in nor the order, the processes or the device change its views. So two
    views that belong together, as ``patch...#0`` and ``#1``, are a pair in every draw of one seed.

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
        return torch.stack(draw_views([self.view] * self.count, images, items, self.seed), dim=1)


def draw_views(views: Sequence[View], images: Tensor, items: NDArray[np.int64], seed: int) -> list[Tensor]:
    """Draw several views of a batch of items, those that belong together from the same random numbers.

    Parameters
    ----------
    views
        Of every item; they may differ in shape.
    images
        Shape (B, 3, H, W), float, in [0, 1].
    items
        Shape (B,): their positions in the data set.
    seed
        Of all draws, at least 0.

    Returns
    -------
    list of Tensor
        One (B, channels, H', W') a view, on the device of the images.

    Examples
    --------
    >>> from mitools.views.registry import make_view
    >>> pair = [make_view(f"patch?size=8&distance=8#{k}") for k in (0, 1)]
    >>> left, right = draw_views(pair, torch.rand(4, 3, 32, 32), np.arange(4), seed=0)
    >>> left.shape == right.shape == (4, 3, 8, 8)
    True
    """
    drawn = []
    for number, view in zip(draw_numbers(views), views, strict=True):
        draws = uniform_draws(seed, items, number, view.draws).to(images.device)
        at_once = max(1, AT_ONCE // max(1, images[:1].numel()))
        parts = zip(images.split(at_once), draws.split(at_once), strict=True)
        drawn.append(torch.cat([view(*part) for part in parts]))
    return drawn
