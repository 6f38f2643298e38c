"""Three disjoint parts of the items: train fits, select chooses, report gives the number once."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.groups import Groups, class_groups, dealt_groups, group_count

PART_SHARES = (0.65, 0.15, 0.20)
"""Shares of train, select and report."""

SMALLEST_CLASS = 5
"""Items a class needs: a pair to train on, one to select by, a pair to report on. So many groups as well."""

FEWEST_ITEMS = 10
"""Items, or groups of items, that can be split into three parts."""


@dataclass(frozen=True)
class Parts:
    """Item numbers of the three parts, each sorted, shape (n_part,), int64.

    Attributes
    ----------
    train, select, report
        No item, and no group, is in two of them.
    groups
        Shape (n,), of all items: those of one group depend on each other. None where every item stands alone.
    """

    train: NDArray[np.int64]
    select: NDArray[np.int64]
    report: NDArray[np.int64]
    groups: Groups | None = None

    def groups_of(self, items: NDArray[np.int64]) -> Groups | None:
        """Give the groups of some of the items; None where every item stands alone."""
        return None if self.groups is None else self.groups[items]


def split(
    n: int, strata: NDArray[np.int64] | None = None, seed: int = 0, groups: Groups | None = None
) -> Parts:
    """Split items into train, select and report.

    Parameters
    ----------
    n
        How many items. Images are split, never views or pairs of them.
    strata
        Shape (n,), classes 0..C-1 to spread evenly over the parts: every class then has at least two
        items in *train* and *report*, where same-class pairs are formed, and one in *select*.
    seed
        Of the shuffle.
    groups
        Shape (n,): items that stay together, in one of the parts; see :func:`.as_groups`.

    Raises
    ------
    InputError
        When there are too few items, or too few of a class; or too few groups.
    """
    rng = np.random.default_rng(seed)
    if groups is not None:
        return _split_groups(groups, strata, rng)
    if strata is None:
        if n < FEWEST_ITEMS:
            raise InputError(f"{n} items cannot be split into three parts; give at least {FEWEST_ITEMS}")
        lots = [rng.permutation(n)]
    else:
        counts = np.bincount(strata)
        if counts.min() < SMALLEST_CLASS:
            raise InputError(
                f"class {counts.argmin()} has {counts.min()} items, but five are needed: a pair to"
                " train on, one to select by, and a pair to report on; add items or leave the class out"
                " (classes are counted from 0 in sorted order)"
            )
        order = rng.permutation(n)
        order = order[np.argsort(strata[order], kind="stable")]
        lots = np.split(order, np.cumsum(counts)[:-1])
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for lot in lots:
        n_report = max(2, round(PART_SHARES[2] * len(lot)))
        n_select = max(1, round(PART_SHARES[1] * len(lot)))
        n_train = len(lot) - n_select - n_report
        for part, items in zip(parts, np.split(lot, [n_train, n_train + n_select]), strict=True):
            part.append(items)
    return Parts(*(np.sort(np.concatenate(part)).astype(np.int64) for part in parts))


def _split_groups(groups: Groups, strata: NDArray[np.int64] | None, rng: np.random.Generator) -> Parts:
    require_groups(groups, strata, SMALLEST_CLASS)
    order, stratum, middle = dealt_groups(groups, strata, rng)
    counts = np.bincount(stratum)
    from_end = np.repeat(np.cumsum(counts), counts) - np.arange(len(order)) - 1
    reports = (middle > PART_SHARES[0] + PART_SHARES[1]) | (from_end < 2)
    selects = ~reports & ((middle > PART_SHARES[0]) | (from_end == 2))
    part = np.empty(len(order), dtype=np.int64)
    part[order] = np.where(reports, 2, np.where(selects, 1, 0))
    of_item = part[groups]
    train, select, report = (np.flatnonzero(of_item == k) for k in range(3))
    found = Parts(train, select, report, groups)
    require_spread([found], strata)
    return found


def require_groups(groups: Groups, strata: NDArray[np.int64] | None, fewest: int) -> None:
    """Refuse fewer groups than can be held out, or a class that lies in fewer than so many.

    Raises
    ------
    InputError
        With how many there are.
    """
    n_groups = group_count(groups)
    if n_groups < FEWEST_ITEMS:
        raise InputError(
            f"{n_groups} groups cannot be split into three parts; give items of at least {FEWEST_ITEMS}"
        )
    if strata is None:
        return
    of_class = class_groups(groups, strata)
    if of_class.min() < fewest:
        raise InputError(
            f"class {of_class.argmin()} lies in {of_class.min()} of the groups, but in {fewest} it must, as a"
            " group is never on two sides of a split; add groups or leave the class out (classes are counted"
            " from 0 in sorted order)"
        )


def require_spread(folds: Sequence[Parts], strata: NDArray[np.int64] | None) -> None:
    """Refuse splits of groups of mixed classes that leave a part without a class.

    Raises
    ------
    InputError
        With the class.
    """
    if strata is None:
        return
    n_classes = int(strata.max()) + 1
    for parts in folds:
        for items, fewest in ((parts.train, 2), (parts.select, 1), (parts.report, 2)):
            of = parts.groups_of(items)
            assert of is not None
            found = class_groups(of, strata[items], n_classes)
            if found.min() < fewest:
                raise InputError(
                    f"class {found.argmin()} comes in so few of the groups, beside other classes, that no"
                    " split leaves two groups of it to report on; leave it out or take another seed"
                )


def as_many_as_report(
    parts: Parts, strata: NDArray[np.int64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many training items, of every class, as *report* has (or all of them where they are fewer).

    A bound may rise with the number of pairs it is read on; so train and report are compared on as many.
    """
    if parts.groups is not None:
        return _whole_groups(parts, parts.groups, strata, rng)
    if strata is None:
        return np.sort(rng.permutation(parts.train)[: len(parts.report)])
    wanted = np.bincount(strata[parts.report], minlength=int(strata.max()) + 1)
    return of_each_class(parts.train, strata, wanted, rng)


def of_each_class(
    items: NDArray[np.int64], strata: NDArray[np.int64], wanted: NDArray[np.int64], rng: np.random.Generator
) -> NDArray[np.int64]:
    """Take a random part of the items of every class, in rising order.

    Parameters
    ----------
    items
        Shape (m,), numbers of items.
    strata
        Shape (n,), the class of every item there is, 0..C-1.
    wanted
        Shape (C,), how many of a class at the most.
    rng
        Draws them.

    Examples
    --------
    >>> strata, wanted = np.array([0, 0, 0, 1, 1, 1]), np.array([1, 5])
    >>> of_each_class(np.arange(6), strata, wanted, np.random.default_rng(0))[1:]
    array([3, 4, 5])
    """
    drawn = rng.permutation(items)
    drawn = drawn[np.argsort(strata[drawn], kind="stable")]
    counts = np.bincount(strata[drawn])
    rank = np.arange(len(drawn)) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.sort(drawn[rank < wanted[strata[drawn]]])


def _whole_groups(
    parts: Parts, groups: Groups, strata: NDArray[np.int64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw whole groups of training items, of every class two at least and about as many as *report* has."""
    own = np.unique(groups[parts.train], return_inverse=True)[1].astype(np.int64)
    classes = np.zeros(len(groups), dtype=np.int64) if strata is None else strata
    order, stratum, middle = dealt_groups(own, classes[parts.train], rng)
    n_classes = int(classes.max()) + 1
    there, wanted = (
        np.bincount(classes[items], minlength=n_classes) for items in (parts.train, parts.report)
    )
    counts = np.bincount(stratum, minlength=n_classes)
    rank = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
    takes = np.zeros(len(order), dtype=bool)
    takes[order] = (middle < (wanted / np.maximum(there, 1))[stratum]) | (rank < 2)
    return parts.train[takes[own]]


def at_most(items: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Take a random part of the items, in rising order, where there are more than so many; else all."""
    return items if len(items) <= most else np.sort(rng.permutation(items)[:most])
