"""Means over seeds, with the interval that so few seeds allow."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from mitools.analyses.shared import paired_seeds


class SeedMean(NamedTuple):
    """A mean over seeds and its 95% interval by Student's t; not finite where one seed has none."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """``0.93 (0.90 to 0.96)``, or the mean alone."""
        return f"{self.mean:.2f}" + self.interval * bool(np.isfinite(self.low))

    @property
    def interval(self) -> str:
        """The interval in brackets, with a space before it."""
        return f" ({self.low:.2f} to {self.high:.2f})"


def over_seeds(values: ArrayLike) -> SeedMean:
    """Average over seeds.

    Parameters
    ----------
    values
        Shape (seeds,).

    Examples
    --------
    >>> str(over_seeds([0.9, 1.0, 1.1]))
    '1.00 (0.75 to 1.25)'
    >>> str(over_seeds([1.0]))
    '1.00'
    """
    mean, low, high = paired_seeds.over_seeds(values)
    return SeedMean(mean, low, high) if np.isfinite(low) else SeedMean(mean, -np.inf, np.inf)
