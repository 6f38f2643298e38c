"""What a training run is made from: the keys of ``RECIPE.yaml``."""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from mitools.core.names import nearest
from mitools.core.recipes import Recipe
from mitools.training.methods.registry import OBJECTIVES
from mitools.views.recipes import AugmentationRecipe

Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


class OptimiserRecipe(Recipe):
    """How the weights move.

    Attributes
    ----------
    name
        ``sgd``, ``adamw`` or ``lars``.
    learning_rate
        At its highest.
    momentum
        Of ``sgd`` and ``lars``.
    weight_decay
        Not applied to biases and norms.
    warmup_epochs
        Over which the rate rises linearly from 0.
    schedule
        ``cosine`` falls to 0 at the end, ``constant`` stays.
    least_rate
        Below which the schedule does not fall.
    """

    name: Literal["sgd", "adamw", "lars"] = "adamw"
    learning_rate: Positive = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["cosine", "constant"] = "cosine"
    least_rate: Annotated[float, Field(ge=0)] = 0.0


class CTCRecipe(Recipe):
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


class TrainingRecipe(Recipe):
    """One run.

    Attributes
    ----------
    encoder
        A network by name, as ``?arch=`` of a checkpoint takes it: ``convnet``, ``cifar_resnet20``,
        ``resnet18_small``, ``timm:NAME``, ``python:MODULE:FACTORY``.
    data
        A data spec; every item is trained on.
    objective
        A name of :data:`mitools.training.methods.registry.OBJECTIVES`.
    epochs, batch_size
        Passes over the data; items a step over all processes, K.
    temperature
        Of contrastive objectives; the objective's own when None.
    head_width
        The projection head's output; its hidden layer is as wide as the encoder's output.
    augmentation
        Of objectives that augment; the same for all when given, None for the objective's own habit.
    negatives
        Where the negatives come from: the batch itself when None, another data spec, or ``noise``.
    ctc
        Of the objective ``ctc``, see :class:`CTCRecipe`.
    optimiser
        See :class:`OptimiserRecipe`.
    image_size
        Images are brought to this size; None for their own.
    keep_every
        Keep the weights of every so many epochs, and of the untrained network; None for the last alone.
    log_every
        Steps between two lines of metrics.
    seed
        Of weights, batches and augmentations.
    """

    encoder: Annotated[str, Field(min_length=1)]
    data: Annotated[str, Field(min_length=1)]
    objective: str
    epochs: Count = 10
    batch_size: Annotated[int, Field(ge=2)] = 256
    temperature: Positive | None = None
    head_width: Count = 128
    augmentation: AugmentationRecipe | None = None
    negatives: str | None = None
    ctc: CTCRecipe | None = None
    optimiser: OptimiserRecipe = OptimiserRecipe()
    image_size: Count | None = None
    keep_every: Count | None = None
    log_every: Count = 10
    seed: Annotated[int, Field(ge=0)] = 0

    @field_validator("objective")
    @classmethod
    def _know_the_objective(cls, name: str) -> str:
        if name not in OBJECTIVES:
            raise ValueError(f"there is no objective {name!r}; did you mean {nearest(name, OBJECTIVES)}?")
        return name

    @field_validator("negatives")
    @classmethod
    def _negatives_need_nt_xent(cls, negatives: str | None, info: object) -> str | None:
        objective = getattr(info, "data", {}).get("objective")
        if negatives is not None and objective not in ("simclr", "class"):
            raise ValueError(f"negatives from elsewhere are for simclr and class, not for {objective}")
        return negatives

    @model_validator(mode="after")
    def _ctc_has_two_stages(self) -> "TrainingRecipe":
        if self.objective != "ctc":
            if self.ctc is not None:
                raise ValueError(f"ctc is for the objective ctc, not for {self.objective}")
            return self
        if self.temperature is not None:
            raise ValueError("ctc has two temperatures: ctc.alpha_temperature and ctc.beta_temperature")
        if not 1 <= self.border < self.epochs:
            raise ValueError(f"ctc.border {self.border} must lie below epochs {self.epochs}; none is left for"
                             " the second stage")  # fmt: skip
        return self

    @property
    def border(self) -> int:
        """The epoch after which CTC's second stage begins."""
        return (self.ctc and self.ctc.border) or round(2 * self.epochs / 3)
