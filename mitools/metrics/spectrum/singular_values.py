"""The singular values of features, from which every measure of this folder is read."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.validation import as_table

ROUNDING = 1e-13
"""Share of the largest eigenvalue below which one is the rounding error of a double-precision product."""


class Spectrum(NamedTuple):
    """The singular values of n rows of d columns, from the largest on.

    Attributes
    ----------
    raw
        Shape (min(n, d),): of the rows as they are.
    centred
        Shape (min(n, d),): of the rows less their mean. The eigenvalues of the covariance are their squares
        divided by n - 1.
    """

    raw: NDArray[np.float64]
    centred: NDArray[np.float64]

    @classmethod
    def of(cls, features: ArrayLike | RowTable) -> Self:
        """Compute the singular values; rows are read a bounded part at a time where n > d.

        Parameters
        ----------
        features
            Shape (n, d). Memory is of order min(n, d)^2, and n d where n < d.

        Raises
        ------
        InputError
            When the features are malformed.

        Examples
        --------
        >>> Spectrum.of([[3.0, 0.0], [0.0, 4.0]]).raw
        array([4., 3.])
        """
        table = as_table(features, "features", centring=None)
        n, d = table.shape
        if n < d:
            whole = table.rows().astype(np.float64)
            centred = whole - whole.mean(axis=0)
            return cls(_roots(whole @ whole.T), _roots(centred @ centred.T))
        mean = np.zeros(d)
        for _, rows in table.chunks():
            mean += rows.sum(axis=0, dtype=np.float64) / n
        product = np.zeros((d, d))
        for _, rows in table.chunks():
            shifted = rows - mean
            product += shifted.T @ shifted
        return cls(_roots(product + n * np.outer(mean, mean)), _roots(product))


def entropy_rank(weights: NDArray[np.float64], offset: float = 1e-7) -> float:
    """Give exp of the entropy of weights that are first divided by their sum; 0 where all are 0.

    Parameters
    ----------
    weights
        Shape (k,), none negative.
    offset
        Added to every share, as the papers do.
    """
    total = float(weights.sum())
    if total == 0:
        return 0.0
    share = weights / total + offset
    return float(np.exp(-(share * np.log(share)).sum()))


def _roots(product: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roots of the eigenvalues of a positive semi-definite matrix, the largest first."""
    values = np.linalg.eigvalsh(product)[::-1]
    return np.sqrt(np.where(values > ROUNDING * max(values[0], 0.0), values, 0.0))
