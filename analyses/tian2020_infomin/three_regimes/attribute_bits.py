"""Bits that a representation carries of attributes, by a linear classifier and by nearest neighbours."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import KNeighborsClassifier

from mitools.analyses.shared.evaluation import interval_columns
from mitools.core.result_store import Values
from mitools.estimators.class_information.certificate import LabelInformation

LINEAR, NEIGHBOURS = "linear", "neighbours"

READERS = (LINEAR, NEIGHBOURS)
"""What the rows are read by: regularised logistic regression, and nearest neighbours."""


def attribute_bits(
    rows: NDArray[np.floating],
    labels: Mapping[str, NDArray[np.int64]],
    seed: int = 0,
    readers: Sequence[str] = READERS,
) -> dict[str, Values]:
    """Bound the information of each variable from below, by every reader.

    All readings are Barber-Agakov's bound, cross-fitted: every row is reported once, by a classifier that
    never saw it. Nearest neighbours see what no linear classifier can.

    Parameters
    ----------
    rows
        Shape (n, d).
    labels
        By the variable's name, shape (n,), 0..C-1; every class as likely as any other.
    seed
        Of the folds.
    readers
        Of :data:`READERS`.

    Returns
    -------
    dict
        By the variable's name the columns ``h_bits``, and ``linear_bits`` and ``neighbours_bits`` with
        ``_low`` and ``_high``.
    """
    neighbours = KNeighborsClassifier(max(5, round(math.sqrt(len(rows)))))
    found: dict[str, Values] = {}
    for name, own in labels.items():
        same = next((one for one in found if np.array_equal(labels[one], own)), None)
        if same is not None:  # a single nuisance is all nuisances
            found[name] = found[same]
            continue
        found[name] = {}
        for reader in readers:
            classifier = None if reader == LINEAR else neighbours
            estimate = LabelInformation(classifier, prior="uniform", seed=seed).estimate(rows, own)
            found[name] |= {"h_bits": estimate.entropy_bits, **interval_columns(reader, estimate)}
    return found
