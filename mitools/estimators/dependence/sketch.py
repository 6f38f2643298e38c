"""Rows as a few numbers each that keep their distances: for what need not know every column."""

import numpy as np

from mitools.estimators.array_types import Doubles, Floats

SKETCH_DIMENSIONS = 32
"""Dimensions that more columns are projected to; distances then keep their size to about an eighth."""

RANGE_OF_A_COLUMN = 3.0
"""Deviations from the median that no value, however far, exceeds once it is bent."""


class Sketch:
    """Columns of one scale and a bounded range, projected at random where they are many.

    Every value becomes ``z / (1 + |z| / 3)``, z being its deviation from the median in robust standard
    deviations: order and small distances stay, and heavy tails decide nothing. More than 32 columns are
    projected by a normal matrix, which keeps squared distances on average (Johnson & Lindenstrauss 1984).

    Parameters
    ----------
    rows
        Shape (m, d): a sample, which gives medians and scales.
    rng
        Draws the projection.
    """

    def __init__(self, rows: Floats, rng: np.random.Generator) -> None:
        low, self.middle, high = np.quantile(rows, [0.25, 0.5, 0.75], axis=0).astype(rows.dtype)
        # Where most values are one, the mean deviation. Both are the standard deviation of normal values.
        scale = np.where(high > low, (high - low) / 1.35, 1.25 * np.abs(rows - self.middle).mean(axis=0))
        self.inverse = np.divide(1, scale, out=np.zeros_like(rows[0]), where=scale > 0)
        d = rows.shape[1]
        self.projection = None
        if d > SKETCH_DIMENSIONS:
            projection = rng.standard_normal((d, SKETCH_DIMENSIONS)) / np.sqrt(SKETCH_DIMENSIONS)
            self.projection = projection.astype(rows.dtype)

    def __call__(self, rows: Floats) -> Doubles:
        """Sketch rows, shape (m, d) to (m, at most 32)."""
        scaled = rows - self.middle
        scaled *= self.inverse
        bent = np.abs(scaled)
        bent *= 1 / RANGE_OF_A_COLUMN
        bent += 1
        scaled /= bent
        return np.asarray(scaled if self.projection is None else scaled @ self.projection, dtype=np.float64)
