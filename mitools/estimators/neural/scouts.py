"""Networks of a first fold tell whether those of the others are worth their time: most often they are not."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from mitools.estimators.neural.plan import Plan
from mitools.estimators.neural.training_loop import FittedCritic, Member

STDERRS_OF_A_GAIN = 2.0
"""Standard errors of the scouts' gain on *select* from which the other folds are trained as well. On normal,
Student and spiral pairs of 10,000 rows the gain of a fold was 0 to 1.6 of them where the base was as good as
the networks of all folds, and 10 to 20 where these added 0.1 nats or more."""

FitMembers = Callable[[Sequence[Member]], list[FittedCritic]]


class Scouted(NamedTuple):
    """What was fitted, and whether that was worth its time.

    Attributes
    ----------
    fitted
        One of every member of the plan, in order; those that were not trained as they started.
    adds
        Whether a network clearly added to its base.
    """

    fitted: list[FittedCritic]
    adds: bool


def fit_with_scouts(plan: Plan, scouts: int, fit: FitMembers) -> Scouted:
    """Train the critics of a few folds and, if that adds to their bases on *select*, all others.

    Other folds train either what corrects the base or its rival: the one that reads more on the scouts'
    *select*.

    Parameters
    ----------
    plan
        Whose critics start at a base.
    scouts
        The first so many folds; 0 trains no network at all.
    fit
        Trains members.
    """
    folds, starts = len(plan.folds), len(plan.starts)
    has_rivals = len(plan.members) > starts
    trained: dict[int, FittedCritic] = {}

    def train(places: Sequence[int]) -> list[FittedCritic]:
        trained.update(zip(places, fit([plan.members[k] for k in places]), strict=True))
        return [trained[k] for k in places]

    first, rest = range(min(scouts, folds)), range(scouts, folds)
    adds = False
    if first:
        own = train(first)
        adds = _adds(own)
        if adds:
            # The null is read as the folds are: by networks only where they are.
            others = train([*(starts + k for k in first if has_rivals), *range(folds, starts)])
            rivals = others[: len(first)] if has_rivals else []
            offset = starts if rivals and _mean_best(rivals) > _mean_best(own) else 0
            train([offset + k for k in rest])
    fitted = [trained[k] if k in trained else _untrained(member) for k, member in enumerate(plan.members)]
    return Scouted(fitted, adds)


def _adds(fitted: Sequence[FittedCritic]) -> bool:
    gains = [one.best.nats - one.start.nats for one in fitted]
    # Both were read on the same pairs, so that what they share drops out of the difference.
    noise = [
        np.linalg.norm(one.best.influence - one.start.influence) / len(one.best.influence) for one in fitted
    ]
    return bool(np.sum(gains) > STDERRS_OF_A_GAIN * np.linalg.norm(noise))


def _mean_best(fitted: Sequence[FittedCritic]) -> float:
    return float(np.mean([one.best.nats for one in fitted]))


def _untrained(member: Member) -> FittedCritic:
    reading = member.read_select(member.start)
    return FittedCritic(member.start, reading, reading, steps=0, still_rising=False)
