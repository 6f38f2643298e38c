"""Pairs of patches of an image at a fixed distance."""

from dataclasses import dataclass

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.specs import ViewSpec

SIZE = 64
"""Of a patch in pixels where none is given, as Tian et al. (2020, Contrastive multiview coding) take it."""


@dataclass(frozen=True)
class PatchView:
    """A square patch of an image: patch 0 at a random corner (x, y), patch 1 at (x + d, y + d).

    Both patches of a pair are drawn from the same random numbers, and so with the same corner, uniform over
    all places at which both lie inside the image.

    Parameters
    ----------
    size
        Side of the patch in pixels.
    distance
        d, in pixels; at least `size` for patches that do not overlap.
    number
        Which of the two: 0 or 1.

    Examples
    --------
    >>> first, second = PatchView(size=2, distance=3, number=0), PatchView(size=2, distance=3, number=1)
    >>> image = torch.arange(36.0).reshape(1, 1, 6, 6).expand(1, 3, 6, 6)
    >>> corner = torch.tensor([[0.7, 0.0]])
    >>> first(image, corner)[0, 0].tolist(), second(image, corner)[0, 0].tolist()
    ([[6.0, 7.0], [12.0, 13.0]], [[27.0, 28.0], [33.0, 34.0]])
    """

    size: int
    distance: int
    number: int
    channels = 3
    draws = 2

    @property
    def name(self) -> str:
        """``patch?size=64&distance=128#0``."""
        return f"{self.draws_together}#{self.number}"

    @property
    def draws_together(self) -> str:
        """What both patches of a pair have in common."""
        return f"patch?size={self.size}&distance={self.distance}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Cut the patch out of each image.

        Parameters
        ----------
        items
            Shape (B, 3, H, W).
        draws
            Shape (B, 2), uniform in [0, 1): row and column of the pair's corner.

        Returns
        -------
        Tensor
            Shape (B, 3, size, size).

        Raises
        ------
        InputError
            When the patch is larger than the images, or they have no room for both.
        """
        height, width = items.shape[-2:]
        room = min(height, width) - self.size - self.distance
        if room < 0:
            fits = (
                f"distance must be at most {min(height, width) - self.size}"
                if self.size <= min(height, width)
                else f"size must be at most {min(height, width)}"
            )
            raise InputError(
                f"view {self.name!r}: patches of {self.size}x{self.size} at distance {self.distance} have no"
                f" room in images of {height}x{width}; {fits}"
            )
        places = draws.new_tensor([height, width]) - (self.size + self.distance - 1)
        corner = (draws * places).long().clamp(max=places.long() - 1) + self.number * self.distance
        side = torch.arange(self.size, device=items.device)
        rows, columns = (corner[:, axis, None] + side for axis in (0, 1))
        batch = torch.arange(len(items), device=items.device)[:, None, None]
        return items[batch, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def patch_view(spec: ViewSpec) -> PatchView:
    """Make the view ``patch?size=64&distance=64#0`` or ``#1``; without ``distance`` it is the size.

    Raises
    ------
    InputError
        When the number is not 0 or 1, or an option is unknown or out of its range.
    """
    spec.only("size", "distance")
    if spec.name or spec.number not in (0, 1):
        raise InputError(
            f"view {spec.text!r}: patches come in pairs, numbered 0 and 1; write patch?size=64&distance=128#0"
            " and ...#1"
        )
    size = spec.integer("size", SIZE, at_least=1)
    return PatchView(size, spec.integer("distance", size), spec.number)
