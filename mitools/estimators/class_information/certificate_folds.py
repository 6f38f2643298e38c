"""Folds of a certificate: a split, the classifier fitted on it, and what that says of the reported items."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts

CROSS_FIT_BELOW_ITEMS = 100_000
"""Items below which a certificate is cross-fitted, unless told otherwise. Its standard error is then that of
all items and not of a fifth of them. From here on a fifth is 20,000 items, and one fit takes minutes."""


class CertificateFold(NamedTuple):
    """What one classifier was fitted on, and what it reads.

    Attributes
    ----------
    parts
        The split; *report* is the fold.
    posterior
        Fitted on *train*, calibrated on *select*.
    report, train
        The readings of *report*, and of as many training items, by method.
    right
        Reported items that the classifier decides rightly.
    """

    parts: Parts
    posterior: CalibratedPosterior
    report: dict[str, Reading]
    train: dict[str, Reading]
    right: int


def certificate_splits(
    labels: NDArray[np.int64], seed: int, groups: Groups | None = None, folds: int | None = None
) -> list[Parts]:
    """Split items as a certificate does: every item reported once where that is worth its time.

    Parameters
    ----------
    labels
        Shape (n,), 0..C-1.
    seed
        Of the shuffle.
    groups
        Shape (n,), counted from 0: items that stay together; None where every item stands alone.
    folds
        So many; None: 5 below :data:`CROSS_FIT_BELOW_ITEMS` items where 10 of every class are there, else 1.
    """
    n = len(labels)
    if folds is None:
        folds = chosen_folds(n, labels, groups, CROSS_FIT_BELOW_ITEMS)
    return cross_fit_parts(n, labels, folds, seed, groups)
