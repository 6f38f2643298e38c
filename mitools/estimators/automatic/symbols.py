"""The choice for two discrete sides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.automatic.choice import Choice, Readings
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.nsb import NSBEstimator
from mitools.estimators.classical.predictive_coding import PredictiveCoding
from mitools.estimators.inputs.sides import Side

FEWEST_ROWS_OF_SYMBOLS = 10
"""Rows of symbols below which nothing is learnt from some about others."""


def choose_for_symbols(x: Side, y: Side, readings: Readings) -> Choice:
    """Count pairs where they recur; else take the reading with what was not seen, or the certified bound.

    Parameters
    ----------
    x, y
        Labels or symbols.
    readings
        Fits and keeps what is read.
    """
    seed = readings.seed
    counted = readings.fit(DiscreteEstimator(seed=seed), x.values, y.values)
    if not counted.estimate_.has_warning("small_sample") or len(x.values) < FEWEST_ROWS_OF_SYMBOLS:
        return Choice(counted, "x and y are both discrete, and their pairs recur often enough to count")
    # As they are: a symbol that is on both sides is recognised by its value.
    symbols = _whole_or_names(x), _whole_or_names(y)
    certified = readings.fit(PredictiveCoding(seed), *symbols)
    rare = "x and y are both discrete, and many of their pairs occur only once"
    if readings.groups is not None:
        return Choice(certified, rare)
    guessed = readings.fit(NSBEstimator(seed=seed), *symbols)
    found, bound = guessed.estimate_, certified.estimate_
    if found.interval_nats is None:
        because = "x and y are both discrete, and so few of their pairs recur that nothing else can be told"
        return Choice(certified, because, found.warnings)
    if bound.nats > found.interval_nats.high:
        return Choice(certified, "x and y are both discrete, and this lower bound exceeds the other readings")
    return Choice(guessed, rare)


def _whole_or_names(side: Side) -> NDArray[Any]:
    """Give the symbols as they are where they are names or whole numbers, else their places in order."""
    original = side.original
    whole = original.dtype.kind in "iubU" or bool((original == np.round(original)).all())
    return original if whole else side.values
