"""What a training run is made from: the keys of ``RECIPE.yaml``."""

from typing import Annotated, Literal

from pydantic import Field, field_validator

from mitools.recipes import Recipe
from mitools.specs import nearest
from mitools.training.objectives.table import OBJECTIVES

Share = Annotated[float, Field(ge=0, le=1)]
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
    """

    name: Literal["sgd", "adamw", "lars"] = "adamw"
    learning_rate: Positive = 1e-3
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 1e-4
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["cosine", "constant"] = "cosine"


class AugmentationRecipe(Recipe):
    """How a view is drawn from an image (SimCLR's steps, in this order).

    Attributes
    ----------
    crop_area
        The least share of the image's area that a random crop keeps; 1 leaves cropping out.
    flip
        Probability of a horizontal flip.
    jitter_strength
        Of brightness, contrast and saturation (0.8 times this) and hue (0.2 times this); 0 leaves it out.
    jitter
        Probability of the colour jitter.
    grey
        Probability of grey.
    """

    crop_area: Annotated[float, Field(gt=0, le=1)] = 0.08
    flip: Share = 0.5
    jitter_strength: Annotated[float, Field(ge=0, le=1.25)] = 0.5
    jitter: Share = 0.8
    grey: Share = 0.2


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
        A name of :data:`mitools.training.objectives.table.OBJECTIVES`.
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
