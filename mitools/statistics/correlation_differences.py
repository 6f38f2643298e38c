"""Whether one measure goes better with a target than another, on the same encoders and the same items."""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import t as student

from mitools.core.errors import InputError
from mitools.statistics.coefficients import COEFFICIENT_NAMES, coefficients
from mitools.statistics.holm import holm

Floats = NDArray[np.float64]

FEWEST_ENCODERS, FEWEST_CLUSTERS = 4, 3

MOST_CERTAIN = 0.9999
"""Correlations are taken as this at the most before Fisher's transformation."""

NOT_TOLD = "not told apart"

MEASURE_COLUMNS = (
    "measure",
    *(name + part for name in COEFFICIENT_NAMES for part in ("", "_low", "_high")),
)
DIFFERENCE_COLUMNS = (
    "measure_a", "measure_b", "difference", "low", "high", "p_value", "p_holm", "verdict",
)  # fmt: skip


class JointCorrelations(NamedTuple):
    """Correlations of measures with a target, and their differences.

    Attributes
    ----------
    measures
        One row a measure, the closest first: :data:`MEASURE_COLUMNS`.
    differences
        One row a pair: Pearson's of a less that of b, with its interval and verdict:
        :data:`DIFFERENCE_COLUMNS`.
    encoders, clusters
        How many there are.
    """

    measures: pd.DataFrame
    differences: pd.DataFrame
    encoders: int
    clusters: int


def joint_correlations(
    values: pd.DataFrame,
    target: Floats,
    halves: Floats,
    target_halves: Floats,
    clusters: NDArray[np.int64],
    *,
    bootstrap: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> JointCorrelations:
    """Correlate measures with a target, resampling encoders and items together.

    Every draw takes one random half of the items (:mod:`mitools.statistics.halves`), on which all measures
    and the target were computed again, and a bootstrap sample of the clusters of encoders; all measures see
    the same draw, so that what is common to them cancels in a difference, as in Steiger's test. Intervals are
    normal, with the standard error of the draws: of Fisher's z for a correlation, of the difference itself
    for a difference.

    Parameters
    ----------
    values
        Shape (E, M): one row an encoder, one column a measure, turned so that more is better, all finite.
    target
        Shape (E,).
    halves, target_halves
        Shapes (H, E, M) and (H, E): the same on H random halves of the items.
    clusters
        Shape (E,): encoders of one training run are no independent samples, and are drawn together.
    bootstrap
        Draws in all, spread evenly over the halves.
    confidence
        Of the intervals, each for its own; verdicts hold at this level for all pairs together (Holm).
    seed
        Of the draws.

    Raises
    ------
    InputError
        When there are fewer than four encoders or three clusters, or the shapes do not fit.

    References
    ----------
    Steiger, "Tests for comparing elements of a correlation matrix", Psychological Bulletin 1980; Davison and
    Hinkley, "Bootstrap Methods and their Application", 1997, sections 3.8 (clusters) and 5.2.
    """
    (n_halves, n, m), names = halves.shape, [str(name) for name in values.columns]
    units = int(np.unique(clusters).size)
    if n < FEWEST_ENCODERS or units < FEWEST_CLUSTERS:
        raise InputError(
            f"{n} encoders of {units} runs are too few to tell measures apart; give {FEWEST_ENCODERS} or more"
            f" of {FEWEST_CLUSTERS} runs or more"
        )
    if values.shape != (n, m) or target_halves.shape != (n_halves, n) or len(clusters) != n:
        raise InputError("measures, target, halves and clusters are of different encoders")
    once = np.ones((1, n))
    full = values.to_numpy(np.float64)
    points = np.stack([coefficients(full[:, k], target, once)[:, 0] for k in range(m)])  # (M, 3)
    rng, own = np.random.default_rng([seed, 9]), np.unique(clusters, return_inverse=True)[1]
    drawn = []
    for half, of_target in zip(halves, target_halves, strict=True):
        counts = rng.multinomial(units, np.full(units, 1 / units), size=bootstrap // n_halves)[:, own]
        drawn.append(np.stack([coefficients(half[:, k], of_target, counts.astype(float)) for k in range(m)]))
    draws = np.concatenate(drawn, axis=2)  # (M, 3, B)
    draws = draws[:, :, np.isfinite(draws).all(axis=(0, 1))]
    # The bootstrap's variance is that of a population of so many clusters; and few give Student's t.
    reach = float(student.ppf((1 + confidence) / 2, units - 1)) * math.sqrt(units / (units - 1))
    z = np.arctanh(np.clip(points, -MOST_CERTAIN, MOST_CERTAIN))
    spread = np.arctanh(np.clip(draws, -MOST_CERTAIN, MOST_CERTAIN)).std(axis=2, ddof=1)
    low, high = np.tanh(z - reach * spread), np.tanh(z + reach * spread)
    rows = [
        (name, *(float(one[k, c]) for c in range(3) for one in (points, low, high)))
        for k, name in enumerate(names)
    ]
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    order = np.argsort(-points[:, 0], kind="stable")
    differences = _differences([names[k] for k in order], points[order, 0], draws[order, 0], reach, units)
    verdict = np.where(differences["difference"] > 0, "a goes better", "b goes better")
    differences["verdict"] = np.where(differences["p_holm"] < 1 - confidence, verdict, NOT_TOLD)
    return JointCorrelations(
        table.iloc[order].reset_index(drop=True), differences[list(DIFFERENCE_COLUMNS)], n, units
    )


def _differences(names: list[str], points: Floats, draws: Floats, reach: float, units: int) -> pd.DataFrame:
    first, second = np.triu_indices(len(names), 1)
    difference = points[first] - points[second]
    stderr = (draws[first] - draws[second]).std(axis=1, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference) / stderr)
    table = pd.DataFrame(
        {
            "measure_a": [names[k] for k in first],
            "measure_b": [names[k] for k in second],
            "difference": difference,
            "low": difference - reach * stderr,
            "high": difference + reach * stderr,
            "p_value": 2 * student.sf(t * math.sqrt((units - 1) / units), units - 1),
        }
    )
    table["p_holm"] = holm(table["p_value"])
    return table
