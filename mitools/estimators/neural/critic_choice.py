"""Which critic is read on *report*: chosen on *select* alone."""

from typing import NamedTuple

import numpy as np
from torch import nn

from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.neural.training_loop import Fitted
from mitools.estimators.warnings import LEARNT_FROM

CORRECTS_FROM = 1.0
"""Standard errors of their difference by which a corrected base must beat the base on *select*."""


class Chosen(NamedTuple):
    """A critic to read, and what it is: ``network``, ``base``, ``corrected base`` or ``blind``."""

    name: str
    critic: nn.Module


BLIND = Chosen("blind", BlindCritic())


def choose(start: nn.Module, fitted: Fitted, with_base: bool) -> Chosen:
    """Choose between the fitted critic, its base alone and a blind one.

    The fitted critic is the best of many looks; that it must win by a margin is the price of having been
    looked for. A network alone must beat a blind critic by `LEARNT_FROM` standard errors. One that corrects
    a base must beat the base by `CORRECTS_FROM`; a base has been looked at once, and need only be above 0.

    Parameters
    ----------
    start
        The critic before its first step: the base, where there is one.
    fitted
        What became of it, and what *select* read of both.
    with_base
        Whether there is a base.
    """
    before, after = fitted.start, fitted.best
    if not with_base:
        learnt = after.nats > LEARNT_FROM * after.stderr
        return Chosen("network", fitted.critic) if learnt else BLIND
    # Both were read on the same pairs, so that what they share drops out of the difference.
    noise = float(np.linalg.norm(after.influence - before.influence)) / len(after.influence)
    if after.nats > max(0.0, before.nats + CORRECTS_FROM * noise):
        return Chosen("corrected base", fitted.critic)
    return Chosen("base", start) if before.nats > 0 else BLIND
