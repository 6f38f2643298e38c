"""Methods with one encoder, and one head on it, for all their views."""

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from torch import nn

from mitools.training.methods.base import Method, no_view
from mitools.training.networks.build import build_network
from mitools.training.training_data import TrainingData
from mitools.views.recipes import AugmentationRecipe
from mitools.views.registry import make_view

if TYPE_CHECKING:
    from mitools.training.recipes import TrainingRecipe


class SharedEncoder(Method):
    """A method whose views are augmentations of an image, all read by one network.

    Parameters
    ----------
    recipe
        Names the encoder; its augmentation replaces the method's own.
    data
        What is trained on.
    make_head
        Makes the head from the width of the encoder's output.
    views
        How many views a batch has.

    Attributes
    ----------
    augmentation
        Of images where the recipe has none; None for the images as they are.
    network
        Encoder and head: maps (B, 3, h, w) to what the head gives, (B, d).
    """

    augmentation: ClassVar[AugmentationRecipe | None] = AugmentationRecipe()

    def __init__(
        self,
        recipe: "TrainingRecipe",
        data: TrainingData,
        make_head: Callable[[int], nn.Module],
        views: int = 2,
    ) -> None:
        super().__init__(recipe, data)
        self.views = [make_view(recipe.augmentation or self.augmentation or "image")] * views
        self.network = build_network(recipe.encoder, data.shape, make_head, recipe.seed)

    def encoder(self, view: str | None = None) -> nn.Module:
        """Give the encoder, one for all views."""
        no_view(view)
        return self.network.encoder

    def head(self) -> nn.Module:
        """Give what stands on the encoder."""
        return self.network.head
