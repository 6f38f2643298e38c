"""Contrastive temporal coding: cross-entropy, and InfoNCE against what an earlier network gave."""

from copy import deepcopy
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mitools.backends.seeding import derive_seed
from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.training.losses.cross_entropy import cross_entropy
from mitools.training.losses.ctc import ctc_infonce
from mitools.training.memory.ctc_bank import CTCBank, KeptRows
from mitools.training.methods.base import Batch, Loss, Stage
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.networks.heads import RepresentationAndClassifier
from mitools.training.recipes import Count, Positive, TrainingRecipe
from mitools.training.training_data import TrainingData


class CTCOptions(Recipe):
    """How contrastive temporal coding contrasts (Cui et al. 2022, Secs. 4.2 and A.6).

    Attributes
    ----------
    border
        The epoch after which information aggregation ends and revitalisation begins; None for two thirds
        of the run, as 200 of 300 in A.6.
    alpha, beta
        Weights of InfoNCE in the two stages. A.6 has alpha at 0.01 in one place and 0.1 in another; Fig. 6
        shows that the accuracy of Table 1 is that of 0.1.
    alpha_temperature, beta_temperature
        What divides the cosine similarities in the two stages.
    momentum
        Of the memory bank in stage one: the share of a row that stays when its sample is seen.
    negatives
        Samples drawn from the bank every step; all of them when None, as Eqs. 3 and 4 have it.
    beta_rate
        The highest learning rate of stage two, whose schedule starts anew, without a warm-up or a least
        rate; None for a tenth of the first stage's.
    """

    border: Count | None = None
    alpha: Annotated[float, Field(ge=0)] = 0.1
    beta: Annotated[float, Field(ge=0)] = 1.0
    alpha_temperature: Positive = 0.5
    beta_temperature: Positive = 0.4
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.5
    negatives: Count | None = None
    beta_rate: Positive | None = None

    def border_in(self, epochs: int) -> int:
        """Give the epoch after which the second stage begins, in a run of so many."""
        return self.border or round(2 * epochs / 3)


class CTC(SharedEncoder):
    """Cross-entropy plus a weighted InfoNCE, in two stages (Cui et al. 2022, Eqs. 5 and 6).

    In the first stage (information aggregation, Eq. 3) an item's key is its row of a memory bank, which
    follows the network by momentum. In the second (information revitalisation, Eq. 4) it is what the
    network that ended the first stage, frozen, makes of this very view, and a row of the bank is what it
    made of the sample's last view (Algorithm 1). Either stage begins with a row of every sample.

    The estimate is cross-entropy's, ``H(Y) - L_CE``, so that it reads alike with and without the contrast.
    The terms are ``cross_entropy`` and ``infonce``.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`CTCOptions`.

    Attributes
    ----------
    bank
        What is kept of every sample.
    frozen
        The encoder that ended the first stage; untrained until then.
    revitalises
        Whether the second stage has begun.

    Raises
    ------
    InputError
        When more negatives are asked for than there are other samples.
    """

    Options = CTCOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: CTCOptions) -> None:
        super().__init__(
            recipe, data, lambda width: RepresentationAndClassifier(width, data.n_classes), views=1
        )
        self.options = options
        self.stages = ctc_stages(recipe, options)
        self.bank = CTCBank(len(data), self.network.width, options.negatives, recipe.seed)
        self.frozen = deepcopy(self.network.encoder).requires_grad_(False)
        self.revitalises = False
        self._queries: Tensor | None = None

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: CTCOptions) -> None:
        """Refuse a border that leaves no epoch for one of the stages."""
        border = options.border_in(recipe.epochs)
        if not 1 <= border < recipe.epochs:
            raise InputError(
                f"ctc.border {border} must lie below epochs {recipe.epochs}; none is left for the second"
                " stage"
            )

    def train(self, mode: bool = True) -> "CTC":
        """Set the mode of all but the frozen network, which keeps its statistics."""
        super().train(mode)
        self.frozen.eval()
        return self

    def at_epoch(self, epoch: int) -> None:
        """Where a stage begins, give every sample its row; where the second does, freeze the network."""
        aggregation, revitalisation = self.stages
        self.revitalises = epoch >= revitalisation.begins
        if epoch == revitalisation.begins:
            self.frozen.load_state_dict(self.network.encoder.state_dict())
        if epoch in (aggregation.begins, revitalisation.begins):
            self._fill(2 if self.revitalises else 1)

    def _fill(self, stage: int) -> None:
        rows = torch.arange(len(self.data), device=self.bank.rows.device).split(self.recipe.batch_size)
        views = (
            (items, self.data.draw(self.views[0], items, derive_seed(self.recipe.seed, 7, stage, number)))
            for number, items in enumerate(rows)
        )
        self.bank.fill(self.frozen if self.revitalises else self.network.encoder, views)

    def loss(self, batch: Batch) -> Loss:
        """Compute cross-entropy plus the stage's weight times InfoNCE."""
        options, width = self.options, self.network.width
        (rows,) = batch.embed(self._outputs)
        parts = [-2 * width, -width] if self.revitalises else [-width]
        logits, queries, *keys = rows.tensor_split(parts, dim=1)
        if keys:
            self.bank.update(batch.items, keys[0], momentum=0.0)
            weight, temperature = options.beta, options.beta_temperature
        else:
            weight, temperature = options.alpha, options.alpha_temperature
        self._queries = queries.detach()
        classified = cross_entropy(logits, batch.labels)
        kept: KeptRows = self.bank(batch.items, batch.step)
        infonce = ctc_infonce(queries, *kept, temperature=temperature)
        entropy = self.data.label_entropy_nats
        terms = {"cross_entropy": classified.detach(), "infonce": infonce.detach()}
        return Loss(classified + weight * infonce, entropy - classified.detach(), entropy, terms)

    def _outputs(self, pixels: Tensor) -> Tensor:
        """Map (B, 3, h, w) to logits and representations, and in the second stage to keys behind them."""
        rows: Tensor = self.network(pixels)
        if not self.revitalises:
            return rows
        with torch.no_grad():
            keys = self.frozen(pixels)
        return torch.cat([rows, keys], dim=1)

    def after_step(self, batch: Batch) -> None:
        """In the first stage let the bank follow the network, now that no gradient needs its old rows."""
        if not self.revitalises and self._queries is not None:
            self.bank.update(batch.items, self._queries, self.options.momentum)
        self._queries = None


def ctc_stages(recipe: TrainingRecipe, options: CTCOptions) -> tuple[Stage, Stage]:
    """Lay out the two stages of a run."""
    first, border = recipe.optimiser, options.border_in(recipe.epochs)
    rate = options.beta_rate or first.learning_rate / 10
    second = first.model_copy(update={"learning_rate": rate, "warmup_epochs": 0.0, "least_rate": 0.0})
    return Stage(1, 0, border, first), Stage(2, border, recipe.epochs, second)
