"""Standard errors from random halves of the items: for numbers that copies of an item would distort.

The bootstrap draws items twice, and a copy is its own nearest neighbour, and a pair that every kernel finds
alike. A half drawn without replacement has no copies, and the variance of a smooth statistic over such halves
is that over samples of all items: sigma^2 / (n / 2) times the share left out, 1 / 2.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mitools.core.errors import InputError
from mitools.core.estimate import Interval
from mitools.estimators.inputs.groups import Groups

FEWEST = 4
"""Items, or groups of items, that can be halved."""


def random_halves(n: int, count: int, seed: int, groups: Groups | None = None) -> list[NDArray[np.int64]]:
    """Draw random halves of the items, or of their groups: item numbers in rising order.

    Parameters
    ----------
    n
        Items.
    count
        Halves. They come in pairs: the second is what the first leaves out.
    seed
        Of the draws.
    groups
        Shape (n,): those of one group are drawn together. None where every item stands alone.

    Raises
    ------
    InputError
        When there are too few items or groups.

    References
    ----------
    Politis, Romano and Wolf, "Subsampling", 1999, section 2.3; Wu, "Jackknife, Bootstrap and Other Resampling
    Methods in Regression Analysis", Annals of Statistics 1986 (delete-d jackknife).

    Examples
    --------
    >>> first, second = random_halves(6, 2, seed=0)
    >>> sorted([*first, *second]) == list(range(6))
    True
    """
    own = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(own.max()) + 1
    if units < FEWEST:
        what = "items" if groups is None else "groups"
        raise InputError(f"{units} {what} cannot be halved for an interval; give {FEWEST} or more")
    rng = np.random.default_rng([seed, 7])
    halves: list[NDArray[np.int64]] = []
    while len(halves) < count:
        drawn = np.zeros(units, dtype=bool)
        drawn[rng.permutation(units)[: units // 2]] = True
        halves += [np.flatnonzero(drawn[own]), np.flatnonzero(~drawn[own])]
    return halves[:count]


def interval_of_halves(point: float, of_halves: NDArray[np.float64], confidence: float = 0.95) -> Interval:
    """Give the normal interval of a number whose values on random halves are known.

    Parameters
    ----------
    point
        On all items.
    of_halves
        Shape (count,).
    confidence
        Two-sided.
    """
    reach = float(ndtri((1 + confidence) / 2) * of_halves.std(ddof=1))
    return Interval(point - reach, point + reach, confidence)
