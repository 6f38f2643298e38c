"""VICReg: two views' embeddings alike, of some variance, and uncorrelated."""

from typing import Annotated

from pydantic import Field

from mitools.training.losses.vicreg import vicreg
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.projected_pair import ProjectedPair, ProjectorOptions
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData

Weight = Annotated[float, Field(ge=0)]


class VICRegOptions(ProjectorOptions):
    """Options of VICReg.

    Attributes
    ----------
    invariance, variance, covariance
        Weights of the three terms (lambda, mu and nu of the paper).
    """

    invariance: Weight = 25.0
    variance: Weight = 25.0
    covariance: Weight = 1.0


class VICReg(ProjectedPair):
    """Variance, invariance and covariance regularisation (Bardes et al. 2022); bounds nothing.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`VICRegOptions`.
    """

    Options = VICRegOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: VICRegOptions) -> None:
        super().__init__(recipe, data, options)
        self.weights = options.invariance, options.variance, options.covariance

    def loss(self, batch: Batch) -> Loss:
        """Weigh the three terms."""
        return Loss(vicreg(*self.pair(batch), *self.weights))
