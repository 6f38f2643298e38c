"""What methods that compare two views by the cosines of their projections have in common."""

from torch import Tensor

from mitools.core.recipes import Recipe
from mitools.training.methods.base import Batch
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.networks.heads import ProjectionHead
from mitools.training.recipes import Count, Positive, TrainingRecipe
from mitools.training.training_data import TrainingData


class ContrastiveOptions(Recipe):
    """Options of contrastive methods.

    Attributes
    ----------
    temperature
        Divides the cosine similarities.
    head_width
        The projection head's output; its hidden layer is as wide as the encoder's output.
    """

    temperature: Positive = 0.5
    head_width: Count = 128


class Contrastive(SharedEncoder):
    """A shared encoder with a projection head, whose rows a loss compares by cosine over temperature.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        Temperature and width of the head.
    """

    Options = ContrastiveOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: ContrastiveOptions) -> None:
        super().__init__(recipe, data, lambda width: ProjectionHead(width, options.head_width))
        self.temperature = options.temperature

    def pair(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Project the two views of a batch, shape (K, head_width) each."""
        x, y = batch.embed(self.network)
        return x, y
