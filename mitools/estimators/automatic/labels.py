"""The choice for numbers beside labels: neighbours, or the certified bound of a classifier."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.estimators.automatic.choice import (
    FEWEST_ROWS_TO_HOLD_OUT,
    Choice,
    Readings,
    clearly_exceeds,
)
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.inputs.splits import SMALLEST_CLASS

COLUMNS_OF_CERTAIN_NEIGHBOURS = 2
"""Columns of numbers up to which near neighbours of a label need no other reading beside them."""

SETTLED_SHARE_OF_LABELS = 0.9
"""Share of H(C) from which a reading leaves too little of the labels open for other classifiers to matter."""


def choose_for_labels(rows: NDArray[Any], labels: NDArray[Any], readings: Readings) -> Choice:
    """Read neighbours and classifiers as far as they are needed, and choose between them.

    Parameters
    ----------
    rows
        Shape (n, d).
    labels
        Shape (n,), numbers 0..C-1.
    readings
        Fits and keeps what is read.

    Raises
    ------
    InputError
        When labels have one row each.
    """
    sizes = np.bincount(labels)
    near = None
    if sizes.min() > 1:
        near = readings.fit(MixedKSG(seed=readings.seed), rows, labels)
        few = len(rows) < FEWEST_ROWS_TO_HOLD_OUT
        far = near.estimate_.has_warning("small_sample")
        if few or (not far and rows.shape[1] <= COLUMNS_OF_CERTAIN_NEIGHBOURS):
            return Choice(near, "one side is discrete, and in the other neighbours are near")
    if len(sizes) > 1 and sizes.min() >= SMALLEST_CLASS:
        linear = readings.fit_on_parts(LabelInformation(seed=readings.seed), rows, labels)
        reached = max(each.estimate_.nats for each in (linear, near) if each is not None)
        family = None
        if reached < SETTLED_SHARE_OF_LABELS * entropy(sizes / len(labels)):
            family = LabelInformation("auto", seed=readings.seed)
            readings.fit_on_parts(family, rows, labels, "label_information:auto")
        return better_of_labels(near, linear, family)
    if near is None:
        raise InputError(
            f"{np.count_nonzero(sizes < 2)} of {len(sizes)} labels have one row; leave them out, or give"
            " the numbers as floats if they are no labels"
        )
    return Choice(near, "one side is discrete, and too few rows of a label are there to hold any out")


def better_of_labels(near: MIEstimator | None, linear: MIEstimator, family: MIEstimator | None) -> Choice:
    """Choose between neighbours and the bounds of two classifiers.

    Parameters
    ----------
    near
        ``mixed_ksg``, fitted; None where a label has one row.
    linear
        ``label_information`` of the linear classifier, fitted.
    family
        The same of the family that *select* prefers, fitted; None where the linear one, or neighbours, leave
        nothing open.
    """
    bound, because = linear, "one side is discrete, and in the other neighbours are far"
    if family is not None and clearly_exceeds(family.estimate_, linear.estimate_):
        bound = family
        name = family.estimate_.settings["classifier"]
        because = (
            f"one side is discrete, and {name} certify {family.estimate_.bits:.3g} bits of the labels where a"
            f" linear classifier certifies {linear.estimate_.bits:.3g}"
        )
    if near is None:
        return Choice(bound, because)
    if not near.estimate_.has_warning("small_sample"):
        if clearly_exceeds(bound.estimate_, near.estimate_):
            return Choice(bound, f"{because}; neighbours read {near.estimate_.bits:.3g}, which is less")
        return Choice(near, "one side is discrete, and in the other neighbours are near")
    if clearly_exceeds(near.estimate_, bound.estimate_):
        return Choice(near, "one side is discrete, and neighbours, though far, exceed every certified bound")
    return Choice(bound, because)
