"""What a method of training is: its contract with the loop, what it sees of a batch, what it gives back."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.training.training_data import TrainingData
from mitools.views.base import View

if TYPE_CHECKING:  # which import this module to know a method's options
    from mitools.training.recipes import OptimiserRecipe, TrainingRecipe

Pairing = Literal["same_item", "same_class"]
"""What the views of a batch show: one item each, or in the second view another item of its class."""


class Loss(NamedTuple):
    """What a method makes of a batch.

    Attributes
    ----------
    value
        A scalar to minimise, with its gradient.
    nats
        The method's own estimate of the mutual information that it bounds, on this very batch and so
        in-sample; None where it is no estimate.
    ceiling_nats
        The most that `nats` can be at this batch size.
    terms
        What `value` is made of, by name, where it has several parts; without gradient.
    """

    value: Tensor
    nats: Tensor | None = None
    ceiling_nats: float | None = None
    terms: Mapping[str, Tensor] = MappingProxyType({})

    @classmethod
    def of_bound(cls, nats: Tensor, ceiling_nats: float) -> "Loss":
        """Make the loss that maximises a bound: its ceiling minus the bound."""
        return cls(ceiling_nats - nats, nats.detach(), ceiling_nats)


@dataclass(frozen=True)
class Batch:
    """The items of one step. Of several processes each holds its share of the pixels, and all the rest whole.

    Attributes
    ----------
    views
        V tensors of shape (k, c, h, w), normalised: the process's k items in each of the method's views.
    labels
        Shape (K,), int64: of all items of the step.
    items
        Shape (K,), int64: their places in the data.
    step
        Of the run, from 0.
    share
        Which of the K items are in `views`; all of them in one process.
    gather
        Joins the (k, ...) rows of all processes into (K, ...), with their gradient.
    precision
        Gives the block in which networks compute in the run's precision.
    present
        Shape (V, K), bool: which of all items have what a view is drawn from; None where all have. What an
        item lacks is zeros in `views`.
    """

    views: Sequence[Tensor]
    labels: Tensor
    items: Tensor
    step: int = 0
    share: slice = field(default_factory=lambda: slice(None))
    gather: Callable[[Tensor], Tensor] = lambda rows: rows
    precision: Callable[[], AbstractContextManager[Any]] = nullcontext
    present: Tensor | None = None

    def embed(self, network: Callable[[Tensor], Tensor], views: Sequence[Tensor] | None = None) -> Tensor:
        """Map all views through a network in one pass, in the run's precision, for the whole batch.

        Parameters
        ----------
        network
            Maps (B, c, h, w) to (B, d).
        views
            Tensors of shape (k, c, h, w); the batch's own when None.

        Returns
        -------
        Tensor
            Shape (V, K, d), float32: the rows of all processes.
        """
        views = self.views if views is None else views
        with self.precision():
            rows = network(torch.cat(list(views)))
        # One row an item, all its views in it, so that gathering keeps views together.
        own = rows.float().reshape(len(views), len(views[0]), -1).transpose(0, 1)
        return self.gather(own.contiguous()).transpose(0, 1)


class Stage(NamedTuple):
    """Epochs under one schedule of the learning rate.

    Attributes
    ----------
    number
        From 1.
    begins, ends
        Epochs that are done when it begins, and when it ends.
    optimiser
        Its schedule starts with the stage; the optimiser's state is carried over.
    """

    number: int
    begins: int
    ends: int
    optimiser: "OptimiserRecipe"


class Method(nn.Module):
    """What is trained: networks, what stands on them, and all that is remembered from step to step.

    A method is one module, so that its ``state_dict`` is all that a stopped run goes on from: what it
    remembers (banks, queues, averages) are buffers. The loop moves whatever requires a gradient, knows no
    method by name, and calls, in this order: :meth:`at_epoch`, then for every step :meth:`loss` and, once
    the weights have moved, :meth:`after_step`.

    A subclass is made by :func:`mitools.training.methods.registry.make_method` as
    ``Method(recipe, data, options)``, with torch seeded from the recipe; it calls
    ``super().__init__(recipe, data)``, sets :attr:`views`, and defines :meth:`loss` and :meth:`encoder`.
    Most share one encoder over their views and begin from
    :class:`mitools.training.methods.shared_encoder.SharedEncoder`.

    Parameters
    ----------
    recipe
        Of the run.
    data
        What is trained on.

    Attributes
    ----------
    Options
        The keys under ``options`` in a recipe, as a class of :class:`mitools.core.recipes.Recipe`; an
        instance of it is what a subclass is made with.
    pairing
        Whether the views of a batch show one item, or in the second view another item of its class.
    views
        What the items of a batch are drawn as; those that belong together, as two patches at a distance,
        from the same random numbers (:func:`mitools.views.base.draw_numbers`).
    common_augmentation
        What is drawn of an item's image once, before its views are: they then show one crop. None for the
        image as it is; views of other modalities are drawn as they are.
    stages
        The parts of the run: each has a schedule of its own, and the weights at its end are kept.
    rate_factors
        By the name of a part of the method, such as ``generator``, by what the optimiser's learning rate is
        multiplied for its weights.
    """

    Options: ClassVar[type[Recipe]] = Recipe
    pairing: ClassVar[Pairing] = "same_item"
    views: Sequence[View]
    common_augmentation: View | None = None
    stages: tuple[Stage, ...]
    rate_factors: Mapping[str, float] = MappingProxyType({})

    def __init__(self, recipe: "TrainingRecipe", data: TrainingData) -> None:
        super().__init__()
        self.recipe = recipe
        self.data = data
        self.stages = (Stage(1, 0, recipe.epochs, recipe.optimiser),)

    @classmethod
    def check(cls, recipe: "TrainingRecipe", options: Any) -> None:
        """Refuse what the rest of the recipe does not allow; nothing is refused unless a subclass does.

        Raises
        ------
        InputError
            Naming the option and the remedy.
        """

    def forward(self, batch: Batch) -> Loss:
        """Compute the loss; what averages gradients over processes listens to this call."""
        return self.loss(batch)

    def loss(self, batch: Batch) -> Loss:
        """Compute the loss of the whole batch, in every process, as :meth:`Batch.embed` joins it."""
        raise NotImplementedError

    def after_step(self, batch: Batch) -> None:
        """Update what is remembered, once the weights have moved; without gradient."""

    def at_epoch(self, epoch: int) -> None:
        """Prepare an epoch, counted from 0; without gradient, in the run's precision.

        A run that goes on after this many epochs begins here too.
        """

    def encoder(self, view: str | None = None) -> nn.Module:
        """Give what ``run:DIR`` opens: maps images (B, 3, h, w) to rows (B, d).

        Parameters
        ----------
        view
            Of methods that have an encoder a view: which one; None for all side by side.
        """
        raise NotImplementedError

    def measured_networks(self, items: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
        """Give the networks that a step of so many items is made of, each with the shape of its input.

        On them is measured how many threads are fastest; heads and losses are little beside them.
        """
        return [(self.encoder(), (len(self.views) * items, *self.data.shape))]

    def head(self) -> nn.Module | None:
        """Give what stands on the encoder in training, to be kept beside it; None where nothing does."""
        return None

    def write_beside(self, folder: Path) -> None:
        """Write what else is to be kept into the folder of a checkpoint; nothing unless a subclass does."""


def no_view(view: str | None) -> None:
    """Refuse the name of a view where one encoder serves all.

    Raises
    ------
    InputError
        When a view is named.
    """
    if view is not None:
        raise InputError(f"there is one encoder for all views, none of its own for {view!r}; leave view= out")
