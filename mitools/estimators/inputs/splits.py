"""Three disjoint parts of the items: train fits, select chooses, report gives the number once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

PART_SHARES = (0.65, 0.15, 0.20)
"""Shares of train, select and report."""

SMALLEST_CLASS = 5
"""Items a class needs: a pair to train on, one to select by, a pair to report on."""


@dataclass(frozen=True)
class Parts:
    """Item numbers of the three parts, each sorted, shape (n_part,), int64."""

    train: NDArray[np.int64]
    select: NDArray[np.int64]
    report: NDArray[np.int64]


def split(n: int, strata: NDArray[np.int64] | None = None, seed: int = 0) -> Parts:
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

    Raises
    ------
    InputError
        When there are too few items, or too few of a class.
    """
    rng = np.random.default_rng(seed)
    if strata is None:
        if n < 10:
            raise InputError(f"{n} items cannot be split into three parts; give at least 10")
        groups = [rng.permutation(n)]
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
        groups = np.split(order, np.cumsum(counts)[:-1])
    parts: list[list[NDArray[np.int64]]] = [[], [], []]
    for group in groups:
        n_report = max(2, round(PART_SHARES[2] * len(group)))
        n_select = max(1, round(PART_SHARES[1] * len(group)))
        n_train = len(group) - n_select - n_report
        for part, items in zip(parts, np.split(group, [n_train, n_train + n_select]), strict=True):
            part.append(items)
    return Parts(*(np.sort(np.concatenate(part)).astype(np.int64) for part in parts))


def as_many_as_report(
    parts: Parts, strata: NDArray[np.int64] | None, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Draw as many training items, of every class, as *report* has (or all of them where they are fewer).

    A bound may rise with the number of pairs it is read on; so train and report are compared on as many.
    """
    drawn = rng.permutation(parts.train)
    if strata is None:
        return np.sort(drawn[: len(parts.report)])
    drawn = drawn[np.argsort(strata[drawn], kind="stable")]
    counts = np.bincount(strata[drawn])
    rank = np.arange(len(drawn)) - np.repeat(np.cumsum(counts) - counts, counts)
    wanted = np.bincount(strata[parts.report], minlength=len(counts))
    return np.sort(drawn[rank < wanted[strata[drawn]]])


def at_most(items: NDArray[np.int64], most: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Take a random part of the items, in rising order, where there are more than so many; else all."""
    return items if len(items) <= most else np.sort(rng.permutation(items)[:most])
