"""Rows that depend on each other: frames of a clip, slides of a patient, crops of an image, copies."""

from typing import overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import as_classes, same_length

Groups = NDArray[np.int64]
"""The group of every item, shape (n,), counted from 0; every number from 0 to the greatest occurs."""


def as_groups(values: ArrayLike, n: int, name: str = "groups") -> Groups:
    """Check groups and count them from 0.

    Parameters
    ----------
    values
        Shape (n,): whole numbers or strings, alike for rows that depend on each other.
    n
        How many rows there are.
    name
        Of the values, for messages.

    Returns
    -------
    Groups
        Shape (n,).

    Raises
    ------
    InputError
        When they are no vector of whole numbers or strings, of another length, or all the same.

    Examples
    --------
    >>> as_groups(["clip 7", "clip 2", "clip 7"], 3)
    array([1, 0, 1])
    """
    names, groups = as_classes(values, name)
    same_length(len(groups), n, name, "the data")
    if len(names) == 1:
        raise InputError(
            f"{name}: all {n} rows belong to the one group {names[0].item()!r}, and nothing can be held out;"
            " name what each row comes from"
        )
    return groups


@overload
def group_count(groups: Groups) -> int: ...
@overload
def group_count(groups: None) -> None: ...
@overload
def group_count(groups: Groups | None) -> int | None: ...
def group_count(groups: Groups | None) -> int | None:
    """Count the groups; None where every row stands alone."""
    return None if groups is None else int(groups.max()) + 1


def group_sums(values: NDArray[np.float64], groups: Groups) -> NDArray[np.float64]:
    """Add up values within their groups: shape (n,) to (G,), for the groups that occur, in order."""
    return np.asarray(np.bincount(np.unique(groups, return_inverse=True)[1], values), dtype=np.float64)


def permuted_groups(groups: Groups, rng: np.random.Generator) -> NDArray[np.int64]:
    """Permute rows by whole groups: what a null of rows that depend on each other needs.

    The rows, group after group in a random order, take the places of the rows, group after group in
    another. Where groups are of one size, every group takes the place of one other; where they are not, it
    takes neighbouring parts of two or more. Every row is used once, so that the marginals stay as they are.

    Parameters
    ----------
    groups
        Shape (n,).
    rng
        Draws both orders.

    Returns
    -------
    NDArray[np.int64]
        Shape (n,): the row that takes the place of each.
    """
    size = group_count(groups)
    places, rows = (np.argsort(rng.permutation(size)[groups], kind="stable") for _ in range(2))
    found = np.empty(len(groups), dtype=np.int64)
    found[places] = rows
    return found


def class_groups(
    groups: Groups, strata: NDArray[np.int64], n_classes: int | None = None
) -> NDArray[np.int64]:
    """Count the groups that every class lies in, shape (C,)."""
    size = int(strata.max()) + 1 if n_classes is None else n_classes
    return np.bincount(np.unique(groups * size + strata) % size, minlength=size)


def group_strata(groups: Groups, strata: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Give every group the class that most of its rows have, shape (G,); all the same class without strata.

    Parameters
    ----------
    groups
        Shape (n,).
    strata
        Shape (n,), classes 0..C-1.
    """
    size = group_count(groups)
    if strata is None:
        return np.zeros(size, dtype=np.int64)
    n_classes = int(strata.max()) + 1
    cells, counts = np.unique(groups * n_classes + strata, return_counts=True)
    group, stratum = np.divmod(cells, n_classes)
    # Sorted by group and then by count, the last of each group is its most frequent class.
    order = np.lexsort((counts, group))
    last = np.append(np.diff(group[order]) > 0, True)
    return stratum[order][last]


def dealt_groups(
    groups: Groups, strata: NDArray[np.int64] | None, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Put groups in random order within their classes, and say how far down its class each lies.

    Returns
    -------
    order
        Shape (G,): groups, class by class.
    stratum
        Shape (G,): the class of each, in that order.
    middle
        Shape (G,): the share of its class's rows that lies before it, and half of its own.
    """
    of_group = group_strata(groups, strata)
    sizes = np.bincount(groups)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(of_group[order], kind="stable")]
    stratum = of_group[order]
    rows = np.cumsum(sizes[order])
    first = np.append(True, np.diff(stratum) > 0)
    before = np.repeat(np.append(0, rows)[:-1][first], np.diff(np.append(np.flatnonzero(first), len(order))))
    totals = np.bincount(stratum, sizes[order], minlength=int(stratum.max()) + 1)[stratum]
    return order, stratum, (rows - before - sizes[order] / 2) / totals
