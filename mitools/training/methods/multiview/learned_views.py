"""Learned views: an invertible generator whose channels are the views (Tian et al. 2020, Sec. 4.2)."""

import math
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from mitools.backends.precision import computing_in_float32
from mitools.backends.seeding import derive_seed
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.core.recipes import Recipe
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders
from mitools.training.loop.batches import BatchSampler
from mitools.training.losses.cross_entropy import cross_entropy
from mitools.training.losses.multiview import two_views
from mitools.training.methods.base import Batch, Loss, Method
from mitools.training.networks.build import build_network
from mitools.training.networks.heads import EncoderWithHead, ProjectionHead
from mitools.training.networks.reversal import reverse_gradient
from mitools.training.recipes import Count, Positive, TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.colour.spaces import SPACES
from mitools.views.flow.generator import CHANNELS, Coupling, FlowGenerator
from mitools.views.flow.generator_file import write_generator
from mitools.views.flow.view import OWN_CHECKPOINT, PARTS, FlowInput, FlowView
from mitools.views.registry import make_view

RATE_OF_CRITICS = 3.0
"""Times the generator's learning rate: 6e-4 and 2e-4 in B.5."""


class LearnedViewsOptions(Recipe):
    """How views are learned.

    Attributes
    ----------
    learn
        ``unsupervised`` (Eq. 2), ``supervised`` (the labels' part of Eq. 3 alone) or ``semi_supervised``
        (Eq. 3).
    labelled
        Data spec of the labelled images of ``semi_supervised``: every step takes a batch of these beside one
        of the run's own data, whose labels are not read.
    space
        The colour space that the generator reads: ``rgb``, ``ydbdr``.
    coupling, blocks, hidden
        See :class:`mitools.views.flow.generator.FlowGenerator`.
    temperature
        Divides the cosine similarities of InfoNCE.
    head
        On each encoder of InfoNCE: ``mlp``, as SimCLR's, or ``linear``.
    head_width
        Of the rows that are compared.
    generator_rate
        The generator's learning rate, under the schedule of the recipe's optimiser, which moves all other
        weights; None for a third of its rate. B.5 has 2e-4 for the generator and 6e-4 for the others, and
        says beside it that the generator's should be the larger.
    """

    learn: Literal["unsupervised", "supervised", "semi_supervised"] = "unsupervised"
    labelled: str | None = Field(default=None, min_length=1)
    space: str = "rgb"
    coupling: Coupling = "non_volume_preserving"
    blocks: Count = 6
    hidden: Count = 16
    temperature: Positive = 0.07
    head: Literal["mlp", "linear"] = "mlp"
    head_width: Count = 128
    generator_rate: Positive | None = None


class LearnedViews(Method):
    """Learn an invertible map of colours, whose first channel and whose other two are the views.

    The unsupervised part trains two encoders to maximise InfoNCE between the views, and the generator to
    minimise it (Eq. 2). Both move in every step, by one backward pass: the gradient changes its sign between
    the encoders and the generator. The supervised part trains a classifier of each view, and the generator
    with them, to lower the cross-entropy with the labels. Eq. 3 is the sum; its InfoNCE is of all images of a
    step, labelled or not.

    The loss is the sum that encoders and classifiers minimise: log K minus InfoNCE, the mean of both
    directions, plus both cross-entropies. The estimate is InfoNCE's, in-sample; there is none without
    InfoNCE. The terms are ``infonce_loss``, ``label_loss1`` and ``label_loss2``.

    The recipe's ``augmentation`` is drawn once an image, so that both views show the same crop. The learned
    views are ``flow:DIR#0`` and ``flow:DIR#1``.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`LearnedViewsOptions`.

    Attributes
    ----------
    generator
        The invertible network.
    encoders, classifiers
        One a view; none of those that `learn` has no use for.

    Raises
    ------
    InputError
        When images have no three channels, labels are missing, there are fewer labelled images than a step
        takes, or a network does not read a view.
    """

    Options = LearnedViewsOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: LearnedViewsOptions) -> None:
        super().__init__(recipe, data)
        if data.shape[0] != CHANNELS:
            raise InputError(
                f"learned_views reads images of 3 channels, and those of {recipe.data} have {data.shape[0]}"
            )
        self.options = options
        self.views = [FlowInput(options.space)]
        if recipe.augmentation is not None:
            self.common_augmentation = make_view(recipe.augmentation)
        rate = recipe.optimiser.learning_rate
        self.rate_factors = {"generator": (options.generator_rate or rate / RATE_OF_CRITICS) / rate}
        self.generator = FlowGenerator(options.coupling, options.blocks, options.hidden)
        self.encoders, self.classifiers = nn.ModuleList(), nn.ModuleList()
        if options.learn != "supervised":
            self.encoders = self._networks(self._projection, 14)
        self._labelled: TrainingData | None = None
        if options.learn != "unsupervised":
            of_labels = self._load_labelled()
            classes = of_labels.n_classes
            self.classifiers = self._networks(lambda width: nn.Linear(width, classes), 15)

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: LearnedViewsOptions) -> None:
        """Refuse an unknown colour space, and labels that are missing or have no use."""
        check_name("colour space", options.space, SPACES)
        semi_supervised = options.learn == "semi_supervised"
        if semi_supervised and options.labelled is None:
            raise InputError(
                "semi_supervised learns from labelled images beside the run's own; name their data as"
                " options.labelled"
            )
        if options.labelled is not None and not semi_supervised:
            raise InputError(
                f"options.labelled is for learn: semi_supervised; {options.learn} reads the run's own data"
            )

    def _load_labelled(self) -> TrainingData:
        """Give the data whose labels are learned from, of two classes or more."""
        name, found = self.recipe.data, self.data
        if self.options.labelled is not None:
            name = self.options.labelled
            found = self._labelled = self.data.load_labelled(name)
            labels, size = found.labels.cpu().numpy(), self.recipe.batch_size
            if len(labels) < size:
                raise InputError(
                    f"batch_size {size} takes as many labelled images a step, and {name} has {len(labels)};"
                    " lower it"
                )
            # The order of labelled images is another than that of the run's own.
            self._order = BatchSampler(labels, size, "same_item", derive_seed(self.recipe.seed, 12))
        if len(found.labels.unique()) < 2:
            raise InputError(
                f"{name} has labels of one class, from which {self.options.learn} learns nothing; name data"
                " of two or more classes"
            )
        return found

    def _projection(self, width: int) -> nn.Module:
        linear = self.options.head == "linear"
        return (nn.Linear if linear else ProjectionHead)(width, self.options.head_width)

    def _networks(self, make_head: Callable[[int], nn.Module], counter: int) -> nn.ModuleList:
        """Make a network a view, each with weights of its own."""
        networks = []
        for number, part in enumerate(PARTS):
            shape = (part.stop - part.start, *self.data.shape[1:])
            seed = derive_seed(self.recipe.seed, counter, number)
            try:
                networks.append(build_network(self.recipe.encoder, shape, make_head, seed))
            except InputError as error:
                raise InputError(f"learned view {number}, of {shape[0]} channels: {error}") from None
        return nn.ModuleList(networks)

    def loss(self, batch: Batch) -> Loss:
        """Compute both parts of Eq. 3, or the one that is learned from."""
        own, labels = batch.views[0], batch.labels
        labelled = own
        if self._labelled is not None:
            labelled, labels = self._draw_labelled(self._labelled, batch)
        value, nats, ceiling = own.new_zeros(()), None, None
        terms: dict[str, Tensor] = {}
        if self.encoders:
            images = [own] if self._labelled is None else [own, labelled]
            rows = batch.embed(self._projected, images).flatten(0, 1)
            x, y = rows.chunk(2, dim=1)
            infonce = two_views(x, y, self.options.temperature) / 2
            ceiling = math.log(len(rows))
            value, nats = value + infonce, ceiling - infonce.detach()
            terms["infonce_loss"] = infonce.detach()
        if self.classifiers:
            (rows,) = batch.embed(self._classified, [labelled])
            for number, logits in enumerate(rows.chunk(2, dim=1), start=1):
                wrong = cross_entropy(logits, labels)
                value = value + wrong
                terms[f"label_loss{number}"] = wrong.detach()
        return Loss(value, nats, ceiling, terms)

    def _projected(self, images: Tensor) -> Tensor:
        """Map (B, 3, h, w) to what InfoNCE compares, the rows of both views side by side."""
        return self._side_by_side(self.encoders, reverse_gradient(self._generated(images)))

    def _classified(self, images: Tensor) -> Tensor:
        """Map (B, 3, h, w) to the logits of both views side by side."""
        return self._side_by_side(self.classifiers, self._generated(images))

    def _generated(self, images: Tensor) -> Tensor:
        with computing_in_float32(images.device):  # half precision would not be invertible
            values: Tensor = self.generator(images).values
        return values

    @staticmethod
    def _side_by_side(networks: nn.ModuleList, generated: Tensor) -> Tensor:
        rows = [network(generated[:, part]) for network, part in zip(networks, PARTS, strict=True)]
        return torch.cat(rows, dim=1)

    def _draw_labelled(self, data: TrainingData, batch: Batch) -> tuple[Tensor, Tensor]:
        """Draw a step's labelled images: this process's share of them, and the labels of all."""
        items = torch.from_numpy(self._order.items(batch.step)[0])
        seed, images = self.recipe.seed, None
        if self.common_augmentation is not None:
            augmented = derive_seed(seed, 13, batch.step)
            images = data.augmented(self.common_augmentation, items, augmented, batch.share)
        drawn = data.draw(self.views[0], items, seed, batch.share, images=images)
        return drawn, data.labels[items.to(data.labels.device)]

    def encoder(self, view: str | None = None) -> ViewEncoders:
        """Give the encoders of both views side by side, or one; of supervised views the classifiers'."""
        networks = self.encoders if self.encoders else self.classifiers
        parts = [
            ViewEncoder(self._view(number), self.recipe.encoder, part.stop - part.start, network.encoder)
            for number, (part, network) in enumerate(zip(PARTS, networks, strict=True))
            if isinstance(network, EncoderWithHead)
        ]
        whole = ViewEncoders(parts)
        return whole if view is None else whole.of([view])

    def _view(self, number: int) -> FlowView:
        generator = deepcopy(self.generator).eval().requires_grad_(False)
        return FlowView(OWN_CHECKPOINT, number, self.options.space, generator)

    def measured_networks(self, items: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
        """Give the encoders and the classifiers, each with the shape of its own view."""
        images = items if self._labelled is None else 2 * items
        return [
            (network.encoder, (images, part.stop - part.start, *self.data.shape[1:]))
            for networks in (self.encoders, self.classifiers)
            for network, part in zip(networks, PARTS, strict=False)
            if isinstance(network, EncoderWithHead)
        ]

    def head(self) -> nn.Module:
        """Give what stands on the encoders, one a view: heads of InfoNCE, or else classifiers."""
        networks = self.encoders if self.encoders else self.classifiers
        return nn.ModuleList(one.head for one in networks if isinstance(one, EncoderWithHead))

    def write_beside(self, folder: Path) -> None:
        """Write the generator, which the learned views are made by."""
        write_generator(folder, self.generator, self.options.space)
