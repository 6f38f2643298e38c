"""Entropies and dependence of discrete variables, computed from their distributions, in nats."""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import entr

from mitools.variables.distributions import (
    Floats,
    JointTable,
    SubsetTables,
    marginals,
    some_subsets,
)

ALL_SUBSETS = 10_000
"""Subsets that are taken all, unless told otherwise; of more, so many at random."""


def mean_entropy(q: ArrayLike, size: int = 1, subsets: NDArray[np.int64] | None = None) -> float:
    """Mean joint entropy of subsets of r variables (Niu et al. 2024, Eqs. 5 to 7).

    Parameters
    ----------
    q
        Shape (n, M, D).
    size
        r.
    subsets
        Shape (S, r); all, or 10,000 at random, when None.

    Examples
    --------
    >>> from mitools.core.entropy import LOG2
    >>> from mitools.variables.distributions import one_hot
    >>> xor = one_hot([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], 2)
    >>> [round(mean_entropy(xor, size) / LOG2, 9) for size in (1, 2, 3)]
    [1.0, 2.0, 2.0]
    """
    array = np.asarray(q, dtype=np.float64)
    chosen = some_subsets(array.shape[1], size, ALL_SUBSETS) if subsets is None else subsets
    tables = SubsetTables(chosen, array.shape[2])
    tables.add(array)
    return float(joint_entropies(tables.joints).mean())


def total_correlation(q: ArrayLike, size: int, subsets: NDArray[np.int64] | None = None) -> float:
    """Mean total correlation of subsets of r variables (Niu et al. 2024, Eq. 8; Watanabe 1960).

    The sum of the entropies of a subset's variables, less their joint entropy: over all subsets
    ``r * mean_entropy(q, 1) - mean_entropy(q, r)``.

    Parameters
    ----------
    q, size, subsets
        As for :func:`mean_entropy`.

    Examples
    --------
    >>> from mitools.core.entropy import LOG2
    >>> from mitools.variables.distributions import one_hot
    >>> xor = one_hot([[0, 0, 0], [0, 1, 1], [1, 0, 1], [1, 1, 0]], 2)
    >>> [round(total_correlation(xor, size) / LOG2, 9) for size in (2, 3)]
    [0.0, 1.0]
    """
    array = np.asarray(q, dtype=np.float64)
    chosen = some_subsets(array.shape[1], size, ALL_SUBSETS) if subsets is None else subsets
    tables = SubsetTables(chosen, array.shape[2])
    tables.add(array)
    return float(subset_correlations(tables.joints, marginals(array), chosen).mean())


def pairwise_information(table: JointTable) -> Floats:
    """Mutual information of every two variables, shape (M, M).

    The diagonal holds what two draws of a variable for one item share: its entropy where it is hard.

    Parameters
    ----------
    table
        Of one view, or of two: row m is then a variable in the first.
    """
    mine = entr(table.marginals).sum(axis=1)
    theirs = entr(table.other_marginals).sum(axis=1)
    together = np.stack([entr(rows).sum(axis=(0, 2)) for rows in table.joint])
    found: Floats = mine[:, None] + theirs - together
    return found


def joint_entropies(joints: Floats) -> Floats:
    """Entropy of each joint distribution of shape (S, D, ..., D) (Eq. 6), shape (S,)."""
    found: Floats = entr(joints.reshape(len(joints), -1)).sum(axis=1)
    return found


def subset_correlations(joints: Floats, marginal: Floats, subsets: NDArray[np.int64]) -> Floats:
    """Total correlation of each subset, shape (S,).

    Parameters
    ----------
    joints
        Shape (S, D, ..., D).
    marginal
        Shape (M, D).
    subsets
        Shape (S, r).
    """
    alone = entr(marginal).sum(axis=1)
    found: Floats = alone[subsets].sum(axis=1) - joint_entropies(joints)
    return found
