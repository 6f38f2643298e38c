"""Nearest neighbours among the rows of other groups, and counts of these: a Theiler window of whole groups.

Rows of one group lie near each other whatever x and y share, and would be each other's neighbours. As
with points of one trajectory near in time (Theiler, Phys. Rev. A 34, 2427, 1986; Kantz & Schreiber,
Nonlinear Time Series Analysis, 2004, Sec. 6.5), they are left out.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mitools.core.errors import InputError
from mitools.estimators.array_types import Doubles, Floats, RowNumbers, WholeNumbers
from mitools.estimators.classical.grouped import strangers
from mitools.estimators.classical.neighbours.distances import beyond, distances_between, in_blocks, positive
from mitools.estimators.classical.neighbours.search import (
    Strips,
    brute_force_pays,
    count_within,
    share_of_counts,
    share_sorted,
)
from mitools.estimators.classical.neighbours.thinning import clumped
from mitools.estimators.inputs.groups import Groups, group_count

LARGE_GROUP = 1_000
"""Rows from which a group is searched by itself, and its strangers by a tree of their own."""

_FOUND_AT_ONCE = 1 << 22


def strips_of_strangers(
    x: Floats, y: Floats, groups: Groups, k: int, own_extent: bool, sample: RowNumbers
) -> Strips:
    """Find each row's k nearest rows of other groups in (x, y), and count such rows in x and in y alone.

    Parameters
    ----------
    x, y, k, own_extent, sample
        As for :func:`.strips_by_tree`.
    groups
        Shape (n,).

    Raises
    ------
    InputError
        When a row has fewer than k rows of other groups.
    """
    fewest = int(strangers(groups).min())
    if fewest < k:
        raise InputError(
            f"some rows have {fewest} rows of other groups, and {k} neighbours are sought there; lower k or"
            " give more groups"
        )
    distances, neighbours = nearest_strangers(np.hstack([x, y]), groups, k)
    if own_extent:
        r_x, r_y = (beyond(np.abs(side[neighbours] - side[:, None]).max(axis=(1, 2))) for side in (x, y))
    else:
        r_x = r_y = positive(distances[:, -1])
    n_x, share_x = count_strangers(x, r_x, groups, sample)
    n_y, share_y = count_strangers(y, r_y, groups, sample)
    return Strips(neighbours, distances[:, -1], n_x, n_y, share_x, share_y)


class ClassStrangers(NamedTuple):
    """Every row's nearest rows of its class in other groups.

    Attributes
    ----------
    found
        Shape (n,): whether there are any; what follows means nothing where there are none.
    radii
        Shape (n,): the distance to the last of the nearest.
    neighbours
        Shape (n,): how many nearest there are: k, or fewer in a class of which some row has fewer.
    in_class
        Shape (n,): rows of its class in other groups.
    chosen
        Shape (n,): how often the row is among the nearest of others, as shares of theirs.
    clumped
        See :func:`.clumped`.
    """

    found: NDArray[np.bool_]
    radii: Doubles
    neighbours: WholeNumbers
    in_class: WholeNumbers
    chosen: Doubles
    clumped: float


def class_strangers(x: Floats, labels: WholeNumbers, groups: Groups, k: int) -> ClassStrangers:
    """Find each row's k nearest rows of its class in other groups.

    Parameters
    ----------
    x
        Shape (n, d).
    labels, groups
        Shape (n,) each, counted from 0.
    k
        Neighbours, at the most.
    """
    n, n_groups = len(labels), group_count(groups)
    _, places, sizes = np.unique(labels * n_groups + groups, return_inverse=True, return_counts=True)
    in_class = np.bincount(labels)[labels] - sizes[places]
    radii, chosen = np.zeros(n), np.zeros(n)
    neighbours = np.ones(n, dtype=np.int64)
    lumps = 0.0
    for rows in np.split(np.argsort(labels, kind="stable"), np.cumsum(np.bincount(labels))[:-1]):
        fewest = min(k, int(in_class[rows].min(initial=k)))
        if fewest and len(rows):
            own = np.unique(groups[rows], return_inverse=True)[1]
            # Two of them show a lump; where one is asked for, the second serves for that alone.
            distances, near = nearest_strangers(x[rows], own, min(max(fewest, 2), int(in_class[rows].min())))
            lumps += len(rows) / n * clumped(near, own)
            distances, close = distances[:, :fewest], near[:, :fewest]
            radii[rows], neighbours[rows] = distances[:, -1], fewest
            chosen[rows] = np.bincount(close.ravel(), minlength=len(rows)) / fewest
    return ClassStrangers(in_class > 0, radii, neighbours, in_class, chosen, lumps)


def nearest_strangers(rows: Floats, groups: Groups, k: int) -> tuple[Doubles, RowNumbers]:
    """Find the k nearest rows of other groups in the maximum norm.

    Parameters
    ----------
    rows
        Shape (n, d).
    groups
        Shape (n,); every row has k strangers.
    k
        Neighbours.

    Returns
    -------
    tuple[Doubles, RowNumbers]
        Distances, the largest last, and row numbers, shape (n, k) each.
    """
    n = len(rows)
    distances, found = np.empty((n, k)), np.empty((n, k), dtype=np.int64)
    if brute_force_pays(n, rows.shape[1]):
        columns = np.ascontiguousarray(rows.T)

        def work(block: slice) -> None:
            """Find the strangers nearest to one block of rows, nearest first."""
            to_all = distances_between(columns[:, block], columns)
            to_all[groups[block, None] == groups] = np.inf
            close = np.argpartition(to_all, k - 1, axis=1)[:, :k]
            reach = np.take_along_axis(to_all, close, axis=1)
            order = np.argsort(reach, axis=1)
            distances[block] = np.take_along_axis(reach, order, axis=1)
            found[block] = np.take_along_axis(close, order, axis=1)

        in_blocks(n, work, n)
        return distances, found

    sizes = np.bincount(groups)
    for own in _large_groups(groups):
        others = np.flatnonzero(groups != groups[own[0]])
        near = cKDTree(rows[others]).query(rows[own], np.arange(1, k + 1), p=np.inf, workers=-1)
        distances[own], found[own] = near[0], others[near[1]]
    tree, pending = cKDTree(rows), np.flatnonzero(sizes[groups] <= LARGE_GROUP)
    sought = 2 * k + 2
    while len(pending):
        sought = min(sought, n)
        left = []
        for some in np.array_split(pending, -(-len(pending) * sought // _FOUND_AT_ONCE)):
            near_distances, near = tree.query(rows[some], sought, p=np.inf, workers=-1)
            strange = groups[near] != groups[some, None]
            nearest = strange & (np.cumsum(strange, axis=1) <= k)
            enough = nearest.sum(axis=1) == k
            nearest &= enough[:, None]
            distances[some[enough]] = near_distances[nearest].reshape(-1, k)
            found[some[enough]] = near[nearest].reshape(-1, k)
            left.append(some[~enough])
        pending, sought = np.concatenate(left), 2 * sought
    return distances, found


def count_strangers(
    rows: Floats, radii: Floats, groups: Groups, sample: RowNumbers
) -> tuple[WholeNumbers, Doubles]:
    """Do what :func:`.count_within` does, of the rows of other groups alone.

    Parameters
    ----------
    rows, radii, sample
        As for :func:`.count_within`.
    groups
        Shape (n,).

    Returns
    -------
    counts
        Shape (n,), int64: rows of other groups closer than the radius, and the row itself.
    share
        Shape (m,): the sum of ``1 / (strangers about i)`` over the rows i of other groups that count the
        sampled row.
    """
    none, large = np.empty(0, dtype=np.int64), _large_groups(groups)
    counts = count_within(rows, radii, none)[0]
    for own in large:
        counts[own] -= count_within(rows[own], radii[own], none)[0] - 1
    for one, other, distance in _pairs_within(rows, groups):
        counts[one] -= distance < radii[one]
        counts[other] -= distance < radii[other]
    share = np.zeros(len(rows))
    share[sample] = _share(rows, radii, counts, sample)
    for own in large:
        inside = np.flatnonzero(np.isin(own, sample))
        share[own[inside]] -= _share(rows[own], radii[own], counts[own], inside)
    weights = 1 / np.maximum(counts - 1, 1)
    for one, other, distance in _pairs_within(rows, groups):
        share[one] -= (distance < radii[other]) * weights[other]
        share[other] -= (distance < radii[one]) * weights[one]
    return counts, share[sample]


def _share(rows: Floats, radii: Floats, counts: WholeNumbers, sample: RowNumbers) -> Doubles:
    if rows.shape[1] == 1:
        return share_sorted(rows[:, 0], radii, counts, sample)
    return share_of_counts(np.ascontiguousarray(rows.T), radii, counts, sample)


def _large_groups(groups: Groups) -> list[RowNumbers]:
    """Give the rows of every group that is searched by itself."""
    sizes = np.bincount(groups)
    return [np.flatnonzero(groups == group) for group in np.flatnonzero(sizes > LARGE_GROUP)]


def _pairs_within(rows: Floats, groups: Groups) -> Iterator[tuple[RowNumbers, RowNumbers, Floats]]:
    """Go through all pairs of rows of groups that are not large, each row once a turn on either side.

    Turn s pairs each row with the s-th after it in its group: memory stays that of n rows, and the time is
    that of all pairs.
    """
    sizes = np.bincount(groups)
    order = np.argsort(groups, kind="stable")
    place = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    after: NDArray[np.int64] = np.repeat(sizes, sizes) - 1 - place
    first = np.flatnonzero(np.repeat(sizes, sizes) <= LARGE_GROUP)
    for step in range(1, min(int(sizes.max()), LARGE_GROUP)):
        first = first[after[first] >= step]
        one, other = order[first], order[first + step]
        yield one, other, np.abs(rows[one] - rows[other]).max(axis=1)
