"""The choice for two sides of numbers: which readings are asked for, and which of them is shown."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.automatic.choice import (
    FEWEST_ROWS_TO_HOLD_OUT,
    AnyEstimator,
    Choice,
    Readings,
    clearly_exceeds,
    error_of,
)
from mitools.estimators.automatic.disagreement import agree, with_range
from mitools.estimators.automatic.half_rows import rise_of_critic, rise_of_neighbours, with_rise
from mitools.estimators.automatic.subsets import NeighboursOfColumns, telling_subset
from mitools.estimators.base import MIEstimator
from mitools.estimators.classical.components.canonical import ComponentEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.residuals import ResidualEstimator
from mitools.estimators.inputs.rank_normal import values_recur
from mitools.estimators.neural.adaptive import AdaptiveEstimator

NEIGHBOURS_SUFFICE_UP_TO = 4
"""Columns of x and y together up to which neighbours that are near are enough."""

NEIGHBOURS_TRIED_UP_TO = 10
"""Columns together up to which neighbours are tried at all: beyond, they are never near."""

STRONG_NATS = 1.5
"""Nats from which rows may lie on a ridge too thin for neighbours, so that regressions are asked as well."""

NATS_BEYOND_NETWORKS = 3.0
"""Nats from which no network is trained if the residuals of a regression and another reading agree: what it
certifies from ten thousand rows falls behind there, by 0.2 of 4 nats and more."""

SCOUTS = 1
"""Folds whose networks say whether those of the others are trained."""

STDERRS_AGAINST_NORMAL = 3.0
"""Standard errors that a difference must have to count against a normal dependence."""


def choose_for_numbers(x: NDArray[Any], y: NDArray[Any], readings: Readings) -> Choice:
    """Ask what suits so many columns and rows, choose a reading, and hold it against the others.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y).
    readings
        Fits and keeps what is read.

    Raises
    ------
    InputError
        As the estimators raise it.
    """
    n, columns = len(x), x.shape[1] + y.shape[1]
    near = None
    if columns <= NEIGHBOURS_TRIED_UP_TO or n < FEWEST_ROWS_TO_HOLD_OUT:
        near = readings.fit(KSG(seed=readings.seed), x, y)
        if n < FEWEST_ROWS_TO_HOLD_OUT:
            return Choice(near, f"{n} rows are too few to hold any out")
        if near.estimate_.has_warning("small_sample"):
            near = None
    normal, points = _closed_forms(x, y, near, readings)
    if near is not None and columns <= NEIGHBOURS_SUFFICE_UP_TO:
        choice = better_of_few_columns(near, points)
    elif (settled := _settled_without_network(points)) is not None:
        choice = Choice(
            settled, "the dependence is strong, and two methods that train no network agree on it"
        )
    else:
        certified = AdaptiveEstimator(
            scouts=SCOUTS, max_steps=readings.max_steps, device=readings.device, seed=readings.seed
        )
        readings.fit_on_parts(certified, x, y)
        points += [] if near is None else [near]
        choice = better_of_many_columns(certified, normal, points, x.shape[1] * y.shape[1])
    return _held_against_others(choice, x, y, readings)


def _closed_forms(
    x: NDArray[Any], y: NDArray[Any], near: MIEstimator | None, readings: Readings
) -> tuple[MIEstimator | None, list[MIEstimator]]:
    """Read what needs no network: the normal reading, and the others, all of which err on the low side."""
    seed = readings.seed
    points: list[MIEstimator] = []
    subset = telling_subset(x, y, readings.groups, seed)
    if subset is not None:
        points.append(readings.fit(NeighboursOfColumns(*subset, seed), x, y, "ksg:columns"))
    normal = _unless_refused(GaussianCopulaEstimator(seed=seed), x, y, readings)
    components = _unless_refused(ComponentEstimator(seed=seed), x, y, readings)
    points += [] if components is None else [components]
    if normal is not None and any(side.shape[1] == 1 and not values_recur(side) for side in (x, y)):
        # h(y) is exact for the normal scores of one column without ties, and no density of that variance has
        # a larger h(y|x) than the normal one: as n grows, the reading is a lower bound.
        points.append(normal)
    read = [*points, *(one for one in (near, normal) if one is not None)]
    if max((one.estimate_.nats for one in read), default=0.0) < STRONG_NATS:
        return normal, points
    regressed = _unless_refused(ResidualEstimator(seed=seed), x, y, readings)
    points += [] if regressed is None else [regressed]
    columns = x.shape[1] + y.shape[1]
    if columns <= NEIGHBOURS_SUFFICE_UP_TO and readings.groups is None:
        thin = KSG(k=2 * columns + 5, margins="scaled", correct_nonuniformity=True, seed=seed)
        corrected = _unless_refused(thin, x, y, readings, "ksg:nonuniformity")
        points += [] if corrected is None else [corrected]
    return normal, points


def _settled_without_network(points: Sequence[MIEstimator]) -> MIEstimator | None:
    """Give the greatest of the readings, where it is beyond what a network certifies, and confirmed."""
    greatest = max(points, key=lambda one: one.estimate_.nats, default=None)
    if greatest is None or greatest.estimate_.nats < NATS_BEYOND_NETWORKS:
        return None
    others = [one for one in points if one is not greatest and agree(one.estimate_, greatest.estimate_)]
    by_regression = any(isinstance(one, ResidualEstimator) for one in (greatest, *others))
    return greatest if others and by_regression else None


def _unless_refused(
    estimator: AnyEstimator, x: NDArray[Any], y: NDArray[Any], readings: Readings, name: str | None = None
) -> AnyEstimator | None:
    """Fit an estimator; None where the pairs are not of its kind: copies, ties, too many columns."""
    with suppress(InputError):
        return readings.fit(estimator, x, y, name)
    return None


def better_of_few_columns(near: MIEstimator, others: Sequence[MIEstimator]) -> Choice:
    """Take near neighbours, unless another reading that errs on the low side clearly exceeds them.

    Parameters
    ----------
    near
        ``ksg`` of all columns, fitted.
    others
        What else was read, fitted.
    """
    greatest = max(others, key=lambda one: one.estimate_.nats, default=near)
    if greatest is near or not clearly_exceeds(greatest.estimate_, near.estimate_):
        return Choice(near, "x and y have few columns, and neighbours are near")
    of_all = near.estimate_.bits
    if isinstance(greatest, NeighboursOfColumns):
        return Choice(greatest, f"some of the columns share more than the {of_all:.3g} bits read of all")
    return Choice(
        greatest, f"it exceeds the {of_all:.3g} bits that neighbours read, and both err on the low side"
    )


def better_of_many_columns(
    certified: AdaptiveEstimator, normal: MIEstimator | None, points: Sequence[MIEstimator], products: int
) -> Choice:
    """Choose between a certified bound, the normal reading and other point estimates.

    Parameters
    ----------
    certified
        Fitted.
    normal
        The fitted Gaussian copula, None where it cannot be fitted.
    points
        Other point estimates, fitted.
    products
        ``d_x d_y``: the correlations that the Gaussian copula has between the sides.
    """
    bound = certified.estimate_
    greatest = max(points, key=lambda point: point.estimate_.nats, default=None)
    if normal is not None and _normal_reads_all(normal.estimate_, certified, products):
        found = normal.estimate_ if greatest is None else greatest.estimate_
        if found.nats - STDERRS_AGAINST_NORMAL * error_of(found) <= normal.estimate_.nats:
            return Choice(
                normal, "the dependence is that of a Gaussian copula: on held-out pairs nothing adds to it"
            )
    if greatest is not None and greatest.estimate_.nats > bound.nats + error_of(greatest.estimate_):
        return Choice(greatest, "this point estimate exceeds the certified lower bound")
    return Choice(certified, "a certified lower bound that no point estimate exceeds")


def _normal_reads_all(normal: Estimate, certified: AdaptiveEstimator, products: int) -> bool:
    """Whether held-out pairs agree with the normal reading, and nothing was found to add to it."""
    bound = certified.estimate_
    chosen = certified.bases_.count("gaussian copula") > len(certified.bases_) / 2
    if not chosen or _network_adds(certified):
        return False
    # A held-out critic loses about 1/2n for every correlation that it had to learn, or less.
    loss, noise = products / (2 * bound.n_train), STDERRS_AGAINST_NORMAL * error_of(bound)
    return -noise <= normal.nats - bound.nats <= 2 * loss + noise


def _network_adds(certified: AdaptiveEstimator) -> bool:
    """Whether a network clearly added to the closed forms on *select*."""
    return certified.gain_nats_ > STDERRS_AGAINST_NORMAL * certified.gain_stderr_nats_


def _held_against_others(choice: Choice, x: NDArray[Any], y: NDArray[Any], readings: Readings) -> Choice:
    """Hold a choice against the other methods and against half the rows."""
    chosen = choice.estimator
    if isinstance(chosen, AdaptiveEstimator):
        return with_rise(choice, rise_of_critic(chosen, x, y, readings, retrain=_network_adds(chosen)))
    is_ksg_of_all = isinstance(chosen, KSG) and not chosen.correct_nonuniformity
    if not is_ksg_of_all and not isinstance(chosen, NeighboursOfColumns):
        found = chosen.estimate_
        choice = with_range(
            choice, {name: one for name, one in readings.considered.items() if one is not found}
        )
    if isinstance(chosen, GaussianCopulaEstimator):
        return choice
    return with_rise(choice, rise_of_neighbours(chosen, x, y, readings))
