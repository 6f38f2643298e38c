"""Supervised training with cross-entropy."""

from torch import nn

from mitools.core.recipes import Recipe
from mitools.training.losses.cross_entropy import cross_entropy
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData


class CrossEntropy(SharedEncoder):
    """A linear classifier on the encoder; H(Y) - L bounds I(T;Y) (Barber & Agakov 2003).

    Parameters
    ----------
    recipe, data, options
        As for :class:`mitools.training.methods.base.Method`; there are no options.
    """

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: Recipe) -> None:
        super().__init__(recipe, data, lambda width: nn.Linear(width, data.n_classes), views=1)

    def loss(self, batch: Batch) -> Loss:
        """Compute cross-entropy, of the estimate H(Y) - L."""
        (logits,) = batch.embed(self.network)
        value, entropy = cross_entropy(logits, batch.labels), self.data.label_entropy_nats
        return Loss(value, entropy - value.detach(), entropy)
