"""Which of two starts ends in the better detector: differences seed by seed."""

from itertools import combinations
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from mitools.statistics.holm import holm

LEVEL = 0.05
"""Probability of an error that a word may have, over all comparisons together."""

COMPARED = ("box_ap", "mask_ap")
"""The measures that are compared, where the table has them."""

NOT_TOLD_APART = "not told apart"


class MeanInterval(NamedTuple):
    """A mean over seeds with its 95% interval (Student's t); no interval for a single seed."""

    mean: float
    low: float
    high: float


def mean_interval(values: NDArray[np.float64]) -> MeanInterval:
    """Give the mean of independent values, shape (n,), and its interval.

    Examples
    --------
    >>> mean, low, high = mean_interval(np.array([1.0, 2.0, 3.0]))
    >>> round(mean, 3), round(low, 3), round(high, 3)
    (2.0, -0.484, 4.484)
    """
    n, mean = len(values), float(np.mean(values))
    if n < 2:
        return MeanInterval(mean, float("nan"), float("nan"))
    reach = float(student.ppf(0.975, n - 1) * np.std(values, ddof=1) / np.sqrt(n))
    return MeanInterval(mean, mean - reach, mean + reach)


def compare_starts(table: pd.DataFrame) -> pd.DataFrame:
    """Compare every two starts on every transfer, paired by seed.

    Parameters
    ----------
    table
        One row a ``transfer``, ``start`` and ``seed``, with ``box_ap`` and, of masks, ``mask_ap``.

    Returns
    -------
    pandas.DataFrame
        One row a transfer, measure and pair: ``start_a``, ``start_b``, ``difference`` (b - a, mean over
        seeds), ``low``, ``high`` (95%, paired t), ``p_value``, ``p_holm`` (over all rows), ``verdict``.
    """
    rows = []
    for transfer, part in table.groupby("transfer", sort=False):
        starts = list(dict.fromkeys(part["start"]))
        for measure in COMPARED:
            if measure not in part or part[measure].isna().all():
                continue
            wide = part.pivot(index="seed", columns="start", values=measure)
            for a, b in combinations(starts, 2):
                apart = (wide[b] - wide[a]).to_numpy(np.float64)
                found = mean_interval(apart)
                rows.append(
                    {"transfer": transfer, "measure": measure, "start_a": a, "start_b": b,
                     "difference": found.mean, "low": found.low, "high": found.high,
                     "p_value": _p_value(apart)}
                )  # fmt: skip
    columns = ["transfer", "measure", "start_a", "start_b", "difference", "low", "high", "p_value"]
    result = pd.DataFrame(rows, columns=columns)
    result["p_holm"] = holm(result["p_value"])
    better = np.where(result["difference"] > 0, result["start_b"], result["start_a"])
    result["verdict"] = np.where(result["p_holm"] < LEVEL, better, NOT_TOLD_APART)
    return result


def _p_value(apart: NDArray[np.float64]) -> float:
    """Two-sided p of a paired t test; 1 where one seed alone, or no difference, shows nothing."""
    n, mean = len(apart), float(np.mean(apart))
    if n < 2 or mean == 0:
        return 1.0
    spread = float(np.std(apart, ddof=1))
    return 0.0 if spread == 0 else float(2 * student.sf(abs(mean) / spread * np.sqrt(n), n - 1))
