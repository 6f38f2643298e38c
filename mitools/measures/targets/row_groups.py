"""Which items depend on each other, where nobody said it: exact copies are one group, the rest is told."""

import hashlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.dependence.copies import copy_groups
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts


def found_groups(
    rows: NDArray[Any],
    values: NDArray[np.float64],
    groups: Groups | None,
    seed: int,
    split: Parts | None = None,
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
    split
        One that is given. It stays as it is, so that copies on both sides of it can only be told.

    Returns
    -------
    groups
        Those that are known; exact copies, where there are some and no split is given; else None.
    warnings
        ``copies``, ``near_copies`` and ``serial_dependence``, as far as they are found.
    """
    if groups is not None:
        return groups, ()
    found = dependence_warnings(rows, values, seed)
    copied = any(warning.word == "copies" for warning in found)
    return copy_groups(RowTable(rows)) if copied and split is None else None, found


def grouped_as(groups: Groups | None) -> str | None:
    """Digest the groups of items: readings are compared in pairs where the same items are one in both.

    Examples
    --------
    >>> grouped_as(None) is None, grouped_as(np.array([0, 0, 1])) == grouped_as(np.array([0, 1, 1]))
    (True, False)
    """
    if groups is None:
        return None
    return hashlib.blake2b(np.ascontiguousarray(groups, dtype=np.int64).tobytes(), digest_size=8).hexdigest()
