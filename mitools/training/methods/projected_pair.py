"""What methods without negatives have in common: two views through an encoder and a projector."""

from typing import ClassVar

from torch import Tensor

from mitools.core.recipes import Recipe
from mitools.training.methods.base import Batch
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.networks.projector import Projector
from mitools.training.recipes import Count, TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.recipes import AugmentationRecipe


class ProjectorOptions(Recipe):
    """Options of the projector.

    Attributes
    ----------
    hidden
        Width of its hidden layers.
    layers
        Linear layers, the last one counted.
    width
        Of its output.
    """

    hidden: Count = 8192
    layers: Count = 3
    width: Count = 8192


class ProjectedPair(SharedEncoder):
    """A shared encoder with a projector, whose rows of two views a loss compares over the whole batch.

    Views are VICReg's (Bardes et al. 2022, Appendix C): SimCLR's with a blur on images above 32 pixels, and
    solarised at random. There one view is blurred always and the other in a tenth of cases, and that other
    alone is solarised, in a fifth; here both views are drawn alike, with the mean of these probabilities.

    Both views pass through the network together, and batch norms take them together; gradients and batch
    norms of the projector are those of the whole batch, over all processes.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        Of the projector.
    """

    Options: ClassVar[type[Recipe]] = ProjectorOptions
    augmentation: ClassVar[AugmentationRecipe | None] = AugmentationRecipe(blur="large", solarise=0.1)

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: ProjectorOptions) -> None:
        sizes = options.hidden, options.width, options.layers
        super().__init__(recipe, data, lambda width: Projector(width, *sizes))

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Project the two views of a batch, shape (K, width) each."""
        x, y = batch.embed(self.network)
        return x, y
