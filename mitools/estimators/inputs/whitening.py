"""Columns turned into uncorrelated ones of unit variance, by the covariance of training rows."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from sklearn.covariance import ledoit_wolf_shrinkage

from mitools.core.errors import InputError

LEAST_VARIANCE_SHARE = 1e-9
"""Share of the largest variance below which a direction holds rounding errors alone."""


class Whitening:
    """A linear map after which a Gaussian fit to the rows is standard normal.

    The covariance is shrunk (Ledoit & Wolf 2004), so that the map exists where rows are fewer than
    columns. Directions in which the rows do not vary, although they are more than the columns, are left
    out: constant columns, copies, and what else is linear in others.

    Parameters
    ----------
    rows
        Shape (n, d), the rows that the map is fitted to.

    Attributes
    ----------
    log_volume
        Logarithm of the map's Jacobian where nothing is left out.
    keeps_all
        Whether nothing is.

    Raises
    ------
    InputError
        When no column varies.
    """

    def __init__(self, rows: NDArray[np.float32]) -> None:
        n, d = rows.shape
        varies = np.ptp(rows, axis=0) > 0
        if not varies.any():
            raise InputError("y does not vary on the training rows: there is no density to model")
        self.mean = rows.mean(axis=0, dtype=np.float64)
        centred = (rows - self.mean)[:, varies]
        values, vectors = np.linalg.eigh(centred.T @ centred / n)
        if n > len(values):
            held = values > LEAST_VARIANCE_SHARE * values[-1]
            values, vectors = values[held], vectors[:, held]
        intensity = ledoit_wolf_shrinkage(centred @ vectors, assume_centered=True)
        values = (1 - intensity) * values + intensity * values.mean()
        self.matrix = np.zeros((d, len(values)))
        self.matrix[varies] = vectors / np.sqrt(values)
        self.log_volume = -float(np.log(values).sum()) / 2
        self.keeps_all = len(values) == d

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Whiten rows, shape (m, d): shape (m, directions kept)."""
        return ((rows - self.mean) @ self.matrix).astype(np.float32)


def log_standard_normal(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log density of the standard normal at rows, shape (n, d): shape (n,)."""
    return -np.square(rows).sum(axis=1) / 2 - rows.shape[1] / 2 * math.log(2 * math.pi)


class WhitenedScaling:
    """A scaling of columns, then a whitening, both fitted on training rows.

    Parameters
    ----------
    scale
        Maps rows of shape (m, d) to rows of the same shape.
    rows
        Shape (n, d), unscaled, the rows that the whitening is fitted to.

    Attributes
    ----------
    whiten
        The second of the two.
    """

    def __init__(
        self, scale: Callable[[NDArray[np.float32]], NDArray[np.float32]], rows: NDArray[np.float32]
    ) -> None:
        self.scale = scale
        self.whiten = Whitening(scale(rows))

    def __call__(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """Scale and whiten rows, shape (m, d)."""
        return self.whiten(self.scale(rows))
