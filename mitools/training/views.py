"""What the items of a batch are drawn as: augmentations, or the images themselves."""

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from mitools.views.recipes import AugmentationRecipe
from mitools.views.simclr import augmented, draw_count


class View(Protocol):
    """A pure function of items (B, 3, h, w) in [0, 1] and of uniform random numbers (B, draws)."""

    @property
    def draws(self) -> int:
        """Random numbers an item."""
        ...

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Draw one view of each item."""
        ...


@dataclass(frozen=True)
class Image:
    """The image as it is."""

    draws = 0

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Return the items."""
        return items


@dataclass(frozen=True)
class Augmentation:
    """One augmentation of the image."""

    recipe: AugmentationRecipe

    @property
    def draws(self) -> int:
        """Random numbers an item."""
        return draw_count(self.recipe)

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Augment each item."""
        return augmented(items, draws, self.recipe)


def make_view(recipe: AugmentationRecipe | None) -> View:
    """Make the view of a recipe; the image itself where it has none."""
    return Image() if recipe is None else Augmentation(recipe)
