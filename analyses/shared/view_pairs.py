"""What studies of two views have in common: the recipe, and which views can be had."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, field_validator

from mitools.analyses.shared.evaluation import EvaluationRecipe
from mitools.core.errors import InputError
from mitools.core.recipes import Recipe
from mitools.training.recipes import Count, TrainingRecipe
from mitools.views.base import modality_of
from mitools.views.registry import make_view

Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class PairTrainingRecipe(Recipe):
    """How encoders of two views are trained and read.

    Attributes
    ----------
    training
        What all runs share; the method is ``cmc``, and its views are left to the runs.
    seeds
        One run a pair of views with each; with two or more, the reading's errors count them.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`; the encoders of both views side by
        side are read there.
    evaluation_size
        What images are brought to for the encoders; None for the size in training.
    """

    training: TrainingRecipe
    seeds: Seeds = (0,)
    evaluation: EvaluationRecipe
    evaluation_size: Count | None = None

    @field_validator("training")
    @classmethod
    def _leave_the_views_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "cmc" or training.options["views"] != ["lab:l", "lab:ab"]:
            raise ValueError("the method must be cmc, and its views are set by the runs; leave them out")
        return training

    def runs_of(self, pairs: Mapping[str, tuple[str, str]]) -> dict[str, TrainingRecipe]:
        """Give the training of every pair of views, by the same names."""
        return {name: self.training.with_options(views=list(views)) for name, views in pairs.items()}


def require_image_views(pairs: Mapping[str, tuple[str, str]]) -> None:
    """Refuse views that are not drawn from the image.

    Raises
    ------
    InputError
        Naming the view.
    """
    for view in (make_view(name) for views in pairs.values() for name in views):
        if modality_of(view) != "image":
            raise InputError(f"view {view.name} is drawn from {modality_of(view)}; name views of the image")
