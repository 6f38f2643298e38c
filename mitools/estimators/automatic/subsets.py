"""Neighbours in some of the columns: no subset of them shares more than all, so that the greatest counts."""

from dataclasses import replace
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.array_types import Doubles, RowNumbers, WholeNumbers
from mitools.estimators.automatic.choice import STDERRS_OF_CLEARLY_MORE, error_of
from mitools.estimators.base import MIEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.rank_normal import normal_scores

ROWS_TO_SEARCH_BY = 1500
"""Rows, at the most, on which columns are chosen."""

COLUMNS_TO_SEARCH = 10
"""Columns of x and y together up to which they are left out one by one; in more, it is single pairs."""

COLUMNS_TO_PAIR = 64
"""Columns of a side whose single pairs are looked at: those most correlated with the other side."""

RANK_CLASSES = 10
"""Classes of ranks in the table that says which pair of columns shares most."""

NATS_OF_A_LOSS = 0.5
"""Nats below the best by which leaving out one column more must fall for the search to end."""


class Subset(NamedTuple):
    """Some columns of x and of y, counted from 0."""

    of_x: tuple[int, ...]
    of_y: tuple[int, ...]


class NeighboursOfColumns(MIEstimator):
    """:class:`.KSG` of some columns of x and of y.

    What they share is a lower limit of what all columns share, and neighbours that no noise column drives
    apart read it better.

    Parameters
    ----------
    of_x, of_y
        Columns, counted from 0.
    seed
        As for :class:`.KSG`.
    """

    def __init__(self, of_x: tuple[int, ...], of_y: tuple[int, ...], seed: int = 0) -> None:
        self.of_x = of_x
        self.of_y = of_y
        self.seed = seed

    def fit(self, x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Read the columns of x, shape (n, d_x), and of y, shape (n, d_y)."""
        rows_x, rows_y = np.asarray(x)[:, list(self.of_x)], np.asarray(y)[:, list(self.of_y)]
        found = KSG(seed=self.seed).fit(rows_x, rows_y, groups).estimate_
        columns = {"x_columns": list(self.of_x), "y_columns": list(self.of_y)}
        self.estimate_ = replace(found, settings={**found.settings, **columns})
        return self


def telling_subset(x: NDArray[Any], y: NDArray[Any], groups: Groups | None, seed: int) -> Subset | None:
    """Find the columns whose neighbours read clearly more than those of all.

    In few columns they are left out one by one, each time the one without which most is read. In more it is
    the pair of single columns whose ranks share most. Other rows than those searched must confirm it.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y).
    groups
        Shape (n,), or None.
    seed
        Of the rows that the search looks at.

    Returns
    -------
    Subset or None
        None where no subset reads clearly more, or there is one column on each side.
    """
    n, columns = len(x), x.shape[1] + y.shape[1]
    if columns == 2:
        return None
    searched = np.zeros(n, dtype=bool)
    searched[some_rows(n, groups, min(ROWS_TO_SEARCH_BY, n // 2), seed)] = True
    scores_x, scores_y = (normal_scores(side[searched].astype(np.float64)) for side in (x, y))
    if columns > COLUMNS_TO_SEARCH:
        found: Subset | None = _most_telling_pair(scores_x, scores_y)
    else:
        found = _search(scores_x, scores_y, None if groups is None else groups[searched], seed)
    if found is None:
        return None
    # The best of many is the best by chance as well, so that other rows must confirm it.
    others = None if groups is None else groups[~searched]
    rows = x[~searched], y[~searched], others, seed
    read = _read(found, *rows)
    floor = max(_read(_all_columns(x, y), *rows).nats, 0.0) if columns <= COLUMNS_TO_SEARCH else 0.0
    return found if read.nats > floor + STDERRS_OF_CLEARLY_MORE * read.stderr else None


def some_rows(n: int, groups: Groups | None, most: int, seed: int) -> RowNumbers:
    """Draw rows at random, whole groups of them, until there are as many as asked for: sorted numbers."""
    order = np.random.default_rng([seed, 5]).permutation(n if groups is None else int(groups.max()) + 1)
    if groups is None:
        return np.sort(order[:most])
    place = np.empty_like(order)
    place[order] = np.cumsum(np.bincount(groups)[order])
    return np.flatnonzero(place[groups] <= max(most, int(place[order[1]])))


class _Read(NamedTuple):
    nats: float
    stderr: float


def _read(subset: Subset, x: NDArray[Any], y: NDArray[Any], groups: Groups | None, seed: int) -> _Read:
    """Read neighbours in some columns, without a null where no row knows another."""
    if groups is not None:
        found = NeighboursOfColumns(*subset, seed).fit(x, y, groups).estimate_
        return _Read(found.nats, error_of(found))
    reading = KSG(seed=seed).read_without_null(x[:, list(subset.of_x)], y[:, list(subset.of_y)])
    return _Read(reading.nats, reading.stderr)


def _all_columns(x: NDArray[Any], y: NDArray[Any]) -> Subset:
    return Subset(tuple(range(x.shape[1])), tuple(range(y.shape[1])))


def _search(x: Doubles, y: Doubles, groups: Groups | None, seed: int) -> Subset | None:
    now, rows = _all_columns(x, y), (x, y, groups, seed)
    whole = best = _read(now, *rows)
    chosen = None
    while len(now.of_x) + len(now.of_y) > 2:
        found, now = max(
            ((_read(smaller, *rows), smaller) for smaller in _without_one(now)), key=lambda one: one[0].nats
        )
        if found.nats > best.nats:
            best, chosen = found, now
        elif found.nats < best.nats - NATS_OF_A_LOSS:
            break
    return chosen if best.nats - whole.nats > STDERRS_OF_CLEARLY_MORE * best.stderr else None


def _without_one(subset: Subset) -> list[Subset]:
    """Give the subsets of one column less that leave each side one."""
    of_x, of_y = subset
    smaller = [Subset(tuple(i for i in of_x if i != j), of_y) for j in of_x if len(of_x) > 1]
    return smaller + [Subset(of_x, tuple(i for i in of_y if i != j)) for j in of_y if len(of_y) > 1]


def _most_telling_pair(x: Doubles, y: Doubles) -> Subset:
    """Find the pair of columns whose table of ranks holds most information."""
    of_x, of_y = _most_correlated(x, y), _most_correlated(y, x)
    class_x, class_y = (_rank_classes(side[:, of]) for side, of in ((x, of_x), (y, of_y)))
    spread = np.array([[_table_nats(a, b) for b in class_y.T] for a in class_x.T])
    i, j = np.unravel_index(int(spread.argmax()), spread.shape)
    return Subset((int(of_x[i]),), (int(of_y[j]),))


def _most_correlated(x: Doubles, y: Doubles) -> WholeNumbers:
    """Give the columns of x most correlated with one of y, by values and sizes: at most 64."""
    if x.shape[1] <= COLUMNS_TO_PAIR:
        return np.arange(x.shape[1])
    values = [np.hstack([side, np.square(side)]) for side in (x, y)]
    of_x, of_y = ((side - side.mean(axis=0)) / side.std(axis=0) for side in values)
    greatest = np.abs(of_x.T @ of_y).max(axis=1).reshape(2, -1).max(axis=0)
    chosen: WholeNumbers = np.sort(np.argsort(-greatest, kind="stable")[:COLUMNS_TO_PAIR])
    return chosen


def _rank_classes(rows: Doubles) -> WholeNumbers:
    return np.argsort(np.argsort(rows, axis=0), axis=0) * RANK_CLASSES // len(rows)


def _table_nats(a: WholeNumbers, b: WholeNumbers) -> float:
    """Mutual information of two columns of classes that are equally full, up to a constant."""
    counts = np.bincount(a * RANK_CLASSES + b)
    met = counts[counts > 0]
    return float((met * np.log(met)).sum())
