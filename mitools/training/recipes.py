"""What a training run is made from: the keys of ``RECIPE.yaml``."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from mitools.core.recipes import Recipe, make_recipe
from mitools.training.methods.registry import is_own, method_class, read_options
from mitools.training.recipe_keys import with_options_in_place
from mitools.views.recipes import Augmentation

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


class TrainingRecipe(Recipe):
    """One run.

    Attributes
    ----------
    encoder
        A network by name, as ``?arch=`` of a checkpoint takes it: ``convnet``, ``cifar_resnet20``,
        ``resnet18_small``, ``timm:NAME``, ``python:MODULE:FACTORY``.
    data
        A data spec; every item is trained on.
    method
        A name of :data:`mitools.training.methods.registry.TRAINING_METHODS`, or ``python:MODULE:CLASS`` for
        one of your own; the key ``objective`` is another name of it.
    options
        Of the method, see its class: filled in when the recipe is read, or for your own method when it is
        trained. ``temperature``, ``head_width``, ``negatives`` and ``ctc`` may stand beside ``method`` too.
    epochs, batch_size
        Passes over the data; items a step over all processes, K.
    augmentation
        Of the images; None for the method's own habit.
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
    trackers
        Where metrics go beside the run's folder: ``wandb``, ``mlflow``. They change no number: a run goes on
        with others.
    """

    encoder: Annotated[str, Field(min_length=1)]
    data: Annotated[str, Field(min_length=1)]
    method: Annotated[str, Field(min_length=1)]
    options: dict[str, Any] = Field(default_factory=dict)
    epochs: Count = 10
    batch_size: Annotated[int, Field(ge=2)] = 256
    augmentation: Augmentation = None
    optimiser: OptimiserRecipe = OptimiserRecipe()
    image_size: Count | None = None
    keep_every: Count | None = None
    log_every: Count = 10
    seed: Annotated[int, Field(ge=0)] = 0
    trackers: list[Literal["wandb", "mlflow"]] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _bring_options_in_place(cls, content: Any) -> Any:
        return with_options_in_place(content) if isinstance(content, Mapping) else content

    @model_validator(mode="after")
    def _options_fit(self) -> "TrainingRecipe":
        if not is_own(self.method):
            method_class(self.method).check(self, read_options(self.method, self.options))
        return self

    def with_options(self, **changes: Any) -> "TrainingRecipe":
        """Give the recipe with other options of its method.

        Raises
        ------
        InputError
            When the method does not take them.
        """
        content = self.model_dump() | {"options": self.options | changes}
        return make_recipe(content, TrainingRecipe, f"method {self.method}")
