"""What neighbours miss because they are not near enough: how the reading falls as they lie further away."""

import numpy as np
from scipy.special import digamma

from mitools.estimators.array_types import Doubles, Floats, RowNumbers, WholeNumbers
from mitools.estimators.classical.neighbours.distances import distances_between, in_blocks, positive

COARSER = 4
"""Times as many neighbours: those that k of a quarter of the rows would be. What the reading loses by them is
what it lacks itself if its bias falls like one over the square root of the rows, as it does at edges and in
about four dimensions; where densities are smooth in 1+1 dimensions it falls faster."""


def shortfall(x: Floats, y: Floats, k: int, sample: RowNumbers) -> float:
    """Estimate by how many nats Kraskov's reading falls short, from sampled rows; 0 where it does not.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) and (n, d_y).
    k
        Neighbours of the reading.
    sample
        Shape (m,): rows whose local readings are compared.
    """
    n = len(x)
    many = min(COARSER * k, n - 1)
    if many == k:
        return 0.0
    x_columns, y_columns = np.ascontiguousarray(x.T), np.ascontiguousarray(y.T)
    counts = np.empty((2, 2, len(sample)), dtype=np.int64)

    def work(rows: slice) -> None:
        """Count for one block of sampled rows; the nearest is the row itself."""
        in_x, in_y = (distances_between(side[:, sample[rows]], side) for side in (x_columns, y_columns))
        nearest = np.partition(np.maximum(in_x, in_y), (k, many), axis=1)
        for number, neighbours in enumerate((k, many)):
            radius = positive(nearest[:, [neighbours]])
            for side, distances in enumerate((in_x, in_y)):
                counts[number, side, rows] = (distances < radius).sum(axis=1)

    in_blocks(len(sample), work, len(x))
    near, far = (_local(number, of_both) for number, of_both in zip((k, many), counts, strict=True))
    return max(float((near - far).mean()), 0.0)


def _local(k: int, counts: WholeNumbers) -> Doubles:
    local: Doubles = digamma(k) - digamma(counts).sum(axis=0)
    return local
