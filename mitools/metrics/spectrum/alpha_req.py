"""alpha-ReQ: how fast the eigenvalues of the features' covariance fall."""

import math

import numpy as np

from mitools.metrics.spectrum.singular_values import Spectrum

FIRST_RANK, LAST_RANK = 11, 100
"""Ranks that the power law is fitted to, counted from 1, as by default in `reptrix`, a package of two of the
authors; all where fewer than ten are beyond the first ten."""


def alpha_req(spectrum: Spectrum) -> float:
    """Exponent alpha of the power law ``lambda_k ~ k^-alpha``; near 1 is best.

    Least squares of ``log lambda_k`` on ``log k`` over ranks 11 to 100 with weights 1 / k. Below 1 the
    eigenvalues fall so slowly that a probe fits noise; far above 1 few directions are left. The paper names
    no ranks, and its training code fits others at other places (4 to 100, 6 to 80): compare numbers of one
    choice.

    Parameters
    ----------
    spectrum
        Of the features.

    Returns
    -------
    float
        NaN where fewer than three eigenvalues are not 0.

    References
    ----------
    Agrawal, Mondal, Ghosh and Richards, "alpha-ReQ", NeurIPS 2022, section 3; Stringer et al., "High-
    dimensional geometry of population responses in visual cortex", Nature 2019, for the weights.

    Examples
    --------
    >>> import numpy as np
    >>> falling = np.arange(1, 201) ** -0.6  # singular values, the roots of the eigenvalues
    >>> round(alpha_req(Spectrum(falling, falling)), 3)
    1.2
    """
    eigenvalues = spectrum.centred[spectrum.centred > 0] ** 2
    first = FIRST_RANK if len(eigenvalues) >= 2 * (FIRST_RANK - 1) else 1
    rank = np.arange(first, min(LAST_RANK, len(eigenvalues)) + 1)
    if len(rank) < 3:
        return math.nan
    x, y, weight = np.log(rank), np.log(eigenvalues[rank - 1]), 1 / rank
    x_mean, y_mean = np.average(x, weights=weight), np.average(y, weights=weight)
    slope = (weight * (x - x_mean) * (y - y_mean)).sum() / (weight * (x - x_mean) ** 2).sum()
    return float(-slope)
