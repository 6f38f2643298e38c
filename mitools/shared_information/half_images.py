"""Half of the images that a fold is fitted to."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.groups import dealt_groups
from mitools.estimators.inputs.splits import Parts, require_spread


def half_of(parts: Parts, labels: NDArray[np.int64], seed: int) -> Parts | None:
    """Take half of *train* and half of *select*, and leave *report* as it is.

    Parameters
    ----------
    parts
        Of a fold.
    labels
        Shape (n,), classes 0..C-1 of all items: about half of every class is taken, and of *train* two groups
        at least.
    seed
        Says which half.

    Returns
    -------
    Parts or None
        Groups are kept whole. None where groups of mixed classes leave the half without a class.

    Examples
    --------
    >>> whole = Parts(np.arange(8), np.arange(8, 12), np.arange(12, 16))
    >>> half = half_of(whole, np.arange(16) % 2, seed=0)
    >>> len(half.train), len(half.select), len(half.report)
    (4, 2, 4)
    """
    rng = np.random.default_rng([seed, 6])
    train = _half_of_items(parts.train, parts, labels, 2, rng)
    found = replace(parts, train=train, select=_half_of_items(parts.select, parts, labels, 1, rng))
    if parts.groups is not None:
        try:
            require_spread([found], labels)
        except InputError:
            return None
    return found


def _half_of_items(
    items: NDArray[np.int64],
    parts: Parts,
    labels: NDArray[np.int64],
    fewest: int,
    rng: np.random.Generator,
) -> NDArray[np.int64]:
    groups = parts.groups_of(items)
    own = np.arange(len(items)) if groups is None else np.unique(groups, return_inverse=True)[1]
    order, stratum, middle = dealt_groups(own.astype(np.int64), labels[items], rng)
    counts = np.bincount(stratum)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    takes = np.empty(len(order), dtype=bool)
    takes[order] = (middle <= 0.5) | (rank < fewest)
    return items[takes[own]]
