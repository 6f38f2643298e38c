"""Which items know each other, where nobody said it: exact copies are one group, and the rest is told."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.dependence.copies import copy_groups
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable


def found_groups(
    rows: NDArray[Any], values: NDArray[np.float64], groups: Groups | None, seed: int
) -> tuple[Groups | None, tuple[EstimateWarning, ...]]:
    """Give the groups of items, and what is told of items that depend on each other.

    Parameters
    ----------
    rows, values
        Shapes (n, d) and (n, k): features and targets, in the order of the items.
    groups
        Shape (n,), where they are known: nothing is looked for then.
    seed
        Of what is sampled.

    Returns
    -------
    groups
        Those that are known; exact copies, where there are some; else None.
    warnings
        ``copies``, ``near_copies`` and ``serial_dependence``, as far as they are found.
    """
    if groups is not None:
        return groups, ()
    found = dependence_warnings(rows, values, seed)
    copied = any(warning.word == "copies" for warning in found)
    return copy_groups(RowTable(rows)) if copied else None, found
