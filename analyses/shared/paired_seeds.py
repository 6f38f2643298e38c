"""Differences and trends over seeds: each seed is one run of everything that is compared."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.stats import t as student

from mitools.core.errors import InputError

CONFIDENCE = 0.95


class OverSeeds(NamedTuple):
    """A mean over seeds with Student's interval; both ends are NaN where there is one seed.

    Attributes
    ----------
    mean, low, high
        Of the values of the seeds.
    """

    mean: float
    low: float
    high: float

    @property
    def sign(self) -> int:
        """1 or -1 where the interval leaves out 0 on that side, else 0."""
        return int(self.low > 0) - int(self.high < 0)


def over_seeds(values: ArrayLike, confidence: float = CONFIDENCE) -> OverSeeds:
    """Average one value a seed.

    Parameters
    ----------
    values
        Shape (seeds,).
    confidence
        How often the interval holds the mean over all seeds; ``1 - 0.05 / m`` where m intervals are to hold
        together in 95% (Bonferroni).

    Raises
    ------
    InputError
        When there is no seed.

    Examples
    --------
    >>> [round(value, 3) for value in over_seeds([1.0, 2.0, 3.0])]
    [2.0, -0.484, 4.484]
    """
    found = np.asarray(values, dtype=np.float64)
    if not found.size:
        raise InputError("there is no seed to average over")
    mean = float(found.mean())
    if found.size == 1:
        return OverSeeds(mean, float("nan"), float("nan"))
    reach = student.ppf((1 + confidence) / 2, found.size - 1) * found.std(ddof=1) / np.sqrt(found.size)
    return OverSeeds(mean, mean - float(reach), mean + float(reach))


def paired_by_seed(
    table: pd.DataFrame,
    column: str,
    one: Mapping[str, Any],
    other: Mapping[str, Any],
    confidence: float = CONFIDENCE,
) -> OverSeeds:
    """Average the differences of two settings, seed by seed: what a seed does to both cancels.

    Parameters
    ----------
    table
        One row a setting and ``seed``.
    column
        What is compared.
    one, other
        The values by which the rows of a setting are found.
    confidence
        As for :func:`over_seeds`.

    Returns
    -------
    OverSeeds
        Of `one` minus `other`, over the seeds that both have.

    Raises
    ------
    InputError
        When they have no seed in common.

    Examples
    --------
    >>> columns = {"method": ["a", "a", "b", "b"], "seed": [0, 1, 0, 1], "acc": [3.0, 5.0, 1.0, 3.0]}
    >>> table = pd.DataFrame(columns)
    >>> paired_by_seed(table, "acc", {"method": "a"}, {"method": "b"})
    OverSeeds(mean=2.0, low=2.0, high=2.0)
    """
    first, second = (_by_seed(table, column, setting) for setting in (one, other))
    return over_seeds((first - second).dropna(), confidence)


def slope_over_seeds(table: pd.DataFrame, column: str, across: str) -> OverSeeds:
    """Average the least-squares slopes of a column over another, one a seed.

    Parameters
    ----------
    table
        Several rows a ``seed``.
    column, across
        What rises or falls, and over what.

    Raises
    ------
    InputError
        When a seed has fewer than two places.
    """
    slopes = []
    for seed, own in table.groupby("seed"):
        if own[across].nunique() < 2:
            raise InputError(f"seed {seed} has one value of {across}, which has no slope")
        slopes.append(np.polyfit(own[across].astype(float), own[column].astype(float), 1)[0])
    return over_seeds(slopes)


def _by_seed(table: pd.DataFrame, column: str, setting: Mapping[str, Any]) -> pd.Series:
    chosen = np.ones(len(table), dtype=bool)
    for name, value in setting.items():
        chosen &= (table[name] == value).to_numpy()
    return table[chosen].set_index("seed")[column]
