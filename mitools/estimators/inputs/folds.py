"""Small samples: every item is reported once, by a critic that never saw it."""

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.groups import Groups, class_groups, dealt_groups
from mitools.estimators.inputs.splits import PART_SHARES, Parts, require_groups, require_spread, split

CROSS_FIT_FOLDS = 5
"""As many as give each critic a fifth to be reported on, the report part of a single split."""


CROSS_FIT_BELOW_ITEMS = 20_000
"""Items below which cross-fitting is the default.

The mean absolute error of one split and of five folds, in nats, on six known tasks (normal, half cube,
Student-t, mixtures; a network over a Gaussian copula): 0.27 and 0.21 at 400 items, 0.14 and 0.11 at 1,000,
0.050 and 0.046 at 3,000, 0.025 and 0.012 at 10,000, for three to four times the processor time. What
five folds take off is sampling error: the report part's, which is less than half, and that of a *select*
of few items. Both fall with n by themselves, and fitting gets no faster. Ten folds gained nothing on five.
"""


_SELECT_SHARE = PART_SHARES[1] / (PART_SHARES[0] + PART_SHARES[1])


def chosen_folds(
    n: int,
    strata: NDArray[np.int64] | None,
    groups: Groups | None = None,
    below: int = CROSS_FIT_BELOW_ITEMS,
) -> int:
    """Choose between one split and cross-fitting by the number of items, and of groups in the least class.

    Parameters
    ----------
    n, strata, groups
        As for :func:`cross_fit_parts`.
    below
        Items below which it is worth its time.
    """
    if groups is not None:
        classes = np.zeros(n, dtype=np.int64) if strata is None else strata
        smallest = int(class_groups(groups, classes).min())
    else:
        smallest = n if strata is None else int(np.bincount(strata).min())
    return CROSS_FIT_FOLDS if n < below and smallest >= 2 * CROSS_FIT_FOLDS else 1


def cross_fit_parts(
    n: int,
    strata: NDArray[np.int64] | None,
    folds: int,
    seed: int,
    groups: Groups | None = None,
) -> list[Parts]:
    """Split items into folds, and what is not a fold's own into *train* and *select*.

    Parameters
    ----------
    n
        How many items.
    strata
        Shape (n,), classes 0..C-1 to spread evenly over folds and parts.
    folds
        Each is the *report* of one of the returned splits; 1 is a single split.
    seed
        Of the shuffle.
    groups
        Shape (n,): items that stay together, in one fold and one part; see :func:`.as_groups`.

    Raises
    ------
    InputError
        When there are too few items, or too few of a class, for so many folds; or too few groups.
    """
    if folds == 1:
        return [split(n, strata, seed, groups)]
    if groups is not None:
        return _folds_of_groups(groups, strata, folds, np.random.default_rng(seed))
    classes = np.zeros(n, dtype=np.int64) if strata is None else strata
    counts = np.bincount(classes)
    if n < 10 or counts.min() < 2 * folds:
        few = f"{n} items" if strata is None else f"class {counts.argmin()} with {counts.min()} items"
        raise InputError(
            f"{few} cannot be split into {folds} folds of two at least; take fewer folds or folds=1"
        )
    rng = np.random.default_rng(seed)
    order = rng.permutation(n)
    order = order[np.argsort(classes[order], kind="stable")]
    # Dealt in the classes' order, so that neither a class nor the whole is uneven by more than one.
    fold = np.empty(n, dtype=np.int64)
    fold[order] = np.arange(n) % folds
    return [_parts(fold == k, order, classes) for k in range(folds)]


def _parts(held: NDArray[np.bool_], order: NDArray[np.int64], classes: NDArray[np.int64]) -> Parts:
    rest = order[~held[order]]
    counts = np.bincount(classes[rest], minlength=classes.max() + 1)
    rank = np.arange(len(rest)) - np.repeat(np.cumsum(counts) - counts, counts)
    # np.rint takes halves to even numbers, as round does.
    n_select = np.maximum(1, np.rint(_SELECT_SHARE * counts)).astype(np.int64)
    selects = rank < n_select[classes[rest]]
    return Parts(np.sort(rest[~selects]), np.sort(rest[selects]), np.flatnonzero(held))


def _folds_of_groups(
    groups: Groups, strata: NDArray[np.int64] | None, folds: int, rng: np.random.Generator
) -> list[Parts]:
    require_groups(groups, strata, 2 * folds)
    order, stratum, _ = dealt_groups(groups, strata, rng)
    # The greatest groups first, to and fro over the folds, so that these come to about as many items.
    order = order[np.lexsort((-np.bincount(groups)[order], stratum))]
    turn, place = np.divmod(np.arange(len(order)), folds)
    fold = np.empty(len(order), dtype=np.int64)
    fold[order] = np.where(turn % 2, folds - 1 - place, place)
    found = [_parts_of_groups(fold[groups] == k, groups, strata, rng) for k in range(folds)]
    require_spread(found, strata)
    return found


def _parts_of_groups(
    held: NDArray[np.bool_], groups: Groups, strata: NDArray[np.int64] | None, rng: np.random.Generator
) -> Parts:
    rest = np.flatnonzero(~held)
    own = np.unique(groups[rest], return_inverse=True)[1].astype(np.int64)
    order, stratum, middle = dealt_groups(own, None if strata is None else strata[rest], rng)
    last = np.append(np.diff(stratum) > 0, True)
    selects = np.empty(len(order), dtype=bool)
    selects[order] = (middle > 1 - _SELECT_SHARE) | last
    of_item = selects[own]
    return Parts(rest[~of_item], rest[of_item], np.flatnonzero(held), groups)
