"""The choice for rows in the order of time."""

from mitools.core.errors import InputError
from mitools.estimators.automatic.choice import Choice, Readings
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.inputs.sides import Side


def choose_for_series(x: Side, y: Side, readings: Readings, block: int) -> Choice:
    """Read neighbours, or count symbols, beside a null of shifts in time.

    Parameters
    ----------
    x, y
        Both of numbers, or both of labels or symbols.
    readings
        Fits and keeps what is read.
    block
        After how many rows they hardly depend on each other any more.

    Raises
    ------
    InputError
        When one side is of numbers and the other is not, or as the estimators raise it.
    """
    if x.is_discrete != y.is_discrete:
        raise InputError(
            "labels beside numbers have no null of shifts; name the stretches of the series by groups"
        )
    estimator = DiscreteEstimator(seed=readings.seed) if x.is_discrete else KSG(seed=readings.seed)
    estimator.fit(x.values, y.values, readings.groups, block)
    readings.considered[estimator.estimate_.method] = estimator.estimate_
    return Choice(estimator, f"the rows are series, read beside shifts by {block} rows or more")
