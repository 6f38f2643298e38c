"""Which critic is read: chosen on select alone, by its margin over what is simpler."""

import numpy as np
import pytest
from torch import nn

from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.neural.critic_choice import CriticStart, choose
from mitools.estimators.neural.training_loop import FittedCritic

START, FITTED = nn.Linear(1, 1), nn.Linear(1, 1)
NOISE = np.array([1.0, -1.0] * 50)  # a standard error of 0.1


def chosen(before: float, after: float, noise: float, of_difference: float, with_base: bool) -> str:
    shared = noise * NOISE
    differing = of_difference * np.tile([1.0, 1.0, -1.0, -1.0], 25)
    fitted = FittedCritic(FITTED, Reading(after, shared + differing), Reading(before, shared), 100, False)
    choice = choose(CriticStart(START, "a base" if with_base else None), fitted)
    assert choice.critic is {"base": START}.get(choice.name, FITTED) or isinstance(choice.critic, BlindCritic)
    return choice.name


@pytest.mark.parametrize(("after", "name"), [(0.19, "blind"), (0.21, "network"), (-1.0, "blind")])
def test_a_network_must_beat_a_blind_critic_by_two_standard_errors(after: float, name: str) -> None:
    assert chosen(0.5, after, 1.0, 0.0, with_base=False) == name


@pytest.mark.parametrize(
    ("before", "after", "of_difference", "name"),
    [
        (0.5, 0.59, 1.0, "base"),
        (0.5, 0.61, 1.0, "corrected base"),
        # What both readings share, however large, says nothing on their difference.
        (0.5, 0.52, 0.1, "corrected base"),
        (0.001, 0.001, 0.0, "base"),
        (-0.2, -0.05, 0.0, "blind"),
        (-0.2, 0.1, 1.0, "corrected base"),
        (-0.05, 0.04, 1.0, "blind"),
    ],
)
def test_a_correction_must_beat_its_base_by_one_standard_error_of_the_difference(
    before: float, after: float, of_difference: float, name: str
) -> None:
    assert chosen(before, after, 3.0, of_difference, with_base=True) == name
