"""What the studies of view encoders have in common: their training, their seeds, and where they measure."""

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, field_validator

from mitools.analyses.shared.evaluation import EvaluationRecipe
from mitools.core.recipes import Recipe, make_recipe
from mitools.training.recipes import TrainingRecipe
from mitools.views.base import modality_of
from mitools.views.registry import make_view

DEFAULT_VIEWS = ["lab:l", "lab:ab"]
"""What a recipe's options hold where it names no views."""

CORE, FULL, PREDICTIVE = "core view", "full graph", "predictive"
"""Methods: the first view contrasted with each other one, all with each other, one predicted from another."""

Views = Annotated[tuple[str, ...], Field(min_length=2)]
Width = Annotated[int, Field(ge=8, multiple_of=8)]
Seeds = Annotated[tuple[Annotated[int, Field(ge=0)], ...], Field(min_length=1)]


class ContrastiveRunsRecipe(Recipe):
    """What every study that contrasts views is made from.

    Attributes
    ----------
    training
        What all runs share; the method is ``cmc``, and its views and graph are left to the runs.
    point_layer
        For sub-patch contrast (Appendix B.2): the module of every encoder whose feature map is contrasted;
        whole views are when None.
    seeds
        One run of everything with each; what is compared is paired by them.
    """

    training: TrainingRecipe
    point_layer: str | None = None
    seeds: Seeds = (0, 1, 2)

    @field_validator("training")
    @classmethod
    def _leave_the_views_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        options = training.options
        if training.method != "cmc" or options["views"] != DEFAULT_VIEWS or options["graph"] != "full":
            raise ValueError("the method must be cmc, and its views and graph are set by the runs")
        return training

    @field_validator("seeds")
    @classmethod
    def _take_each_seed_once(cls, seeds: tuple[int, ...]) -> tuple[int, ...]:
        if len(set(seeds)) < len(seeds):
            raise ValueError("every seed is run once")
        return seeds

    def contrastive(self, views: Sequence[str], seed: int, core: str | None = None) -> TrainingRecipe:
        """Give the run that contrasts views: one with all others, or all with each other.

        Raises
        ------
        InputError
            When the views cannot be contrasted.
        """
        options: dict[str, Any] = {"views": list(views)}
        if core is not None:
            options |= {"graph": "core", "core": core}
        if self.point_layer is not None:
            options["point_layers"] = dict.fromkeys(views, self.point_layer)
        return self.training.with_options(**options).model_copy(update={"seed": seed})


class ViewEncodersRecipe(ContrastiveRunsRecipe):
    """What every study of view encoders is made from, beside what :class:`ContrastiveRunsRecipe` lists.

    Attributes
    ----------
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    """

    evaluation: EvaluationRecipe

    def predictive(self, view: str, target: str, seed: int, decoder_width: int) -> TrainingRecipe:
        """Give the run that predicts one view from another: with L1, or the classes of a segmentation.

        Parameters
        ----------
        view, target
            What is encoded, and what is predicted from it.
        seed
            Of the run.
        decoder_width
            Channels of the decoder's maps.

        Raises
        ------
        InputError
            When the views cannot be had.
        """
        predicted = make_view(target)
        classes = modality_of(predicted) == "segmentation" and predicted.channels > 1
        options = {
            "views": [view, target],
            "loss": "cross_entropy" if classes else "l1",
            "decoder_width": decoder_width,
        }
        content = self.training.model_dump() | {"method": "predictive", "options": options, "seed": seed}
        return make_recipe(content, TrainingRecipe, f"prediction of {target} from {view}")
