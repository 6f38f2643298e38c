"""Barlow Twins: two views' embeddings correlated column by column, and no column with another."""

from typing import Annotated

from pydantic import Field

from mitools.training.losses.barlow_twins import barlow_twins
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.projected_pair import ProjectedPair, ProjectorOptions
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData


class BarlowTwinsOptions(ProjectorOptions):
    """Options of Barlow Twins.

    Attributes
    ----------
    off_diagonal
        Weight of the correlations between different columns (the paper's lambda, 5e-3).
    """

    off_diagonal: Annotated[float, Field(ge=0)] = 0.005


class BarlowTwins(ProjectedPair):
    """Redundancy reduction by decorrelation (Zbontar et al. 2021); bounds nothing.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`BarlowTwinsOptions`.
    """

    Options = BarlowTwinsOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: BarlowTwinsOptions) -> None:
        super().__init__(recipe, data, options)
        self.off_diagonal = options.off_diagonal

    def loss(self, batch: Batch) -> Loss:
        """Compute the distance of the cross-correlation from the identity."""
        return Loss(barlow_twins(*self.pair(batch), self.off_diagonal))
