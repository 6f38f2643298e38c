"""Any loss of the package lightly that reads two embedded views, by its name."""

from functools import cache
from typing import Any, ClassVar

import torch
from pydantic import Field
from torch import nn

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.projected_pair import ProjectedPair, ProjectorOptions
from mitools.training.recipes import Count, TrainingRecipe
from mitools.training.training_data import TrainingData

TRIED_ON = 8
"""Rows of random numbers that a loss is tried on before training starts."""


class LightlyOptions(ProjectorOptions):
    """Options of a loss of lightly.

    Attributes
    ----------
    hidden, layers, width
        Of the projector, smaller than that of Barlow Twins: most of lightly's losses are contrastive.
    loss
        Keywords of the loss' class.
    """

    hidden: Count = 2048
    layers: Count = 2
    width: Count = 128
    loss: dict[str, Any] = Field(default_factory=dict)


class LightlyLoss(ProjectedPair):
    """An encoder and a projector under a loss of lightly; bounds nothing that is told here.

    The loss sees the whole batch of all processes: leave its ``gather_distributed`` as it is. What a method
    has beside its loss (a predictor, a momentum encoder, prototypes) is not made.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`LightlyOptions`.

    Raises
    ------
    InputError
        When the loss does not take its keywords, or does not read two embedded views.
    """

    Options = LightlyOptions
    loss_name: ClassVar[str]

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: LightlyOptions) -> None:
        super().__init__(recipe, data, options)
        self.criterion = _made(self.loss_name, options.loss, options.width)

    def loss(self, batch: Batch) -> Loss:
        """Call the loss on both views."""
        return Loss(self.criterion(*self.pair(batch)))


@cache
def lightly_method(name: str) -> type[LightlyLoss]:
    """Give the method of a loss of lightly.

    Parameters
    ----------
    name
        Of a class in ``lightly.loss``, with or without ``Loss`` at its end.

    Raises
    ------
    InputError
        When the package is not installed, or has no such loss.
    """
    known = _losses()
    full = name if name in known else f"{name}Loss"
    if full not in known:
        check_name("loss of lightly", name, sorted(known))
    return type(f"Lightly{full}", (LightlyLoss,), {"loss_name": full, "__doc__": LightlyLoss.__doc__})


def _losses() -> dict[str, type[nn.Module]]:
    try:
        import lightly.loss as found
    except ImportError:
        raise InputError(
            "losses of lightly need the package lightly: pip install 'mitools[lightly]'"
        ) from None
    return {
        name: value
        for name, value in vars(found).items()
        if isinstance(value, type) and issubclass(value, nn.Module)
    }


def _made(name: str, keywords: dict[str, Any], width: int) -> nn.Module:
    """Make a loss, and call it once on random rows."""
    try:
        loss = _losses()[name](**keywords)
    except (TypeError, ValueError) as error:
        raise InputError(f"lightly:{name} cannot be made ({error}); see options.loss") from None
    rows = torch.randn(2, TRIED_ON, width, generator=torch.Generator().manual_seed(0))
    try:
        value = loss(*rows)
    except Exception as error:  # another package's code, on inputs it may not be meant for
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"lightly:{name} does not read two embedded views alone ({type(error).__name__}: {reason});"
            " it needs more than a loss, so write a method of your own (mitools guide adding-a-method)"
        ) from None
    if not (isinstance(value, torch.Tensor) and value.ndim == 0):
        raise InputError(f"lightly:{name} gives no single number; write a method of your own around it")
    return loss
