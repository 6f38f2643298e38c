"""Every analysis by its name: what it answers, what it is made from, and how long it takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

from mitools.analyses.checks import mine_check
from mitools.analyses.cui2022 import over_compression as temporal
from mitools.analyses.information_plane import toy as information_plane_toy
from mitools.analyses.lee2023 import (
    augmentation_sweep,
    batch_size,
    negatives,
    objectives,
    representation_quality,
    task_dependence,
)
from mitools.analyses.shared.finding import Finding
from mitools.core.recipes import Recipe

Scale = Literal["smoke", "paper"]

RECIPES = Path(__file__).parent / "recipes"


class Analysis(NamedTuple):
    """How an analysis is run.

    Attributes
    ----------
    what
        One line for people.
    recipe
        What its recipes hold.
    run
        Called with a recipe, the folder for everything, ``advance`` and ``runtime``.
    smoke, paper
        About how long it takes: on two idle cores (from the measured processor time, one core busy), and on
        one large GPU.
    """

    what: str
    recipe: type[Recipe]
    run: Callable[..., Finding | None]
    smoke: str
    paper: str


ANALYSES: dict[str, Analysis] = {
    "batch_size": Analysis(
        "does a small batch limit what an encoder learns? (Lee et al., Fig. 4)",
        batch_size.BatchSizeRecipe,
        batch_size.run,
        smoke="8 minutes",
        paper="hours, not measured",
    ),
    "task_dependence": Analysis(
        "what does an encoder keep of tasks it was not trained for? (Lee et al., Figs. 6, 7)",
        task_dependence.TaskDependenceRecipe,
        task_dependence.run,
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "augmentation_sweep": Analysis(
        "is one strength of augmentation best for every task? (Lee et al., Fig. 5)",
        augmentation_sweep.AugmentationSweepRecipe,
        augmentation_sweep.run,
        smoke="7 minutes",
        paper="hours, not measured",
    ),
    "objectives": Analysis(
        "is the information of the task all that an objective needs? (Lee et al., Table III)",
        objectives.ObjectivesRecipe,
        objectives.run,
        smoke="3 minutes",
        paper="hours, not measured",
    ),
    "negatives": Analysis(
        "where may negatives come from? (Lee et al., Table X)",
        negatives.NegativesRecipe,
        negatives.run,
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "representation_quality": Analysis(
        "which measure goes with linear accuracy? (Lee et al., Tables I, II, IV to IX)",
        representation_quality.RepresentationQualityRecipe,
        representation_quality.run,
        smoke="5 minutes",
        paper="hours, not measured",
    ),
    "information_plane_toy": Analysis(
        "does a network compress its input? exact binned planes, tanh and ReLU (Saxe et al. 2018)",
        information_plane_toy.InformationPlaneToyRecipe,
        information_plane_toy.run,
        smoke="1 minute",
        paper="not measured",
    ),
    "temporal": Analysis(
        "does training compress too much, and does CTC mend it? (Cui et al., Figs. 2 to 5)",
        temporal.TemporalRecipe,
        temporal.run,
        smoke="9 minutes",
        paper="hours, not measured",
    ),
    "mine_check": Analysis(
        "how far does MINE read above the truth on the items it was fitted to?",
        mine_check.MineCheckRecipe,
        mine_check.run,
        smoke="1 minute",
        paper="not measured",
    ),
}


def recipe_path(name: str, scale: Scale) -> Path:
    """Where the recipe of an analysis lies."""
    return RECIPES / f"{name}.{scale}.yaml"
