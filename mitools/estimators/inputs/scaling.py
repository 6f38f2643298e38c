"""What is done to the columns before a critic sees them: fitted on *train*, applied to anything."""

from collections.abc import Callable

import numpy as np

from mitools.core.names import check_name
from mitools.estimators.array_types import Singles
from mitools.estimators.inputs.rank_normal import RankNormal
from mitools.estimators.inputs.validation import location_and_scale


class Standardised:
    """Columns shifted and scaled to mean 0 and deviation 1 over the fitted rows.

    A column that is constant in the fitted rows becomes 0 everywhere.

    Parameters
    ----------
    rows
        Shape (n, d).
    """

    def __init__(self, rows: Singles) -> None:
        self.mean, self.scale = location_and_scale(rows)
        self.scale[np.ptp(rows, axis=0) == 0] = np.inf

    def __call__(self, rows: Singles) -> Singles:
        """Scale rows, shape (m, d)."""
        scaled = rows - self.mean
        scaled /= self.scale  # in place: rows may be a large part of what memory holds
        return scaled


class Unscaled:
    """Columns as they are, but for those that are constant in the fitted rows: they become 0.

    Parameters
    ----------
    rows
        Shape (n, d).
    """

    def __init__(self, rows: Singles) -> None:
        self.varies = np.ptp(rows, axis=0) > 0

    def __call__(self, rows: Singles) -> Singles:
        """Return rows, shape (m, d)."""
        return np.where(self.varies, rows, np.float32(0))


_BY_NAME: dict[str, Callable[[Singles], Callable[[Singles], Singles]]] = {
    "rank_normal": RankNormal,
    "standardise": Standardised,
    "none": Unscaled,
}

SCALINGS = tuple(_BY_NAME)


def fit_scaling(name: str, train: Singles) -> Callable[[Singles], Singles]:
    """Fit a scaling of the columns on training rows.

    Parameters
    ----------
    name
        ``rank_normal`` (mutual information is invariant to it, and heavy tails stop hurting),
        ``standardise`` or ``none``.
    train
        Shape (n, d), finite.

    Returns
    -------
    Callable
        Maps rows of shape (m, d) to scaled rows of the same shape.

    Raises
    ------
    InputError
        When there is no scaling of that name.
    """
    check_name("scaling", name, _BY_NAME)
    return _BY_NAME[name](train)
