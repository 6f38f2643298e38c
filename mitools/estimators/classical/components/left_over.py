"""Dependence beyond the matching components: of the two sides, and of components of one side."""

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.normality import CLEAR_LEVEL, left_dependence, rows_to_test
from mitools.estimators.inputs.rank_normal import normal_scores

DEPENDENT_FROM_DEVIATIONS = 4.0
"""Standard deviations that independent components do not reach: one pair in ten thousand. Of a correlation of
sizes or of a size with a value, and of the counts of a table of ranks."""

RANK_CLASSES = 8
"""Classes of ranks of either component in that table."""


def dependence_left(
    x: Doubles, y: Doubles, u: Doubles, v: Doubles, groups: Groups | None
) -> tuple[EstimateWarning, ...]:
    """Say whether x and y depend on each other beyond the matching components."""
    tested = rows_to_test(np.hstack([u, _beyond(x, u)]), np.hstack([v, _beyond(y, v)]), groups)
    if tested is None or left_dependence(*tested, matched=u.shape[1]) >= CLEAR_LEVEL:
        return ()
    sentence = "x and y depend on each other beyond the matching components: the truth may be far higher"
    return (EstimateWarning("dependence_left", sentence, "take auto or adaptive"),)


def _beyond(side: Doubles, components: Doubles) -> Doubles:
    """Give what the components leave of a side's columns, in as many columns as it takes."""
    residual = side - components @ np.linalg.lstsq(components, side, rcond=None)[0]
    left, scales, _ = np.linalg.svd(residual, full_matrices=False)
    held: Doubles = left[:, : max(side.shape[1] - components.shape[1], 0)]
    return held * np.sqrt(len(side)) if scales[0] > 0 else held[:, :0]


def dependent_components(side: Doubles) -> NDArray[np.bool_]:
    """Say which components of one side show dependence on each other, shape (k, k)."""
    n, k = side.shape
    if k == 0:
        return np.empty((0, 0), dtype=bool)
    scores = normal_scores(side)
    both = np.corrcoef(np.hstack([scores, np.abs(scores)]).T)
    linked = np.abs(both) > DEPENDENT_FROM_DEVIATIONS / np.sqrt(n)
    # Values are uncorrelated by construction; what may be left shows in sizes.
    dependent: NDArray[np.bool_] = linked[k:, k:] | linked[:k, k:] | linked[k:, :k]
    classes = np.argsort(np.argsort(side, axis=0), axis=0) * RANK_CLASSES // n
    expected, freedom = n / RANK_CLASSES**2, (RANK_CLASSES - 1) ** 2
    for i in range(k):
        for j in range(i):
            counts = np.bincount(classes[:, i] * RANK_CLASSES + classes[:, j], minlength=RANK_CLASSES**2)
            chi_squared = float(np.square(counts - expected).sum() / expected)
            if chi_squared > freedom + DEPENDENT_FROM_DEVIATIONS * np.sqrt(2 * freedom):
                dependent[i, j] = dependent[j, i] = True
    return dependent
