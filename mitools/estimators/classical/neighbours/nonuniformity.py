"""A correction for neighbour boxes that are not evenly filled: their rows lie along a line or a sheet."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

THINNEST_BOX = 1e-9
"""Share of a box's width below which its thickness is rounding."""

CHANCE_DRAWS = 20_000
"""Evenly filled boxes that are drawn to see what chance does."""

CHANCE_LEVEL = 0.005
"""Share of evenly filled boxes that would be taken for uneven."""

_ROWS_AT_ONCE = 1 << 14


def nonuniformity(
    rows: NDArray[np.floating], neighbours: NDArray[np.int64], seed: int = 0
) -> NDArray[np.float64]:
    """Local non-uniformity correction of the KSG reading (Gao, Ver Steeg & Galstyan 2015, Sec. 4).

    A box that holds a row's k neighbours is compared with the smallest box along the principal axes of
    these neighbours. Where the second is so much smaller that chance does not explain it, the density
    has been underestimated by the ratio of their volumes.

    Parameters
    ----------
    rows
        Shape (n, d), the joint rows.
    neighbours
        Shape (n, k), k > d.
    seed
        Of the draws that say what chance does.

    Returns
    -------
    NDArray[np.float64]
        Shape (n,), nats to add to the local readings; 0 where chance explains the difference.

    Raises
    ------
    InputError
        When the neighbours of a row lie on a line or a sheet to the last digits.
    """
    n, k = neighbours.shape
    log_ratio = np.empty(n)
    for start in range(0, n, _ROWS_AT_ONCE):
        close = rows[neighbours[start : start + _ROWS_AT_ONCE]] - rows[start : start + _ROWS_AT_ONCE, None]
        log_ratio[start : start + _ROWS_AT_ONCE] = _log_volume_ratio(close.astype(np.float64))
    return np.where(log_ratio < _threshold(k, rows.shape[1], seed), -log_ratio, 0.0)


def _log_volume_ratio(close: NDArray[np.float64]) -> NDArray[np.float64]:
    """Log volume of the box along the principal axes over that of the cube, (m, k, d) to (m,)."""
    axes = np.linalg.eigh(np.einsum("mki,mkj->mij", close, close))[1]
    extents = np.abs(np.einsum("mki,mij->mkj", close, axes)).max(axis=1)
    cube = np.abs(close).max(axis=(1, 2))
    if (extents < THINNEST_BOX * cube[:, None]).any():
        raise InputError("one side determines a column of the other exactly: the reading is infinite")
    tiny = np.finfo(np.float64).tiny
    ratio = np.maximum(extents, tiny) / np.maximum(cube, tiny)[:, None]
    return np.log(ratio).sum(axis=1)


@lru_cache
def _threshold(k: int, d: int, seed: int) -> float:
    """Log volume ratio below which one in two hundred evenly filled cubes would fall."""
    rng = np.random.default_rng(seed)
    chunk = max(1, _ROWS_AT_ONCE // k)
    drawn = [_log_volume_ratio(rng.uniform(-1, 1, (chunk, k, d))) for _ in range(0, CHANCE_DRAWS, chunk)]
    return float(np.quantile(np.concatenate(drawn), CHANCE_LEVEL))
