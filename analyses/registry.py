"""Every analysis by its name: what it answers, what it is made from, and how long it takes.

A table of facts: the analysis itself is imported when its recipe is read or it is run.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from mitools.analyses.shared.finding import Finding
    from mitools.core.recipes import Recipe

Scale = Literal["smoke", "paper"]

RECIPES = Path(__file__).parent / "recipes"
"""Folder of the recipes that come along."""


@dataclass(frozen=True)
class Analysis:
    """How an analysis is run.

    Attributes
    ----------
    what
        One line for people.
    module
        Under ``mitools.analyses``; has a function ``run``.
    recipe_name
        The class in it that says what the analysis' recipes hold.
    smoke, paper
        About how long it takes: on two idle cores (from the measured processor time, one core busy), and on
        one large GPU.
    """

    what: str
    module: str
    recipe_name: str
    smoke: str
    paper: str

    @property
    def smoke_seconds(self) -> float | None:
        """The seconds of the smoke scale on two idle cores; None where it takes no minutes."""
        found = re.match(r"(\d+) minutes?", self.smoke)
        return None if found is None else 60.0 * int(found[1])

    @property
    def recipe(self) -> "type[Recipe]":
        """What its recipes hold."""
        recipe: type[Recipe] = getattr(self._imported(), self.recipe_name)
        return recipe

    @property
    def run(self) -> "Callable[..., Finding | None]":
        """What runs it: called with a recipe, the folder for everything, ``advance`` and ``runtime``."""
        run: Callable[..., Finding | None] = self._imported().run
        return run

    def _imported(self) -> Any:
        return import_module(f"mitools.analyses.{self.module}")


ANALYSES: dict[str, Analysis] = {
    "batch_size": Analysis(
        "does a small batch limit what an encoder learns? (Lee et al., Fig. 4)",
        "lee2023.batch_size",
        "BatchSizeRecipe",
        smoke="8 minutes",
        paper="hours, not measured",
    ),
    "task_dependence": Analysis(
        "what does an encoder keep of tasks it was not trained for? (Lee et al., Figs. 6, 7)",
        "lee2023.task_dependence",
        "TaskDependenceRecipe",
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "augmentation_sweep": Analysis(
        "is one strength of augmentation best for every task? (Lee et al., Fig. 5)",
        "lee2023.augmentation_sweep",
        "AugmentationSweepRecipe",
        smoke="7 minutes",
        paper="hours, not measured",
    ),
    "objectives": Analysis(
        "is the information of the task all that an objective needs? (Lee et al., Table III)",
        "lee2023.objectives",
        "ObjectivesRecipe",
        smoke="3 minutes",
        paper="hours, not measured",
    ),
    "negatives": Analysis(
        "where may negatives come from? (Lee et al., Table X)",
        "lee2023.negatives",
        "NegativesRecipe",
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "representation_quality": Analysis(
        "which measure goes with linear accuracy? (Lee et al., Tables I, II, IV to IX)",
        "lee2023.representation_quality",
        "RepresentationQualityRecipe",
        smoke="10 minutes",
        paper="hours, not measured",
    ),
    "information_plane_toy": Analysis(
        "does a network compress its input? exact binned planes, tanh and ReLU (Saxe et al. 2018)",
        "information_plane.toy",
        "InformationPlaneToyRecipe",
        smoke="1 minute",
        paper="not measured",
    ),
    "temporal": Analysis(
        "does training compress too much, and does CTC mend it? (Cui et al., Figs. 2 to 5, 12)",
        "cui2022.over_compression",
        "TemporalRecipe",
        smoke="8 minutes",
        paper="days, not measured",
    ),
    "stage_weights": Analysis(
        "does more weight on CTC's stages mend more, at what cost? (Cui et al., Figs. 6, 7)",
        "cui2022.stage_weights.stage_weights",
        "StageWeightsRecipe",
        smoke="9 minutes",
        paper="days, not measured",
    ),
    "augmented": Analysis(
        "does AutoAugment lessen over-compression, and CTC add to it? (Cui et al., Fig. 8, Tables 3, 4)",
        "cui2022.augmented.augmented",
        "AugmentedRecipe",
        smoke="19 minutes on one core",
        paper="days, not measured",
    ),
    "networks_and_targets": Analysis(
        "does transfer fall for other networks and targets, and CTC mend it? (Cui et al., Figs. 9 to 11)",
        "cui2022.networks.networks_and_targets",
        "NetworksAndTargetsRecipe",
        smoke="11 minutes",
        paper="days, not measured",
    ),
    "what_many_views_share": Analysis(
        "what does each encoder keep of attributes that all, some or no views share? (Tian et al., Fig. 3)",
        "tian2020_cmc.what_many_views_share",
        "WhatManyViewsShareRecipe",
        smoke="6 minutes",
        paper="hours, not measured",
    ),
    "colour_spaces": Analysis(
        "does MI between the views of a colour space go with accuracy? (Tian et al., Fig. 5 left)",
        "tian2020_cmc.colour_spaces",
        "ColourSpacesRecipe",
        smoke="10 minutes",
        paper="days, not measured",
    ),
    "patch_distance": Analysis(
        "is there a best distance of two patches, and a best MI? (Tian et al., Fig. 5 right)",
        "tian2020_cmc.patch_distance",
        "PatchDistanceRecipe",
        smoke="7 minutes",
        paper="days, not measured",
    ),
    "number_of_views": Analysis(
        "does the encoder of a view get better with more further views? (Tian et al., Fig. 4, Table 3)",
        "tian2020_cmc.view_encoders.number_of_views",
        "NumberOfViewsRecipe",
        smoke="6 minutes",
        paper="days, not measured",
    ),
    "every_view": Analysis(
        "do the encoders of all views get better, by prediction and by contrast? (Tian et al., Table 4)",
        "tian2020_cmc.view_encoders.every_view",
        "EveryViewRecipe",
        smoke="4 minutes",
        paper="days, not measured",
    ),
    "predictive_or_contrastive": Analysis(
        "is contrast better than prediction, on other data? (Tian et al., Table 5)",
        "tian2020_cmc.view_encoders.predictive_or_contrastive",
        "PredictiveOrContrastiveRecipe",
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "number_of_negatives": Analysis(
        "do more negatives make better encoders, and what does the loss show? (Tian et al., Fig. 6)",
        "tian2020_cmc.view_encoders.number_of_negatives",
        "NumberOfNegativesRecipe",
        smoke="2 minutes",
        paper="days, not measured",
    ),
    "compatible_methods": Analysis(
        "do a momentum encoder, nine crops and RandAugment add to contrast of views? (Tian et al., Table 9)",
        "tian2020_cmc.view_encoders.compatible_methods",
        "CompatibleMethodsRecipe",
        smoke="7 minutes",
        paper="days, not measured",
    ),
    "layers": Analysis(
        "which layer classifies best, by contrast, prediction and labels? (Tian et al., Tables 7, 8)",
        "tian2020_cmc.view_encoders.layers",
        "LayersRecipe",
        smoke="4 minutes",
        paper="days, not measured",
    ),
    "clips": Analysis(
        "do neighbouring frames, flow or both teach to recognise clips? (Tian et al., Table 2)",
        "tian2020_cmc.video.clips",
        "ClipsRecipe",
        smoke="4 minutes",
        paper="days, not measured",
    ),
    "learned_views": Analysis(
        "are learned views worth more than raw ones, and is it that they share less? (InfoMin, Fig. 7)",
        "tian2020_infomin.learned_views.learned_views",
        "LearnedViewsRecipe",
        smoke="5 minutes",
        paper="days, not measured",
    ),
    "three_regimes": Analysis(
        "what do encoders keep of views that share too little, just the task, or more? (Tian et al., 3.2)",
        "tian2020_infomin.three_regimes.three_regimes",
        "ThreeRegimesRecipe",
        smoke="7 minutes",
        paper="hours, not measured",
    ),
    "shared_factors": Analysis(
        "which factor that views share is learnt, and does one overwhelm another? (Tian et al., Table 4)",
        "tian2020_infomin.shared_factors.shared_factors",
        "SharedFactorsRecipe",
        smoke="4 minutes",
        paper="hours, not measured",
    ),
    "frequency": Analysis(
        "is there a best width of low and high frequencies? (Tian et al., InfoMin, Fig. 9)",
        "tian2020_infomin.frequency",
        "FrequencyRecipe",
        smoke="5 minutes",
        paper="days, not measured",
    ),
    "augmentation_strength": Analysis(
        "does accuracy peak as augmentations grow stronger? (Tian et al., InfoMin, Figs. 5, 12 to 14)",
        "tian2020_infomin.augmentation_strength",
        "AugmentationStrengthRecipe",
        smoke="6 minutes",
        paper="weeks, not measured",
    ),
    "colour_views": Analysis(
        "does accuracy go with what a colour space's channels share? (Tian et al., InfoMin, Sec. 3.3)",
        "tian2020_infomin.colour_views",
        "ColourViewsRecipe",
        smoke="4 minutes",
        paper="days, not measured",
    ),
    "soft_variables": Analysis(
        "are a run's soft variables what the theorem says? (Niu et al., Theorem 1, Sec. V-C)",
        "niu2025.soft_variables",
        "SoftVariablesRecipe",
        smoke="5 minutes",
        paper="not measured",
    ),
    "redundancy": Analysis(
        "are columns without correlation independent? (Niu et al., Sec. III-E)",
        "niu2025.redundancy",
        "RedundancyRecipe",
        smoke="7 minutes",
        paper="not measured",
    ),
    "ablations": Analysis(
        "which parts of IMSVD matter? (Niu et al., Tables V to IX)",
        "niu2025.ablations.ablations",
        "AblationsRecipe",
        smoke="8 minutes",
        paper="weeks, not measured",
    ),
    "grouped_rows": Analysis(
        "how often do intervals hold the truth where rows come in groups, named and not named?",
        "checks.grouped_rows",
        "GroupedRowsRecipe",
        smoke="4 minutes",
        paper="20 minutes",
    ),
    "mine_check": Analysis(
        "how far does MINE read above the truth on the items it was fitted to?",
        "checks.mine_check",
        "MineCheckRecipe",
        smoke="1 minute",
        paper="not measured",
    ),
    "coverage": Analysis(
        "how often do intervals hold the truth? every method, on pairs of known information",
        "checks.coverage",
        "CoverageRecipe",
        smoke="1 minute",
        paper="a day, not measured",
    ),
    "strong_dependence": Analysis(
        "what is read of 5 to 10 nats in 1 to 20 columns, and does it say where that cannot be told?",
        "checks.strong_dependence",
        "StrongDependenceRecipe",
        smoke="1 minute",
        paper="an hour, not measured",
    ),
    "regime_claims": Analysis(
        "how often are claims of missing information and of excess right, where bits are known?",
        "checks.regime_claims",
        "RegimeClaimsRecipe",
        smoke="9 minutes",
        paper="hours, not measured",
    ),
    "detection": Analysis(
        "does a detector gain from a (self-)supervised start? (Tian et al., Tables 2, 3; Cui et al., 5)",
        "detection.transfer",
        "DetectionRecipe",
        smoke="5 minutes",
        paper="weeks, not measured",
    ),
}
"""In the order of the papers."""


def recipe_path(name: str, scale: Scale) -> Path:
    """Where the recipe of an analysis lies."""
    return RECIPES / f"{name}.{scale}.yaml"
