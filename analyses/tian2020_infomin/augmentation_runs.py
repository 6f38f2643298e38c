"""The runs of a study of stronger augmentations: two sweeps and families of steps, with every head."""

from typing import Annotated, NamedTuple

from pydantic import Field, field_validator, model_validator

from mitools.analyses.shared.evaluation import EvaluationRecipe
from mitools.analyses.shared.view_pairs import Seeds
from mitools.core.recipes import Recipe, make_recipe
from mitools.shared_information.view_pair import Sweep, swept
from mitools.statistics.peak import FEWEST_POINTS
from mitools.training.networks.heads import HeadKind
from mitools.training.recipes import Count, Positive, TrainingRecipe

SWEPT = {"crop": "crop_area", "jitter": "strength"}
"""Each sweep, and the option of the augmentation that it changes."""

FAMILIES = "families"
"""What the table calls the steps that are put together."""


class Setting(NamedTuple):
    """One augmentation of one curve.

    Attributes
    ----------
    curve
        ``crop``, ``jitter`` or ``families``.
    name
        The value of what is swept, or the family's name.
    head
        Of the method.
    training
        The run, but for its seed.
    """

    curve: str
    name: str
    head: HeadKind
    training: TrainingRecipe


class AugmentationStrengthRecipe(Recipe):
    """What the analysis is made from.

    Attributes
    ----------
    training
        What all runs share; the method is ``moco``, and augmentation, head and temperature are left to the
        runs.
    seeds
        One run a setting with each; with two or more, the reading's errors count them.
    heads
        The temperature that goes with each head: ``{linear: 0.07, mlp: 0.15}`` in the paper.
    base
        The augmentation of which a sweep changes one option.
    crop
        Least areas of the random crop, in (0, 1]: a smaller one is stronger (c in Fig. 13).
    jitter
        Strengths of the colour jitter (x in Fig. 14), up to 2.5.
    families
        Steps put together (Fig. 12), by name, the weaker first: the augmentation, and where there is one
        the view of nine crops, ``[infomin, jigsaw]``.
    evaluation
        See :class:`mitools.analyses.shared.evaluation.EvaluationRecipe`.
    evaluation_size
        What images are brought to for the encoders; None for the size in training.
    """

    training: TrainingRecipe
    seeds: Seeds = (0,)
    heads: Annotated[dict[HeadKind, Positive], Field(min_length=1)]
    base: str = "infomin?blur=0&steps=0"
    crop: Annotated[tuple[Annotated[float, Field(gt=0, le=1)], ...], Field(min_length=FEWEST_POINTS)]
    jitter: Annotated[tuple[Annotated[float, Field(gt=0, le=2.5)], ...], Field(min_length=FEWEST_POINTS)]
    families: Annotated[
        dict[str, Annotated[tuple[str, ...], Field(min_length=1, max_length=2)]],
        Field(min_length=FEWEST_POINTS),
    ]
    evaluation: EvaluationRecipe
    evaluation_size: Count | None = None

    @field_validator("training")
    @classmethod
    def _leave_what_differs_to_the_runs(cls, training: TrainingRecipe) -> TrainingRecipe:
        if training.method != "moco" or training.augmentation is not None:
            raise ValueError("the method must be moco, and its augmentation is what the runs differ in")
        return training

    @model_validator(mode="after")
    def _views_can_be_had(self) -> "AugmentationStrengthRecipe":
        self.settings()
        return self

    def settings(self) -> list[Setting]:
        """List the points of all curves, the curves of a head one after the other.

        Raises
        ------
        InputError
            When a view is unknown, is no augmentation, or has no nine crops.
        """
        points: dict[tuple[str, str], tuple[str, ...]] = {}
        for curve, option in SWEPT.items():
            values = self.crop if curve == "crop" else self.jitter
            for pair in swept([self.base], Sweep(option, values)):
                points[curve, f"{pair.value:g}"] = (pair.views[0],)
        points |= {(FAMILIES, name): views for name, views in self.families.items()}
        return [
            Setting(curve, name, head, self._training(head, temperature, *views))
            for head, temperature in self.heads.items()
            for (curve, name), views in points.items()
        ]

    def _training(
        self, head: HeadKind, temperature: float, augmentation: str, jigsaw: str | None = None
    ) -> TrainingRecipe:
        run = self.training.with_options(head=head, temperature=temperature, jigsaw=jigsaw)
        content = run.model_dump() | {"augmentation": augmentation}
        return make_recipe(content, TrainingRecipe, augmentation)
