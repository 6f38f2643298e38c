"""Uniformity: how evenly the features are spread over the unit sphere."""

import math

import numpy as np
import torch

from mitools.core.errors import InputError
from mitools.metrics.sphere import BLOCK_ROWS, Device, Features, UnitRows


def uniformity(features: Features, t: float = 2.0, device: Device = "cpu") -> float:
    """Log of the mean Gaussian potential, ``log E exp(-t ||x - y||^2)``, over pairs i < j; lower is better.

    The mean runs over all pairs of different rows, in blocks, as a running log-sum-exp: memory beyond
    one normalised copy of the features (none of a large array in a file) does not grow with n, and a large
    `t` does not underflow.

    Parameters
    ----------
    features
        Shape (n, d), L2-normalised here. A row of zeros stays at the origin (see
        :func:`mitools.metrics.sphere.unit_rows`).
    t
        The sharpness of the potential; positive.
    device
        Where to compute.

    Returns
    -------
    float
        Between ``-4 t`` (two antipodal rows) and 0 (all rows alike).

    Raises
    ------
    InputError
        When there are fewer than two rows, values are not finite, or `t` is not positive.

    References
    ----------
    Wang and Isola, "Understanding Contrastive Representation Learning through Alignment and Uniformity on
    the Hypersphere", ICML 2020, section 4.1; over the pairs of a sample as in their released ``lunif``.
    """
    if not 0 < t < math.inf:
        raise InputError(f"t={t} must be positive")
    unit = UnitRows(features, device)
    n = len(unit)
    if n < 2:
        raise InputError("uniformity compares pairs of rows; give at least two rows")
    log_sum = -math.inf
    for i in range(0, n, BLOCK_ROWS):
        rows = unit[i : i + BLOCK_ROWS]
        own = rows.square().sum(dim=1)
        for j in range(i, n, BLOCK_ROWS):
            columns = rows if i == j else unit[j : j + BLOCK_ROWS]
            exponent = torch.mm(rows, columns.T).mul_(2)
            exponent.sub_(own[:, None]).sub_(columns.square().sum(dim=1)).clamp_(max=0).mul_(t)
            if i == j:
                lower = torch.ones_like(exponent, dtype=torch.bool).tril_()
                exponent.masked_fill_(lower, -math.inf)
            log_sum = np.logaddexp(log_sum, _log_sum_exp_(exponent))
    return float(log_sum - math.log(n * (n - 1) / 2))


def _log_sum_exp_(values: torch.Tensor) -> float:
    """``log sum exp`` of a matrix, overwriting it: rows are summed in place and added up in float64."""
    largest = float(values.max())
    if largest == -math.inf:  # a block of one row on the diagonal holds no pair
        return -math.inf
    return largest + math.log(float(values.sub_(largest).exp_().sum(dim=1).cpu().double().sum()))
