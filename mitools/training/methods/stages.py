"""What is minimised when: the stages of a run."""

from typing import NamedTuple

from mitools.training.losses.ctc import TemporalContrast
from mitools.training.methods.base import Objective
from mitools.training.methods.registry import OBJECTIVES
from mitools.training.recipes import CTCRecipe, OptimiserRecipe, TrainingRecipe


class Stage(NamedTuple):
    """Epochs under one objective and one schedule.

    Attributes
    ----------
    number
        From 1.
    begins, ends
        Epochs that are done when it begins, and when it ends.
    objective
        What is minimised.
    optimiser
        Its schedule starts with the stage; the optimiser's state is carried over.
    """

    number: int
    begins: int
    ends: int
    objective: Objective
    optimiser: OptimiserRecipe


def stages_of(recipe: TrainingRecipe, label_entropy_nats: float) -> tuple[Stage, ...]:
    """Lay out a run: one stage, or the two of contrastive temporal coding.

    Parameters
    ----------
    recipe
        Names the objective.
    label_entropy_nats
        H(Y) over the training data.
    """
    named, optimiser = OBJECTIVES[recipe.objective], recipe.optimiser
    if named.make is not None:
        objective = named.make(recipe.temperature or named.temperature, label_entropy_nats)
        return (Stage(1, 0, recipe.epochs, objective, optimiser),)
    ctc = recipe.ctc or CTCRecipe()
    aggregate = TemporalContrast(label_entropy_nats, ctc.alpha, ctc.alpha_temperature)
    revitalise = TemporalContrast(label_entropy_nats, ctc.beta, ctc.beta_temperature)
    rate = ctc.beta_rate or optimiser.learning_rate / 10
    second = optimiser.model_copy(update={"learning_rate": rate, "warmup_epochs": 0.0, "least_rate": 0.0})
    return (
        Stage(1, 0, recipe.border, aggregate, optimiser),
        Stage(2, recipe.border, recipe.epochs, revitalise, second),
    )


def stage_at(stages: tuple[Stage, ...], epoch: int) -> Stage:
    """Find the stage that an epoch belongs to, counted from 0."""
    return next(stage for stage in stages if epoch < stage.ends)
