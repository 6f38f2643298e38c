"""TwoNN: the intrinsic dimension from the distances of the two nearest neighbours."""

import math

import numpy as np
from numpy.typing import ArrayLike

from mitools.estimators.inputs.validation import as_rows

DISCARDED = 0.1
"""Share of the largest ratios left out of the fit, as in the paper."""


def two_nn(features: ArrayLike) -> float:
    """Intrinsic dimension of features, above 0.

    With mu the ratio of an item's distances to its second and its first neighbour,
    ``-log(1 - F(mu)) = d log mu`` where the density is even over such distances: d is the slope of a line
    through the origin, fitted without the tenth of the largest ratios. Copies of a row count once.

    Parameters
    ----------
    features
        Shape (n, d). Time grows with n^2.

    Returns
    -------
    float
        NaN where fewer than ten distinct rows are there, or all ratios are 1.

    References
    ----------
    Facco, d'Errico, Rodriguez and Laio, "Estimating the intrinsic dimension of datasets by a minimal
    neighborhood information", Scientific Reports 2017, Eq. 5 and section "Methods".

    Examples
    --------
    >>> plane = np.random.default_rng(0).random((2000, 2))
    >>> bool(1.8 < two_nn(np.hstack([plane, plane])) < 2.2)
    True
    """
    from sklearn.neighbors import NearestNeighbors

    rows = np.unique(as_rows(features, "features").astype(np.float64), axis=0)
    if len(rows) < 10:
        return math.nan
    distance = NearestNeighbors(n_neighbors=3, algorithm="brute").fit(rows).kneighbors(rows)[0]
    first, second = distance[:, 1], distance[:, 2]
    kept = np.sort(second[first > 0] / first[first > 0])
    n = len(kept)
    below = np.arange(1, n + 1) / n
    most = int(n * (1 - DISCARDED))
    x, y = np.log(kept[:most]), -np.log1p(-below[:most])
    squares = float(x @ x)
    return float(x @ y) / squares if squares > 0 else math.nan
