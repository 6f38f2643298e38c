"""Which critic is read on *report*: chosen on *select* alone."""

from typing import NamedTuple

import numpy as np
from torch import nn

from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.neural.training_loop import FittedCritic
from mitools.estimators.warnings import STDERRS_ABOVE_BLIND

STDERRS_ABOVE_BASE = 1.0
"""Standard errors of their difference by which a corrected base must beat the base on *select*."""


class CriticStart(NamedTuple):
    """A critic before its first step.

    Attributes
    ----------
    critic
        What is trained.
    base
        The closed form that it starts at, by name: on *select* it competes with what becomes of it. None
        where it starts at random, and knows nothing.
    rival
        A critic that is trained beside it, and takes its place where it reads more on *select*.
    """

    critic: nn.Module
    base: str | None = None
    rival: nn.Module | None = None


class ChosenCritic(NamedTuple):
    """A critic to read, and what it is.

    Attributes
    ----------
    name
        ``network``, ``base``, ``corrected base`` or ``blind``.
    critic
        What is read.
    fitted
        How its training went: that of the rival, where the rival took the place of what it competed with.
    """

    name: str
    critic: nn.Module
    fitted: FittedCritic


def choose(start: CriticStart, fitted: FittedCritic, rival: FittedCritic | None = None) -> ChosenCritic:
    """Choose between the fitted critic, its base alone and a blind one.

    The fitted critic is the best of many readings of *select*; that it must win by a margin is the price of
    that choice. A network alone must beat a blind critic by `STDERRS_ABOVE_BLIND` standard errors. One that
    corrects a base must beat the base by `STDERRS_ABOVE_BASE`; a base was read once, and need only be above
    0.

    Parameters
    ----------
    start
        The critic before its first step, and whether it is a base.
    fitted
        What became of it, and what *select* read of both.
    rival
        What became of the start's rival: where it reads more on *select*, it is what must beat the base.
    """
    name = "network" if start.base is None else "corrected base"
    if rival is not None and rival.best.nats > fitted.best.nats:
        name, fitted = "network", rival._replace(start=fitted.start)
    before, after = fitted.start, fitted.best
    blind = ChosenCritic("blind", BlindCritic(), fitted)
    if start.base is None:
        learnt = after.nats > STDERRS_ABOVE_BLIND * after.stderr
        return ChosenCritic(name, fitted.critic, fitted) if learnt else blind
    # Both were read on the same pairs, so that what they share drops out of the difference.
    noise = float(np.linalg.norm(after.influence - before.influence)) / len(after.influence)
    if after.nats > max(0.0, before.nats + STDERRS_ABOVE_BASE * noise):
        return ChosenCritic(name, fitted.critic, fitted)
    return ChosenCritic("base", start.critic, fitted) if before.nats > 0 else blind
