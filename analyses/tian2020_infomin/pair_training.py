"""Intra-batch contrast of two views, each pair of which is drawn afresh and seen once."""

from collections.abc import Callable, Iterable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.optim.adamw import AdamW
from torch.optim.lr_scheduler import OneCycleLR

from mitools.core.progress import Advance
from mitools.core.recipes import Recipe
from mitools.training.loop.trainer import NotFiniteError
from mitools.training.losses.infonce import infonce
from mitools.training.recipes import Count, Positive

STEPS = "steps"
"""What the progress of a run counts."""

WARMUP_SHARE = 0.1

STEPS_BETWEEN_REPORTS = 50

Items = NDArray[np.int64]

Loss = Callable[[Items], Tensor]
"""The loss of a batch of items, which is drawn from their numbers."""


class PairTrainingRecipe(Recipe):
    """How a pair of encoders is trained.

    Attributes
    ----------
    steps, batch_size
        No pair is seen twice, so that no pair can be learnt by heart: `steps` times `batch_size` of them.
    learning_rate
        At its highest: it rises over a tenth of the steps, and falls to 0 along a cosine.
    temperature
        Divides the cosine similarities.
    head_width
        Of the rows that are compared.
    strides
        Of the four convolutions.
    """

    steps: Count = 500
    batch_size: Count = 64
    learning_rate: Positive = 3e-3
    temperature: Positive = 0.1
    head_width: Count = 64
    strides: tuple[Count, Count, Count, Count] = (2, 2, 2, 2)

    @property
    def pairs(self) -> int:
        """How many pairs a run sees."""
        return self.steps * self.batch_size


def contrast_loss(x: Tensor, y: Tensor, temperature: float) -> Tensor:
    """Average InfoNCE over both directions, each row against the batch's rows of the other view; in nats."""
    return (infonce(x, y, temperature) + infonce(y, x, temperature)) / 2


def train(
    parameters: Iterable[nn.Parameter], loss: Loss, recipe: PairTrainingRecipe, advance: Advance | None = None
) -> None:
    """Take the recipe's steps with AdamW.

    Parameters
    ----------
    parameters
        What is trained.
    loss
        Called with the numbers of the items of each step, 0, 1, ... in order.
    recipe
        See :class:`PairTrainingRecipe`.
    advance
        Called with how many steps are done.

    Raises
    ------
    NotFiniteError
        When the loss is not finite, with the step.
    """
    optimiser = AdamW(parameters, recipe.learning_rate)
    schedule = OneCycleLR(
        optimiser, recipe.learning_rate, total_steps=recipe.steps + 1, pct_start=WARMUP_SHARE
    )
    items = np.arange(recipe.pairs).reshape(recipe.steps, recipe.batch_size)
    for step, batch in enumerate(items, start=1):
        value = loss(batch)
        if not torch.isfinite(value):
            raise NotFiniteError(f"the loss is not finite at step {step}; lower the learning_rate")
        optimiser.zero_grad(set_to_none=True)
        value.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        if advance and (step % STEPS_BETWEEN_REPORTS == 0 or step == recipe.steps):
            advance(STEPS, step, recipe.steps)
