"""Rows in the basis of their principal components, the strongest first."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

NEGLIGIBLE = 1e-12
"""Share of the largest eigenvalue below which a component is rounding error."""


class PrincipalScores(NamedTuple):
    """What principal components make of n centred rows.

    Attributes
    ----------
    scores
        Shape (n, k): the rows in their basis; columns without variance are left out.
    variances
        Shape (k,): mean squares of the columns, falling.
    """

    scores: NDArray[np.float64]
    variances: NDArray[np.float64]

    @classmethod
    def of(cls, rows: NDArray[np.float64]) -> Self:
        """Turn centred rows, shape (n, d), into the basis; memory is of order n d and min(n, d)^2."""
        n, d = rows.shape
        values, vectors = np.linalg.eigh(rows @ rows.T if n < d else rows.T @ rows)
        values, vectors = values[::-1], vectors[:, ::-1]
        kept = values > NEGLIGIBLE * max(float(values[0]), 0.0)
        values, vectors = values[kept], vectors[:, kept]
        return cls(vectors * np.sqrt(values) if n < d else rows @ vectors, values / n)
