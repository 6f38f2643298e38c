"""Nearest neighbours in the maximum norm: by trees in few dimensions, by brute force in many."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from mitools.estimators.array_types import Floats, WholeNumbers
from mitools.estimators.classical.neighbours.distances import (
    beyond,
    distances_between,
    in_blocks,
    positive,
    shifted_in_blocks,
)
from mitools.estimators.classical.neighbours.least_columns import least_columns
from mitools.estimators.classical.neighbours.square_counts import count_in_squares, windows


class Strips(NamedTuple):
    """The neighbours of every row, and how many rows share the strips that they span.

    Attributes
    ----------
    neighbours
        Shape (n, k): row numbers, in no order.
    reach
        Shape (n,): the distance to the k-th.
    n_x, n_y
        Shape (n,): rows closer in x (in y) than the strip is wide, the row itself included.
    share_x, share_y
        Shape (m,): see :func:`count_within`, for m sampled rows.
    """

    neighbours: WholeNumbers
    reach: Floats
    n_x: WholeNumbers
    n_y: WholeNumbers
    share_x: NDArray[np.float64]
    share_y: NDArray[np.float64]


def brute_force_pays(n: int, dimensions: int) -> bool:
    """Whether all n^2 distances take less time than trees in so many joint dimensions.

    Measured with normal rows of equally many dimensions on either side, neighbours, counts and null
    together: the two break even at n = 1,500 in 2+2 dimensions, 4,000 in 3+3, 15,000 in 4+4 and 40,000 in
    5+5, which ``4 dimensions^4`` goes through. With one dimension a side, counting is a matter of sorting,
    and trees always win.
    """
    return dimensions > 2 and n < 4 * dimensions**4


def strips_by_tree(x: Floats, y: Floats, k: int, own_extent: bool, sample: WholeNumbers) -> Strips:
    """Find each row's k nearest in (x, y), and count the rows as close in x alone and in y alone.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y).
    k
        Neighbours, fewer than n.
    own_extent
        False: both strips are as wide as the k-th neighbour is far, and leave it out (Kraskov's first
        algorithm). True: each is as wide as the neighbours reach on its side, and includes them (the
        second).
    sample
        Shape (m,): the rows whose shares are wanted.
    """
    distances, neighbours = nearest_others(np.hstack([x, y]), k)
    if own_extent:
        r_x, r_y = (beyond(np.abs(side[neighbours] - side[:, None]).max(axis=(1, 2))) for side in (x, y))
    else:
        r_x = r_y = positive(distances[:, -1])
    n_x, share_x = count_within(x, r_x, sample)
    n_y, share_y = count_within(y, r_y, sample)
    return Strips(neighbours, distances[:, -1], n_x, n_y, share_x, share_y)


def strips_by_brute_force(
    x: Floats, y: Floats, k: int, own_extent: bool, sample: WholeNumbers, permuted: bool = True
) -> list[Strips]:
    """Do what :func:`strips_by_tree` does from all distances, and at once for permuted pairs if asked to.

    The permuted pairs are row i of x with row ``shifted_in_blocks(n)[i]`` of y. As that permutes the rows
    of a block among themselves, their distances are at hand and need not be worked out again. The rows must
    be in random order, so that neighbours in the table are strangers.
    """
    n = len(x)
    permutation = shifted_in_blocks(n)
    x_columns, y_columns = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    neighbours = np.empty((2, n, k), dtype=np.int64)
    radii = np.empty((2, 2, n), dtype=x.dtype)
    counts = np.empty((2, 2, n), dtype=np.int64)

    def work(rows: slice) -> None:
        """Fill in what belongs to one block of rows, of the pairs and of the permuted ones."""
        in_x, in_y = (distances_between(columns[:, rows], columns) for columns in (x_columns, y_columns))
        distances_of_y = [in_y]
        if permuted:
            distances_of_y.append(in_y.take(permutation, axis=1)[permutation[rows] - rows.start])
        for pairs, of_y in enumerate(distances_of_y):
            joint = np.maximum(in_x, of_y)
            close = least_columns(joint, k + 1)
            close = close[_others(close, rows)].reshape(-1, k)
            neighbours[pairs, rows] = close
            for side, distances in enumerate((in_x, of_y)):
                reach = np.take_along_axis(distances if own_extent else joint, close, axis=1).max(axis=1)
                radius = beyond(reach) if own_extent else positive(reach)
                radii[pairs, side, rows] = radius
                counts[pairs, side, rows] = _count_rows(distances < radius[:, None])

    in_blocks(n, work, n)

    def found(pairs: int, of_y: Floats) -> Strips:
        (r_x, r_y), (n_x, n_y) = radii[pairs], counts[pairs]
        share_x, share_y = (
            share_of_counts(x_columns, r_x, n_x, sample),
            share_of_counts(of_y, r_y, n_y, sample),
        )
        return Strips(neighbours[pairs], np.maximum(r_x, r_y), n_x, n_y, share_x, share_y)

    return [found(0, y_columns)] + ([found(1, y_columns[:, permutation])] if permuted else [])


def nearest_others(rows: Floats, k: int) -> tuple[NDArray[np.float64], WholeNumbers]:
    """Find the k nearest other rows, by a tree or by brute force.

    Parameters
    ----------
    rows
        Shape (n, d).
    k
        Neighbours, fewer than n.

    Returns
    -------
    tuple[NDArray[np.float64], WholeNumbers]
        Distances, the largest last, and row numbers, shape (n, k) each.
    """
    n = len(rows)
    if not brute_force_pays(n, rows.shape[1]):
        distances, found = cKDTree(rows).query(rows, k + 1, p=np.inf, workers=-1)
        others = _others(found, slice(0, n))
        return distances[others].reshape(n, k), found[others].reshape(n, k).astype(np.int64)
    columns = np.ascontiguousarray(rows.T)
    distances, found = np.empty((n, k)), np.empty((n, k), dtype=np.int64)

    def work(block: slice) -> None:
        """Find the neighbours of one block of rows, nearest first."""
        to_all = distances_between(columns[:, block], columns)
        close = least_columns(to_all, k + 1)
        close = close[_others(close, block)].reshape(-1, k)
        reach = np.take_along_axis(to_all, close, axis=1)
        order = np.argsort(reach, axis=1)
        distances[block] = np.take_along_axis(reach, order, axis=1)
        found[block] = np.take_along_axis(close, order, axis=1)

    in_blocks(n, work, n)
    return distances, found


def count_within(
    rows: Floats, radii: Floats, sample: WholeNumbers
) -> tuple[WholeNumbers, NDArray[np.float64]]:
    """Count the rows closer to each row than its radius, and how much of such counts a row makes up.

    Parameters
    ----------
    rows
        Shape (n, d).
    radii
        Shape (n,), positive.
    sample
        Shape (m,): the rows whose share is wanted.

    Returns
    -------
    counts
        Shape (n,), int64, the row itself included.
    share
        Shape (m,): the sum of ``1 / (others about i)`` over the other rows i that count the sampled row;
        over all rows its mean is 1.
    """
    if rows.shape[1] == 1:
        return _count_sorted(rows[:, 0], radii, sample)
    columns = np.ascontiguousarray(rows.T)
    if brute_force_pays(len(rows), rows.shape[1]):
        counts = np.empty(len(rows), dtype=np.int64)

        def work(block: slice) -> None:
            """Count the rows near to those of one block."""
            counts[block] = _count_rows(distances_between(columns[:, block], columns) < radii[block, None])

        in_blocks(len(rows), work, len(rows))
    elif rows.shape[1] == 2:
        counts = count_in_squares(rows, radii)
    else:
        # scikit-learn's tree counts boxes that lie inside whole, in a third of the time of scipy's.
        from sklearn.neighbors import KDTree

        inside = np.nextafter(radii, 0)
        counts = KDTree(rows, metric="chebyshev").query_radius(rows, inside, count_only=True)
    return counts, share_of_counts(columns, radii, counts, sample)


def _count_sorted(
    values: Floats, radii: Floats, sample: WholeNumbers
) -> tuple[WholeNumbers, NDArray[np.float64]]:
    """Count in one dimension by sorting; see :func:`count_within`."""
    n = len(values)
    order = np.argsort(values, kind="stable")
    first, stop = windows(values[order], radii[order])
    weights = 1 / np.maximum(stop - first - 1, 1)
    counts = np.empty(n, dtype=np.int64)
    counts[order] = stop - first
    return counts, _sums_over(order, first, stop, weights)[sample]


def share_sorted(
    values: Floats, radii: Floats, counts: WholeNumbers, sample: WholeNumbers
) -> NDArray[np.float64]:
    """Do what :func:`share_of_counts` does in one dimension, shape (n,), by sorting."""
    order = np.argsort(values, kind="stable")
    first, stop = windows(values[order], radii[order])
    return _sums_over(order, first, stop, 1 / np.maximum(counts[order] - 1, 1))[sample]


def _sums_over(
    order: WholeNumbers, first: WholeNumbers, stop: WholeNumbers, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Add up the weights of the other rows whose windows hold each row, shape (n,)."""
    n = len(order)
    edges = np.bincount(first, weights, n + 1) - np.bincount(stop, weights, n + 1)
    share = np.empty(n)
    share[order] = np.cumsum(edges)[:-1] - weights
    return share


def share_of_counts(
    columns: Floats, radii: Floats, counts: WholeNumbers, sample: WholeNumbers
) -> NDArray[np.float64]:
    """Work out the shares of :func:`count_within` from distances, rows given as (d, n)."""
    weights = 1 / np.maximum(counts - 1, 1)
    share = np.empty(len(sample))

    def work(block: slice) -> None:
        """Add up the shares of one block of sampled rows."""
        share[block] = (distances_between(columns[:, sample[block]], columns) < radii) @ weights

    in_blocks(len(sample), work, columns.shape[1])
    return share - weights[sample]


def _others(found: WholeNumbers, rows: slice) -> NDArray[np.bool_]:
    """Mark all but one of the k + 1 nearest of each row: itself, or the last where duplicates push it out."""
    own = found == np.arange(rows.start, rows.start + len(found))[:, None]
    own[~own.any(axis=1), -1] = True
    return ~own


def _count_rows(inside: NDArray[np.bool_]) -> WholeNumbers:
    # Row by row, numpy counts bits; along an axis it adds up integers, eight times slower.
    return np.fromiter(map(np.count_nonzero, inside), dtype=np.int64, count=len(inside))
