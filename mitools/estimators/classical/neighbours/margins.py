"""What estimators by nearest neighbours do to columns first, and whether neighbours are near enough."""

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.core.names import check_name
from mitools.estimators.array_types import Floats
from mitools.estimators.inputs.rank_normal import normal_scores

MARGINS = ("normal", "scaled")

FAR_NEIGHBOUR_DEVIATIONS = 0.4
"""Standard deviations beyond which neighbours are too far to show a density; see :class:`.KSG`."""


def with_margins(rows: NDArray[np.float64], margins: str, rng: np.random.Generator) -> NDArray[np.float64]:
    """Give every column one scale, and separate tied values.

    Parameters
    ----------
    rows
        Shape (n, d), no column constant.
    margins
        ``normal`` or ``scaled``; see :class:`.KSG`.
    rng
        Draws the jitter.

    Returns
    -------
    NDArray[np.float64]
        Shape (n, d).
    """
    n = len(rows)
    if margins == "normal":
        scaled = normal_scores(rows)
        # Different average ranks differ by half a rank or more, and a rank is sqrt(2 pi)/n or more.
        reach = 0.5 / n
    else:
        scaled = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        reach = 1e-10
    tied = (np.diff(np.sort(scaled, axis=0), axis=0) == 0).any(axis=0)
    scaled[:, tied] += reach * (rng.random((n, int(tied.sum()))) - 0.5)
    return scaled


def precision_of(margins: str) -> type[np.floating]:
    """Give the precision that distances by brute force need; half of it takes half the time."""
    # Normal quantiles of ranks differ by 1/n, which single precision resolves for any n that is searched so.
    return np.float32 if margins == "normal" else np.float64


def far_neighbours(reach: Floats) -> tuple[EstimateWarning, ...]:
    """Warn where the median distance to the k-th neighbour, in standard deviations, is too large."""
    median = float(np.median(reach))
    if median <= FAR_NEIGHBOUR_DEVIATIONS:
        return ()
    sentence = (
        f"the neighbours lie {median:.2g} standard deviations away: what is finer is missed, and the truth"
        " may be far higher"
    )
    return (EstimateWarning("small_sample", sentence, "give more rows or fewer dimensions"),)


def check_neighbours(k: int, margins: str) -> None:
    """Refuse a number of neighbours, or a name of margins, that means nothing.

    Raises
    ------
    InputError
        When k is below 1 or the name is unknown.
    """
    if k < 1:
        raise InputError(f"k must be at least 1, not {k}")
    check_name("margins", margins, MARGINS)
