"""Readings by neighbours in other groups, of fewer rows a group where a group's rows come as one lump.

Leaving a row's own group out is not enough where the rows of a group are near copies: its k nearest rows
are then rows of one other group, which count as one neighbour and not as k. Such groups are thinned, to so
few rows each, drawn at random, that neighbours come from different groups; readings are averaged over several
draws (within-cluster resampling: Hoffman, Sen & Weinberg 2001).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.array_types import Doubles, Floats, RowNumbers
from mitools.estimators.inputs.groups import Groups

MOST_CLUMPED = 0.15
"""Share of a row's neighbours, beyond that by chance, that may be of one group with another."""

MOST_DRAWS = 10
"""Draws of thinned groups that are averaged."""

STDERR_ROWS_IN_GROUPS = 2_000
"""Rows, in whole groups, whose influence is worked out for a standard error."""


class LocalReadings(NamedTuple):
    """What one draw of rows reads.

    Attributes
    ----------
    nats
        Shape (m,): the local reading of every row.
    pull
        Shape (s,): how each sampled row moves those of others.
    reach
        Shape (m,): the distance to the last neighbour.
    clumped
        See :func:`clumped`.
    """

    nats: Doubles
    pull: Doubles
    reach: Floats
    clumped: float


class GroupedReading(NamedTuple):
    """The mean over draws.

    Attributes
    ----------
    nats, stderr
        The reading and its standard error, of groups.
    reach
        As of the first draw.
    rows_per_group
        At the most, in every draw.
    """

    nats: float
    stderr: float
    reach: Floats
    rows_per_group: int


def read_groups(
    groups: Groups,
    read: Callable[[RowNumbers, RowNumbers], LocalReadings],
    k: int,
    rng: np.random.Generator,
    rows_per_group: int | None = None,
) -> GroupedReading:
    """Read rows in groups, thinned as far as their neighbours need.

    Parameters
    ----------
    groups
        Shape (n,).
    read
        Given the rows of a draw, shape (m,), and the places among them of the sampled ones, shape (s,).
    k
        Neighbours; thinned groups leave as many rows in others.
    rng
        Draws the rows, and the groups whose influence is worked out.
    rows_per_group
        So many, in place of those that the neighbours need.
    """
    sizes = np.bincount(groups)
    sampled = _sampled_groups(sizes, rng)
    places = np.cumsum(sampled) - 1

    def once(cap: int) -> tuple[LocalReadings, Doubles]:
        rows = _thinned(groups, cap, rng)
        sample = np.flatnonzero(sampled[groups[rows]])
        found = read(rows, sample)
        influence = found.nats[sample] + found.pull
        own = places[groups[rows[sample]]]
        return found, np.bincount(own, influence - influence.mean()) / len(rows)

    cap = int(sizes.max()) if rows_per_group is None else rows_per_group
    draws = [once(cap)]
    while (
        rows_per_group is None
        and cap > 1
        and draws[0][0].clumped > MOST_CLUMPED
        and fewest_strangers(np.minimum(sizes, _fewer(cap))) >= k
    ):
        cap = _fewer(cap)
        draws = [once(cap)]
    draws += [once(cap) for _ in range(1, min(MOST_DRAWS, -(-int(sizes.max()) // cap)))]
    of_groups = np.mean([sums for _, sums in draws], axis=0)
    stderr = np.sqrt(len(sizes) / (len(of_groups) - 1)) * np.linalg.norm(of_groups)
    nats = float(np.mean([found.nats.mean() for found, _ in draws]))
    return GroupedReading(nats, float(stderr), draws[0][0].reach, cap)


def clumped(neighbours: RowNumbers, groups: Groups) -> float:
    """Say how often neighbours are of one group with another neighbour, beyond what chance brings.

    Parameters
    ----------
    neighbours
        Shape (n, k): each row's nearest, of other groups.
    groups
        Shape (n,), counted from 0.

    Returns
    -------
    float
        0 where neighbours are of groups by chance, or k is 1; 1 where all are of one group.
    """
    k, sizes = neighbours.shape[1], np.bincount(groups)
    if k < 2:
        return 0.0
    share = float((np.diff(np.sort(groups[neighbours], axis=1), axis=1) == 0).mean())
    # Of k rows drawn from the other groups, those of a group that another of them is of.
    size, count = np.unique(sizes[sizes > 0], return_counts=True)
    chances = np.minimum(size / (len(groups) - size)[:, None], 1.0)
    others = count - np.eye(len(size))
    distinct = (others * (1 - (1 - chances) ** k)).sum(axis=1)
    chance = float(size * count @ (k - distinct)) / (len(groups) * (k - 1))
    return max(0.0, (share - chance) / (1 - chance)) if chance < 1 else 0.0


def fewest_strangers(sizes: RowNumbers) -> int:
    """Count the rows of other groups, for the rows of the greatest group, from the sizes of all."""
    return int(sizes.sum() - sizes.max())


def _fewer(cap: int) -> int:
    """Give the next lower power of two."""
    return 1 << ((cap - 1).bit_length() - 1) if cap > 1 else 1


def _sampled_groups(sizes: RowNumbers, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Draw groups until they come to 2,000 rows, and two at the least: whether each is, shape (G,)."""
    drawn = rng.permutation(len(sizes))
    count = max(2, int(np.searchsorted(np.cumsum(sizes[drawn]), STDERR_ROWS_IN_GROUPS)) + 1)
    sampled = np.zeros(len(sizes), dtype=bool)
    sampled[drawn[:count]] = True
    return sampled


def _thinned(groups: Groups, cap: int, rng: np.random.Generator) -> RowNumbers:
    """Draw at most so many rows of every group, in order."""
    sizes = np.bincount(groups)
    if cap >= sizes.max():
        return np.arange(len(groups))
    order = rng.permutation(len(groups))
    order = order[np.argsort(groups[order], kind="stable")]
    place = np.arange(len(groups)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.sort(order[place < cap])
