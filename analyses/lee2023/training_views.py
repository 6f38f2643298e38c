"""Views of an image as training draws them, for measuring after training under the same augmentation."""

from dataclasses import dataclass, field

import torch
from PIL import Image
from torch import Tensor

from mitools.backends.seeding import derive_seed
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.views.item_views import SimCLRViews
from mitools.views.recipes import AugmentationRecipe
from mitools.views.simclr import augmented, draw_count


@dataclass(frozen=True)
class TrainingViews(SimCLRViews):
    """Random views by a recipe's augmentation; view v of item i depends on (`seed`, i, v) alone.

    Parameters
    ----------
    recipe
        How strong each step is; `strength` is not read.
    """

    recipe: AugmentationRecipe = field(default_factory=AugmentationRecipe)

    @property
    def key(self) -> str:
        """Everything that the views depend on, as one line."""
        return f"training views={self.count} seed={self.seed} {self.recipe.model_dump_json()}"

    def draw(self, image: Image.Image, index: int, size: int | None = None) -> Tensor:
        """Draw the views of one image; uint8, shape (count, 3, height, width)."""
        pixels = Preprocess(size=size).evaluate(image)[None].float() / 255
        draws = torch.stack(
            [
                torch.rand(
                    draw_count(self.recipe),
                    generator=torch.Generator().manual_seed(derive_seed(self.seed, index, view)),
                )
                for view in range(self.count)
            ]
        )
        views = augmented(pixels.expand(self.count, -1, -1, -1), draws, self.recipe)
        return (255 * views).round().to(torch.uint8)
