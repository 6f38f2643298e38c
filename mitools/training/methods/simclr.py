"""SimCLR: NT-Xent of two augmentations of an image."""

import math

import numpy as np
import torch

from mitools.backends.seeding import derive_seed
from mitools.training.losses.ntxent import ntxent_nats, ntxent_with_negatives
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.contrastive import Contrastive, ContrastiveOptions
from mitools.training.recipes import TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.base import draw_numbers


class SimCLROptions(ContrastiveOptions):
    """Options of NT-Xent.

    Attributes
    ----------
    negatives
        Where the negatives come from: the batch itself when None, another data spec, or ``noise``.
    """

    negatives: str | None = None


class SimCLR(Contrastive):
    """NT-Xent of two augmentations of an image (Chen et al. 2020); bounds I of the augmented pair.

    With negatives from other data nothing is bounded, and there is no estimate.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`SimCLROptions`.

    Raises
    ------
    InputError
        When the data of the negatives cannot be read, or are of another size.
    """

    Options = SimCLROptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: SimCLROptions) -> None:
        super().__init__(recipe, data, options)
        self.negatives = None if options.negatives is None else data.load_other(options.negatives)

    def loss(self, batch: Batch) -> Loss:
        """Compute NT-Xent, of the estimate log(2K - 1) - L."""
        if self.negatives is not None:
            return self._loss_with_negatives(batch, self.negatives)
        x, y = self.pair(batch)
        return Loss.of_bound(ntxent_nats(x, y, self.temperature), math.log(2 * len(x) - 1))

    def _loss_with_negatives(self, batch: Batch, pixels: torch.Tensor) -> Loss:
        """Take as negatives as many other images as the batch has items, in both views."""
        seed, size = self.recipe.seed, len(batch.items)
        rng = np.random.default_rng([seed, 2, batch.step])
        rows = torch.from_numpy(rng.integers(0, len(pixels), size))
        numbers = [len(batch.views) + number for number in draw_numbers(self.views)]
        others = [
            self.data.draw(view, rows, derive_seed(seed, 3, batch.step, number), batch.share, pixels)
            for number, view in zip(numbers, self.views, strict=True)
        ]
        embedded = batch.embed(self.network, [*batch.views, *others])
        x, y = embedded[:2]
        return Loss(ntxent_with_negatives(x, y, embedded[2:].flatten(0, 1), self.temperature))
