"""A reading on half the rows held against that on all: how an estimator betrays a bias that falls with n."""

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.base import clone

from mitools.core.entropy import nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.estimators.automatic.choice import Choice, Readings, error_of
from mitools.estimators.automatic.subsets import some_rows
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.guard import is_carried
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.even_spacing import ranked_again
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.adaptive import AdaptiveEstimator
from mitools.estimators.neural.critic_choice import choose
from mitools.estimators.neural.plan import Plan
from mitools.estimators.warnings import BIAS_LEFT_PER_RISE, two_sided

STDERRS_OF_A_RISE = 2.0
"""Standard errors that a difference between half the rows and all must have to count as one."""

SMALLEST_RISE_NATS = 0.01
"""Nats below which a difference is not worth a word."""

TOO_STEEP_NATS = 0.45
"""Nats that doubling the rows may change before nothing can be told of where that ends: two thirds of what a
reading changes that grows like log n."""

FEWEST_ROWS_OF_HALF = 100
"""Rows of a half, at least."""


class Rise(NamedTuple):
    """What the reading of all rows has over that of half of them.

    Attributes
    ----------
    half, whole
        The readings, nats.
    stderr
        Standard error of their difference, nats.
    same_pairs
        Whether both were read on the same pairs, so that the error is known and not only limited.
    """

    half: float
    whole: float
    stderr: float
    same_pairs: bool = False

    @property
    def nats(self) -> float:
        """The difference; below 0 where the reading falls."""
        return self.whole - self.half

    @property
    def is_clear(self) -> bool:
        """Whether chance does not explain the difference."""
        return abs(self.nats) > max(STDERRS_OF_A_RISE * self.stderr, SMALLEST_RISE_NATS)

    @property
    def is_steep(self) -> bool:
        """Whether it is clear, and too large to say where it ends."""
        return self.is_clear and abs(self.nats) > TOO_STEEP_NATS


def rise_of_neighbours(
    fitted: MIEstimator, x: NDArray[Any], y: NDArray[Any], readings: Readings
) -> Rise | None:
    """Read each half of the rows by an estimator that trains no network, as :class:`.KSG`.

    Parameters
    ----------
    fitted
        To all rows.
    x, y
        Shapes (n, d_x) and (n, d_y).
    readings
        Says which rows depend on each other.

    Returns
    -------
    Rise or None
        None where there are too few rows. Its standard error is that of the reading of all rows, which is
        too much: the halves are of the same rows.
    """
    if len(x) < 2 * FEWEST_ROWS_OF_HALF:
        return None
    first = np.zeros(len(x), dtype=bool)
    first[some_rows(len(x), readings.groups, len(x) // 2, readings.seed)] = True
    halves = []
    for rows in (first, ~first):
        given = {} if readings.groups is None else {"groups": readings.groups[rows]}
        try:
            half = clone(fitted).fit(ranked_again(x, rows), ranked_again(y, rows), **given)
            halves.append(half.estimate_.nats)
        except InputError:  # too few groups, or values that recur
            return None
    found = fitted.estimate_
    return Rise(float(np.mean(halves)), found.nats, error_of(found))


def rise_of_critic(
    fitted: AdaptiveEstimator, x: NDArray[Any], y: NDArray[Any], readings: Readings, retrain: bool = True
) -> Rise | None:
    """Train the first fold's critic on half of its rows, and read it on the same pairs.

    Parameters
    ----------
    fitted, x, y, readings
        As for :func:`rise_of_neighbours`.
    retrain
        False where no network added to the closed forms: these alone are then fitted again.

    Returns
    -------
    Rise or None
        None where the fold trains on too few rows.
    """
    fold = fitted.folds_[0]
    parts = fold.parts
    if len(parts.train) < 2 * FEWEST_ROWS_OF_HALF:
        return None
    half = some_rows(len(parts.train), _counted(parts), len(parts.train) // 2, readings.seed)
    again = clone(fitted).set_params(folds=1, scouts=0)
    of_half = replace(parts, train=parts.train[half])
    if retrain:
        other = _read_trained(again, again.plan(x, y, parts=of_half))
    else:
        other = again.fit(x, y, parts=of_half).folds_[0].reading
    n = len(fold.reading.influence)
    stderr = float(np.linalg.norm(fold.reading.influence - other.influence) / n)
    return Rise(other.nats, fold.reading.nats, stderr, same_pairs=True)


def _read_trained(estimator: AdaptiveEstimator, plan: Plan) -> Reading:
    """Train the critic of the only fold and its rival, and none of the null, which nobody asks for."""
    fold, folds_and_nulls = plan.folds[0], len(plan.starts)
    members = [plan.members[0], *plan.members[folds_and_nulls : folds_and_nulls + 1]]
    critic = choose(plan.starts[0], *estimator.fit_members(members)).critic
    reading = fold.read(critic)
    if not is_carried([reading]):
        fold.method = fold.method.by_infonce()
        reading = fold.read(critic)
    return reading


def _counted(parts: Parts) -> NDArray[np.int64] | None:
    """Give the groups of the training rows, counted from 0."""
    groups = parts.groups_of(parts.train)
    return None if groups is None else np.unique(groups, return_inverse=True)[1].astype(np.int64)


def with_rise(choice: Choice, rise: Rise | None) -> Choice:
    """Add to a choice what half the rows say: the bias that may be left, and a warning where it is clear.

    Parameters
    ----------
    choice
        Of a fitted estimator.
    rise
        Of that estimator; None where it is not known.
    """
    if rise is None:
        return choice
    left = BIAS_LEFT_PER_RISE * rise.nats
    found = choice.estimator.estimate_
    low, high, _ = found.interval_nats or (found.nats, found.nats, None)
    # What is left is known no better than the rise.
    reach = two_sided(0.0, BIAS_LEFT_PER_RISE * rise.stderr).high if rise.same_pairs else 0.0
    up_to = found.nats + left + float(np.hypot(high - found.nats, reach))
    down_to = found.nats + left - float(np.hypot(found.nats - low, reach))
    return choice._replace(
        warnings=choice.warnings + _warning(rise),
        up_to=_greatest(choice.up_to, up_to if left > 0 else None),
        down_to=_least(choice.down_to, down_to if left < 0 else None),
        without_interval=choice.without_interval or rise.is_steep,
    )


def _warning(rise: Rise) -> tuple[EstimateWarning, ...]:
    if not rise.is_clear:
        return ()
    verb, side = ("rises", "higher") if rise.nats > 0 else ("falls", "lower")
    half, whole = nats_to_bits(rise.half), nats_to_bits(rise.whole)
    sentence = f"on half the rows it reads {half:.3g} bits and on all {whole:.3g}: it {verb} with n, and "
    may = f"how far the truth is {side} cannot be told" if rise.is_steep else f"the truth may be {side}"
    remedy = "give more rows, or fewer columns" if rise.nats > 0 else "give more rows, and look for copies"
    return (EstimateWarning("rises_with_n", sentence + may, remedy),)


def _greatest(*values: float | None) -> float | None:
    return max((value for value in values if value is not None), default=None)


def _least(*values: float | None) -> float | None:
    return min((value for value in values if value is not None), default=None)
