"""How many points lie in the open interval, or square, about each of them: exact, in n log n steps."""

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.array_types import Floats, WholeNumbers

Places = NDArray[np.int32]
"""Of points in an order, counted from 0: half the memory of row numbers, for what is looked up often."""


def windows(values: Floats, radii: Floats) -> tuple[WholeNumbers, WholeNumbers]:
    """Find the first value closer to each than its radius, and the first beyond, of values in order."""
    edges = np.flatnonzero(np.concatenate([[True], values[1:] != values[:-1], [True]]))
    distinct = values[edges[:-1]]
    first = np.searchsorted(distinct, values - radii, side="right")
    stop = np.searchsorted(distinct, values + radii, side="left")
    # The sums above are rounded; what counts is the rounded difference, as in every other search.
    padded = np.concatenate([[-np.inf], distinct, [np.inf]]).astype(values.dtype)
    first -= values - padded[first] < radii
    first += values - padded[first + 1] >= radii
    stop += padded[stop + 1] - values < radii
    stop -= padded[stop] - values >= radii
    return edges[first], edges[stop]


def count_in_squares(points: Floats, radii: Floats) -> WholeNumbers:
    """Count the points whose maximum norm from each is below its radius, itself included.

    In order of the first column a square is a window of places, and what counts in it are places in the
    order of the second column that lie in another window. Those below a place are counted by a wavelet matrix
    (Claude, Navarro & Ordóñez 2015): log2(n) levels, each sorted by one more bit of these places, through
    which a window is followed.

    Parameters
    ----------
    points
        Shape (n, 2).
    radii
        Shape (n,), positive.

    Returns
    -------
    WholeNumbers
        Shape (n,).

    Examples
    --------
    >>> points = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    >>> count_in_squares(points, np.array([1.5, 1.0, 5.0])).tolist()
    [2, 1, 3]
    """
    n = len(points)
    by_first, by_second = (np.argsort(column, kind="stable") for column in points.T)
    heights = np.empty(n, dtype=np.int32)
    heights[by_second] = np.arange(n, dtype=np.int32)
    low, high = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32)
    low[by_second], high[by_second] = windows(points[by_second, 1], radii[by_second])
    starts, stops = windows(points[by_first, 0], radii[by_first])
    counts = np.empty(n, dtype=np.int64)
    counts[by_first] = _count_between(heights[by_first], starts, stops, low[by_first], high[by_first])
    return counts


def _count_between(
    heights: Places, starts: WholeNumbers, stops: WholeNumbers, low: Places, high: Places
) -> WholeNumbers:
    """Count in each window of a permutation of 0..n-1 what is not below `low` but below `high`."""
    n = len(heights)
    limit = np.concatenate([high, low])
    start, stop = (np.concatenate([edge, edge]).astype(np.int32) for edge in (starts, stops))
    below = np.zeros(len(limit), dtype=np.int64)
    zeros = np.zeros(n + 1, dtype=np.int32)
    for bit in range(n.bit_length() - 1, -1, -1):
        is_zero = (heights >> bit) & 1 == 0
        np.cumsum(is_zero, out=zeros[1:])
        start_zeros, stop_zeros = zeros[start], zeros[stop]
        # Where the limit has this bit, all without it lie below, and those with it go on to be compared.
        has_bit = (limit >> bit) & 1 == 1
        below += np.where(has_bit, stop_zeros - start_zeros, 0)
        start = np.where(has_bit, zeros[n] + start - start_zeros, start_zeros)
        stop = np.where(has_bit, zeros[n] + stop - stop_zeros, stop_zeros)
        heights = np.concatenate([heights[is_zero], heights[~is_zero]])
    return below[:n] - below[n:]
