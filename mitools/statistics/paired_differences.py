"""Which of two encoders carries more, from the same report images: paired differences with intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.estimators.bounds.reading import Reading
from mitools.statistics.holm import holm

COMPARISON_COLUMNS = (
    "encoder_a", "encoder_b", "difference_bits", "stderr_bits", "low_bits", "high_bits", "p_value", "p_holm",
    "verdict",
)  # fmt: skip
"""The columns of the result, in order."""


def compare(values: Mapping[str, Reading], confidence: float = 0.95) -> pd.DataFrame:
    """Compare the readings of every two encoders over the same report images.

    Each reading is, up to terms of order 1/n, a mean over images whose i-th term deviates by ``psi_i``. The
    difference of two readings therefore has variance ``sum_i (psi_a_i - psi_b_i)^2 / n^2``: what is hard
    about an image for both encoders cancels, and the interval is much shorter than two separate ones allow.
    What the images cannot show of either is added: of two encoders without a mistake none carries more.

    Where the readings are lower bounds, so are their differences only as far as both bounds are equally
    tight: "carries more" speaks of what the same method could certify.

    Parameters
    ----------
    values
        For each encoder its reading of the same report images, in the same order for all.
    confidence
        Of the two-sided intervals, each for its own pair; the verdict holds at this level for all pairs
        together, so an interval may leave out 0 and the verdict still be "not told apart".

    Returns
    -------
    pandas.DataFrame
        One row a pair, in the order of `values`; none for fewer than two encoders: ``encoder_a``,
        ``encoder_b``, ``difference_bits`` (a - b), ``stderr_bits``, ``low_bits``, ``high_bits``, ``p_value``
        (two-sided, normal), ``p_holm`` (adjusted over the pairs), ``verdict`` ("a carries more",
        "b carries more" or "not told apart", by ``p_holm``).

    Raises
    ------
    InputError
        When the influence values differ in length, are fewer than two, or anything is not finite.

    References
    ----------
    Influence functions of U-statistics: van der Vaart, "Asymptotic Statistics", 1998, chapter 12.
    """
    if not 0 < confidence < 1:
        raise InputError(f"confidence={confidence:g} must lie between 0 and 1")
    if not values:
        return pd.DataFrame(columns=list(COMPARISON_COLUMNS))
    names, points, influence = list(values), *_check(values)
    unseen = np.array([reading.unseen for reading in values.values()])
    n = influence.shape[1]
    blocks = []
    for a, name in enumerate(names[:-1]):
        variance = ((influence[a] - influence[a + 1 :]) ** 2).sum(axis=1) / n**2
        stderr = np.sqrt(variance + unseen[a] ** 2 + unseen[a + 1 :] ** 2)
        blocks.append(
            pd.DataFrame(
                {
                    "encoder_a": name,
                    "encoder_b": names[a + 1 :],
                    "difference_bits": (points[a] - points[a + 1 :]) / LOG2,
                    "stderr_bits": stderr / LOG2,
                }
            )
        )
    if not blocks:
        return pd.DataFrame(columns=list(COMPARISON_COLUMNS))
    result = pd.concat(blocks, ignore_index=True)
    difference, stderr = result["difference_bits"].to_numpy(), result["stderr_bits"].to_numpy()
    reach = ndtri((1 + confidence) / 2) * stderr
    result["low_bits"], result["high_bits"] = difference - reach, difference + reach
    # Two encoders with the same influence values have no standard error; equal readings are then no finding.
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.where(difference == 0, 0.0, np.abs(difference) / stderr)
    result["p_value"] = 2 * ndtr(-z)
    result["p_holm"] = holm(result["p_value"])
    more = np.where(difference > 0, "a carries more", "b carries more")
    result["verdict"] = np.where(result["p_holm"] < 1 - confidence, more, "not told apart")
    return result[list(COMPARISON_COLUMNS)]


def _check(values: Mapping[str, Reading]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the readings, shape (m,), and the influence values, shape (m, n), all finite."""
    rows = {name: np.asarray(one.influence, dtype=np.float64) for name, one in values.items()}
    first, expected = next(iter(rows.items()))
    for name, row in rows.items():
        if row.ndim != 1 or len(row) < 2:
            raise InputError(f"{name}: influence values of shape {row.shape}, but one an image is needed")
        if row.shape != expected.shape:
            raise InputError(
                f"{name} was read on {len(row)} images and {first} on {len(expected)}; compare encoders on"
                " the same report images"
            )
        if not (np.isfinite(row).all() and np.isfinite(values[name].nats)):
            raise InputError(f"{name}: the reading or an influence value is not finite")
    return np.array([one.nats for one in values.values()], dtype=np.float64), np.stack(list(rows.values()))
