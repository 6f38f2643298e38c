"""Rows that are near copies of others: frames of a clip, crops of a photograph, recordings of a subject."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma

from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles, Floats, RowNumbers, WholeNumbers
from mitools.estimators.dependence.sketch import Sketch
from mitools.estimators.inputs.row_table import NUMBERS_AT_ONCE, NUMBERS_NEAR, RowTable, spans

QUERIES = 1000
"""Random rows whose neighbours are looked for among all rows."""

MOST_NEIGHBOURS = 100
"""Nearest neighbours found of a row. Groups of up to half as many rows are told from a dense region."""

FEWEST_NEIGHBOURS = 10
"""Below this many neighbours the density about a row is not known well enough."""

ROWS_PER_NEIGHBOUR = 20
"""Rows there must be for every neighbour, so that the farthest of them still lies close by."""

CHANCE_OF_A_NEAR_COPY = 1e-5
"""A row is a near copy where, in a smooth density, its nearest would lie so near less often than this."""

NEAR_DISTANCE = 0.5
"""Largest distance of a near copy, as a share of the distance to the farthest neighbour found."""

SHARE_THAT_COUNTS = 0.02
"""Share of near copies from which they are told."""

ATOM_ROWS = 20
"""A value that comes in more of the queries has a probability of its own, as the 0 of a rectifier has."""

ROWS_AT_ONCE = 2048
"""Rows compared together with all queries: their distances, 16 MiB, then stay near the processor."""

UNRESOLVED = 1e-6
"""Distances below this share of the rows' typical length are rounding errors of single precision."""

NEAR_PARTNER_RANK = 0.1
"""Share of the rows nearest to a row in y, within which y of a near copy counts as the same."""

STDERRS_ABOVE_CHANCE = 3.0
"""Standard errors by which partners of near copies must agree more often than chance makes them."""


class NearCopies(NamedTuple):
    """What was found of a sample of the rows.

    Attributes
    ----------
    share
        Of the rows, those with a near copy among the others.
    pairs
        Shape (m, 2): the row numbers of those of the sample, and of the row that is nearest to each.
    """

    share: float
    pairs: RowNumbers


def near_copies_warning(
    x: RowTable | NDArray[Any], y: RowTable | NDArray[Any], seed: int = 0
) -> EstimateWarning | None:
    """Warn where more than 2% of the rows of x are near copies of others, with much the same y.

    Parameters
    ----------
    x
        Shape (n, d): numbers. A table is never read into memory as a whole.
    y
        Labels 0..C-1, shape (n,), integers; or numbers, shape (n, d_y). A row of x that comes again with a
        y of its own is another measurement and no copy: only as many count as agree in y beyond chance.
    seed
        Of the sampled rows and of the projection.

    Returns
    -------
    EstimateWarning | None
        With the word ``near_copies``.
    """
    labels = y if isinstance(y, np.ndarray) and y.ndim == 1 else None
    found = find_near_copies(x, labels, seed)
    share = found.share * partner_agreement(found.pairs, y, seed)
    if share <= SHARE_THAT_COUNTS:
        return None
    first, second = found.pairs[0]
    return EstimateWarning(
        "near_copies",
        f"about {share:.0%} of the rows are near copies of others (rows {first} and {second}, for example):"
        " on both sides of a split they are learnt by heart",
        "give groups=: which image, subject, clip or document a row comes from",
    )


def find_near_copies(
    x: RowTable | NDArray[Any], labels: WholeNumbers | None = None, seed: int = 0
) -> NearCopies:
    """Find rows that lie far nearer to another than the density about them explains.

    Of at most 1,000 random rows the K <= 100 nearest among all rows are found, in at most 32 random
    projections. The farther half of these distances gives the local dimension D (the estimator of
    Levina & Bickel 2004 on a range of ranks); the nearer half may be copies and is left out. In a smooth
    density ``(r_1 / r_K)^D`` is the smallest of K - 1 uniform numbers. A row whose nearest makes that less
    likely than 1e-5, and lies within half of r_K, has a near copy.

    What is not smooth is allowed for. Columns are scaled by their quartiles and bent to a bounded range, so
    that heavy tails do not decide the distances. A value that many rows share (a 0 of a rectifier, a count, a
    category) leaves a row fewer dimensions to differ in: D is at most its number of other values, and rows
    of such values alone are never near copies. Rows that are equal are not near copies but copies
    (:func:`.copied_rows`). With labels the neighbours are at most half as many as the rows of a class, since
    well separated classes are dense regions too.

    The work is n times 1,000 distances in 32 dimensions; the memory does not grow with n.

    Parameters
    ----------
    x
        Shape (n, d), finite.
    labels
        Shape (n,), classes 0..C-1; None where there are none.
    seed
        Of the sampled rows and of the projection.

    Returns
    -------
    NearCopies
        Nothing where there are fewer than 200 rows, or classes have fewer than 20.

    Notes
    -----
    In one or two dimensions rows lie so close together anyhow that only very near copies can be told. Groups
    of more than half the neighbours (50 rows) look like clusters, and clusters of fewer like groups.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images = rng.standard_normal((200, 64))
    >>> find_near_copies(np.repeat(images, 5, axis=0) + 0.1 * rng.standard_normal((1000, 64))).share > 0.9
    True
    >>> find_near_copies(rng.standard_normal((1000, 64))).share
    0.0
    """
    table = RowTable.of(x)
    n = len(table)
    rng = np.random.default_rng(seed)
    sample = np.sort(rng.choice(n, min(n, QUERIES), replace=False))
    neighbours = min(MOST_NEIGHBOURS, n // ROWS_PER_NEIGHBOUR)
    queries = sample
    if labels is not None:
        class_rows = np.bincount(labels)[labels[sample]]
        neighbours = min(neighbours, int(np.median(class_rows)) // 2)
        queries = sample[class_rows >= 2 * neighbours]
    if neighbours < FEWEST_NEIGHBOURS:
        return NearCopies(0.0, np.empty((0, 2), dtype=np.int64))
    rows = table.rows(sample)
    sketch = Sketch(rows, rng)
    nearest, distances = _nearest(table, queries, sketch, neighbours)
    floor = UNRESOLVED * float(np.sqrt(np.square(sketch(rows)).sum(axis=1).mean()))
    other = _first_unequal(table, queries, nearest, distances, 100 * floor)
    places = np.arange(len(queries))
    closest = np.maximum(distances[places, other], floor)
    farthest = distances[:, -1]
    ratio = np.minimum(closest / np.maximum(farthest, floor), 1.0)
    local = _local_dimension(np.maximum(distances, floor))
    free = _values_of_their_own(rows)[np.isin(sample, queries)]
    dimension = np.minimum(np.minimum(local, np.median(local)), free)
    with np.errstate(divide="ignore"):  # at a ratio of 1 the chance is 1
        chance = -np.expm1((neighbours - 1) * np.log1p(-(ratio**dimension)))
    near = (chance < CHANCE_OF_A_NEAR_COPY) & (ratio < NEAR_DISTANCE) & (farthest > 100 * floor)
    pairs = np.stack([queries[near], nearest[places, other][near]], axis=1)
    return NearCopies(float(near.mean()), pairs)


def partner_agreement(pairs: RowNumbers, y: RowTable | NDArray[Any], seed: int = 0) -> float:
    """Say how much more often than by chance the rows of a pair have the same y.

    Labels are the same where they are equal; numbers where one is among the tenth of the rows that lie
    nearest to the other.

    Parameters
    ----------
    pairs
        Shape (m, 2): row numbers.
    y
        Labels 0..C-1, shape (n,), or numbers, shape (n, d).
    seed
        Of the rows that numbers are compared with.

    Returns
    -------
    float
        Cohen's kappa: 1 where all agree, 0 where no more than chance explains.
    """
    if not len(pairs):
        return 0.0
    first, second = pairs.T
    if isinstance(y, np.ndarray) and y.ndim == 1:
        agree = y[first] == y[second]
        chance = float((np.bincount(y) / len(y))[y[first]].mean())
    else:
        table = RowTable.of(y)
        rng = np.random.default_rng(seed)
        others = table.rows(np.sort(rng.choice(len(table), min(len(table), 200), replace=False)))
        sketch = Sketch(others, rng)
        one, two, rest = (sketch(rows) for rows in (table.rows(first), table.rows(second), others))
        between = np.square(one - two).sum(axis=1)
        nearer = (_squared_distances(one, rest) < between[:, None]).mean(axis=1)
        agree, chance = nearer < NEAR_PARTNER_RANK, NEAR_PARTNER_RANK
    excess = float(agree.mean()) - chance
    noise = np.sqrt(chance * (1 - chance) / len(pairs))
    return excess / (1 - chance) if excess > STDERRS_ABOVE_CHANCE * noise else 0.0


def _nearest(
    table: RowTable, queries: RowNumbers, sketch: Sketch, neighbours: int
) -> tuple[RowNumbers, Doubles]:
    """Find the nearest rows of each query, itself left out: numbers and distances, shape (q, k), in order."""
    points = sketch(table.rows(queries))
    best = np.full((len(queries), neighbours), np.inf)
    numbers = np.zeros(best.shape, dtype=np.int64)
    for places, rows in table.chunks(max(table.width, NUMBERS_AT_ONCE // ROWS_AT_ONCE)):
        squares = _squared_distances(points, sketch(rows))
        own = np.flatnonzero((queries >= places.start) & (queries < places.stop))
        squares[own, queries[own] - places.start] = np.inf
        closer, found = _closer_than(best[:, -1], squares)
        best, numbers = np.hstack([best, closer]), np.hstack([numbers, found + places.start])
        kept = np.argpartition(best, neighbours - 1, axis=1)[:, :neighbours]
        best, numbers = np.take_along_axis(best, kept, 1), np.take_along_axis(numbers, kept, 1)
    order = np.argsort(best, axis=1, kind="stable")
    best, numbers = np.take_along_axis(best, order, 1), np.take_along_axis(numbers, order, 1)
    return numbers, np.sqrt(np.maximum(best, 0))


def _closer_than(limits: Doubles, squares: Doubles) -> tuple[Doubles, RowNumbers]:
    """Take from every row of a table what lies below its limit: values, padded by infinity, and places."""
    if np.isinf(limits).any():
        return squares, np.broadcast_to(np.arange(squares.shape[1]), squares.shape)
    which, found = np.nonzero(squares < limits[:, None])
    counts = np.bincount(which, minlength=len(squares))
    column = np.arange(len(which)) - np.repeat(np.cumsum(counts) - counts, counts)
    closer = np.full((len(squares), int(counts.max())), np.inf)
    places = np.zeros(closer.shape, dtype=np.int64)
    closer[which, column], places[which, column] = squares[which, found], found
    return closer, places


def _squared_distances(a: Doubles, b: Doubles) -> Doubles:
    """Shape (m, n), of rows of shapes (m, k) and (n, k)."""
    found = a @ (-2 * b.T)
    found += np.square(a).sum(axis=1)[:, None]
    found += np.square(b).sum(axis=1)
    return found


def _first_unequal(
    table: RowTable, queries: RowNumbers, nearest: RowNumbers, distances: Doubles, reach: float
) -> RowNumbers:
    """Give the place of the nearest row that is not equal to the query, shape (q,); the last if all are."""
    place = np.zeros(len(queries), dtype=np.int64)
    rows = table.rows(queries)
    undecided = np.flatnonzero(distances[:, 0] < reach)
    for rank in range(nearest.shape[1] - 1):
        undecided = undecided[distances[undecided, rank] < reach]
        equal = (table.rows(nearest[undecided, rank]) == rows[undecided]).all(axis=1)
        undecided = undecided[equal]
        if not len(undecided):
            break
        place[undecided] = rank + 1
    return place


def _local_dimension(distances: Doubles) -> Doubles:
    """Estimate the dimension about each row from the farther half of its neighbours, shape (q, k) to (q,)."""
    k = distances.shape[1]
    inner = k // 2
    expected = float((digamma(k) - digamma(np.arange(inner + 1, k))).mean())
    growth = np.log(distances[:, -1:] / distances[:, inner:-1]).mean(axis=1)
    return expected / np.maximum(growth, np.finfo(float).tiny)


def _values_of_their_own(rows: Floats) -> NDArray[np.int64]:
    """Count in each row the values that few other rows have in the same column, shape (m, d) to (m,)."""
    m, d = rows.shape
    free = np.zeros(m, dtype=np.int64)
    for some in spans(d, m, NUMBERS_NEAR):
        columns = np.ascontiguousarray(rows[:, some].T)
        in_order = np.sort(columns, axis=1)
        with_atoms = (in_order[:, ATOM_ROWS:] == in_order[:, :-ATOM_ROWS]).any(axis=1)
        free += np.count_nonzero(~with_atoms)
        for column in columns[with_atoms]:
            _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
            free += counts[value] <= ATOM_ROWS
    return free
