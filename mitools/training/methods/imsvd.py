"""IMSVD: soft variables that are invariant, of high entropy and pairwise independent."""

from typing import Annotated, Literal

from pydantic import Field

from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.training.losses.imsvd import (
    diagonal_entropy,
    invariance_cross_entropy,
    off_diagonal_entropy,
    soft_pair,
    transform_invariance,
)
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.projected_pair import ProjectedPair, ProjectorOptions
from mitools.training.recipes import Count, TrainingRecipe
from mitools.training.training_data import TrainingData

Weight = Annotated[float, Field(ge=0)]


class IMSVDOptions(Recipe):
    """Options of IMSVD, the paper's by default (Niu et al. 2024, Sec. IV).

    Attributes
    ----------
    variables, units
        M, and the values D_M of each: the projector's output has M times D_M columns.
    hidden, layers
        Of the projector: width of its hidden layers, and linear layers, the last one counted.
    invariance, diagonal, off_diagonal
        Weights of the terms (TI, DE and OE of Table VIII); 0 leaves one out.
    similarity
        How two views of an item are compared: ``inner_product``, or ``cross_entropy`` (TIC), which the paper
        found worse.
    """

    variables: Annotated[int, Field(ge=1)] = 102
    units: Annotated[int, Field(ge=2)] = 80
    hidden: Count = 8192
    layers: Count = 2
    invariance: Weight = 1.0
    diagonal: Weight = 1.0
    off_diagonal: Weight = 1.0
    similarity: Literal["inner_product", "cross_entropy"] = "inner_product"


class IMSVD(ProjectedPair):
    """Information-maximized soft variable discretization (Niu et al. 2024, Eq. 11); bounds nothing.

    The terms, in nats, are ``transform_invariance`` (to be small), ``diagonal_entropy`` and
    ``off_diagonal_entropy`` (to be large); one with weight 0 is not computed. The loss is explained at
    :func:`mitools.training.losses.imsvd.imsvd`, with what the terms are divided by.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`IMSVDOptions`.

    Raises
    ------
    InputError
        When all weights are 0.
    """

    Options = IMSVDOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: IMSVDOptions) -> None:
        sizes = ProjectorOptions(
            hidden=options.hidden, layers=options.layers, width=options.variables * options.units
        )
        super().__init__(recipe, data, sizes)
        self.options = options

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: IMSVDOptions) -> None:
        """Refuse a loss without terms."""
        if not (options.invariance or options.diagonal or options.off_diagonal):
            raise InputError(
                "imsvd: options.invariance, diagonal and off_diagonal are all 0, so that nothing is trained;"
                " give one of them a weight"
            )

    def loss(self, batch: Batch) -> Loss:
        """Compute Eq. 11 over the whole batch."""
        options = self.options
        pair = soft_pair(*self.pair(batch), options.units)
        value, terms = pair[0].new_zeros(()), {}
        alike = transform_invariance if options.similarity == "inner_product" else invariance_cross_entropy
        for name, weight, term in (
            ("transform_invariance", options.invariance, alike),
            ("diagonal_entropy", -options.diagonal, diagonal_entropy),
            ("off_diagonal_entropy", -options.off_diagonal, off_diagonal_entropy),
        ):
            if weight:
                found = term(*pair)
                value = value + weight * found
                terms[name] = found.detach()
        return Loss(value, terms=terms)
