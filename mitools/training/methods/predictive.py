"""Predictive learning: the encoder of one view, and a decoder to another (Tian et al. 2020, Sec. 3.1)."""

from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.encoders.view_encoders import ViewEncoder, ViewEncoders
from mitools.training.methods.base import Batch, Loss, Method
from mitools.training.networks.build import build_network
from mitools.training.networks.decoder import ConvDecoder
from mitools.training.recipes import Count, TrainingRecipe
from mitools.training.training_data import TrainingData
from mitools.views.registry import OWN, make_view

MOST_CLASSES = 4096
"""Classes a pixel that bins may make."""


class PredictiveOptions(Recipe):
    """What is predicted from what.

    Attributes
    ----------
    views
        Two names: the view that is encoded, and the one that is predicted from it.
    loss
        ``l1`` and ``l2`` are the mean absolute and squared error of the normalised view; ``cross_entropy``
        takes a view with one channel a class, as ``segmentation?classes=13``.
    bins
        Cut each channel of the predicted view, which is about [0, 1], into so many bins, and predict the bin
        of all channels together by cross-entropy, as SplitBrain (Zhang et al. 2017) does with ab.
    target_size
        Bring the predicted view to this height and width first; None for its own.
    decoder_width
        Channels of the decoder's maps, a multiple of 8.
    """

    views: list[str] = Field(default_factory=lambda: ["lab:l", "lab:ab"])
    loss: Literal["l1", "l2", "cross_entropy"] = "l2"
    bins: Annotated[int, Field(ge=2)] | None = None
    target_size: Count | None = None
    decoder_width: Annotated[int, Field(ge=8, multiple_of=8)] = 64


class Predictive(Method):
    """Predict one view from the representation of another; bounds no mutual information that is reported.

    L1, L2 and cross-entropy treat every pixel as independent given the representation: p(v2 | v1) is then a
    product over pixels. An item that lacks one of the views is left out.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`PredictiveOptions`.

    Raises
    ------
    InputError
        When a view cannot be drawn of the data, or has no channel a class where one is needed.
    """

    Options = PredictiveOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: PredictiveOptions) -> None:
        super().__init__(recipe, data)
        self.options = options
        self.views = [make_view(name) for name in options.views]
        if recipe.augmentation is not None:
            self.common_augmentation = make_view(recipe.augmentation)
        self.shape, (channels, *size) = (data.view_shape(view) for view in self.views)
        if options.target_size is not None:
            size = [options.target_size] * 2
        if options.loss == "cross_entropy" and channels < 2:
            raise InputError(
                f"view {options.views[1]} has 1 channel, and cross_entropy predicts one of several classes a"
                " pixel; take a view with a channel a class, as segmentation?classes=13"
            )
        if options.bins is not None:
            channels = options.bins**channels
            if channels > MOST_CLASSES:
                raise InputError(
                    f"options.bins {options.bins} makes {channels} classes a pixel; take fewer bins, for"
                    f" {MOST_CLASSES} at the most"
                )
        height, width = size
        self.network = build_network(
            recipe.encoder,
            self.shape,
            lambda rows: ConvDecoder(rows, channels, (height, width), options.decoder_width),
            recipe.seed,
        )

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: PredictiveOptions) -> None:
        """Refuse another number of views than two, and bins beside another loss."""
        if len(options.views) != 2:
            raise InputError(
                f"predictive takes two views, one to encode and one to predict; options.views names"
                f" {len(options.views)}"
            )
        for name in options.views:
            if name.partition(":")[0] != OWN:  # reading a recipe runs none of the user's own code
                make_view(name)
        if options.bins is not None and options.loss == "cross_entropy":
            raise InputError("options.bins makes classes of its own; leave loss: cross_entropy out")

    def loss(self, batch: Batch) -> Loss:
        """Average the errors over the items of all processes that have both views."""
        source, target = batch.views
        both = None if batch.present is None else batch.present.all(dim=0)
        own = None if both is None else both[batch.share].nonzero()[:, 0]
        if own is None:
            errors = self._errors(batch, source, target)
        else:
            # Where no item of a process has both, its network still takes part, with a weight of 0.
            some = own if len(own) else own.new_zeros(1)
            found = self._errors(batch, source[some], target[some])
            errors = found.new_zeros(len(source)).index_copy(0, some, found)
        whole = batch.gather(errors[:, None])[:, 0]
        weights = torch.ones_like(whole) if both is None else both.to(whole)
        return Loss((whole * weights).sum() / weights.sum().clamp(min=1))

    def _errors(self, batch: Batch, source: Tensor, target: Tensor) -> Tensor:
        with batch.precision():
            predicted = self.network(source)
        options, size = self.options, self.options.target_size
        if size is not None:
            target = functional.interpolate(target, (size, size), mode="area")
        return item_errors(predicted.float(), target, options.loss, options.bins)

    def encoder(self, view: str | None = None) -> ViewEncoders:
        """Give the encoder of the first view, the only one."""
        part = ViewEncoder(self.views[0], self.recipe.encoder, self.shape[0], self.network.encoder)
        whole = ViewEncoders([part])
        return whole if view is None else whole.of([view])

    def measured_networks(self, items: int) -> list[tuple[nn.Module, tuple[int, ...]]]:
        """Give encoder and decoder."""
        return [(self.network, (items, *self.shape))]

    def head(self) -> nn.Module:
        """Give the decoder."""
        return self.network.head


def item_errors(predicted: Tensor, target: Tensor, loss: str, bins: int | None = None) -> Tensor:
    """Measure how wrong each prediction is: the mean over its pixels, shape (B,).

    Parameters
    ----------
    predicted
        Shape (B, c, h, w); logits of c classes for cross-entropy and bins.
    target
        Shape (B, c, h, w), a view normalised to [-1, 1].
    loss
        ``l1``, ``l2`` or ``cross_entropy``; a pixel without a class is left out.
    bins
        As in :class:`PredictiveOptions`.
    """
    if bins is not None:
        return functional.cross_entropy(predicted, binned(target, bins), reduction="none").mean(dim=(1, 2))
    if loss == "cross_entropy":
        has_class, classes = target.max(dim=1)
        errors = functional.cross_entropy(predicted, classes, reduction="none")
        counted = (has_class > 0).to(errors)
        return (errors * counted).sum(dim=(1, 2)) / counted.sum(dim=(1, 2)).clamp(min=1)
    difference = (predicted - target).abs()
    return (difference if loss == "l1" else difference.square()).mean(dim=(1, 2, 3))


def binned(values: Tensor, bins: int) -> Tensor:
    """Give the number of the bin that all channels of a pixel lie in together.

    Parameters
    ----------
    values
        Shape (B, c, h, w), about [-1, 1]; what lies beyond is in the outermost bin.
    bins
        Of each channel.

    Returns
    -------
    Tensor
        Shape (B, h, w), int64, in ``range(bins ** c)``; the first channel counts most.
    """
    places = ((values + 1) / 2 * bins).long().clamp(0, bins - 1)
    powers = bins ** torch.arange(values.shape[1] - 1, -1, -1, device=values.device)
    return (places * powers[:, None, None]).sum(dim=1)
