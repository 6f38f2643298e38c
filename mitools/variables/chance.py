"""What dependence chance gives: the same items with every variable permuted on its own."""

import numpy as np
from numpy.typing import NDArray

from mitools.variables.distributions import Floats


def permuted_apart(q: Floats, groups: NDArray[np.int64] | None, rng: np.random.Generator) -> Floats:
    """Permute the items of every variable independently of the others.

    Where there are groups, whole groups change places: the items of a group take the values of those of one
    other, from the first on and over again where that one is smaller. So what items of a group have in common
    does not count as more evidence than it is.

    Parameters
    ----------
    q
        Shape (k, M, D).
    groups
        Shape (k,), the items of a group in a row; None where every item stands alone.
    rng
        Random numbers.
    """
    found = np.empty_like(q)
    for variable in range(q.shape[1]):
        found[:, variable] = q[_order(len(q), groups, rng), variable]
    return found


def in_random_order(n: int, groups: NDArray[np.int64] | None, rng: np.random.Generator) -> NDArray[np.int64]:
    """Give items in random order, shape (n,); those of a group in a row.

    Chunks of items in this order are alike, whatever order the data are in (by class, often).
    """
    if groups is None:
        return rng.permutation(n)
    place = rng.permutation(int(groups.max()) + 1)
    return np.argsort(place[groups], kind="stable")


def _order(n: int, groups: NDArray[np.int64] | None, rng: np.random.Generator) -> NDArray[np.int64]:
    if groups is None:
        return rng.permutation(n)
    _, first, group, size = np.unique(groups, return_index=True, return_inverse=True, return_counts=True)
    taken = rng.permutation(len(first))[group]
    found: NDArray[np.int64] = first[taken] + (np.arange(n) - first[group]) % size[taken]
    return found
