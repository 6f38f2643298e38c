"""Whether one measure goes better with a target than another, on the same encoders and the same items."""

import math
from collections.abc import Sequence
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

OTHER_ENCODERS = "measures, target, halves and clusters are of different encoders"

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
    names, full = [str(name) for name in values.columns], values.to_numpy(np.float64)
    if values.shape != halves.shape[1:] or len(target) != len(values):
        raise InputError(OTHER_ENCODERS)
    _require_enough(halves, target_halves, clusters)
    points = _all_coefficients(full, target, np.ones((1, len(full))))[:, :, 0]
    return _told(names, points, halves, target_halves, clusters, bootstrap, confidence, seed)


def apart_correlations(
    names: Sequence[str],
    halves: Floats,
    target_halves: Floats,
    clusters: NDArray[np.int64],
    *,
    bootstrap: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> JointCorrelations:
    """Correlate measures of one half of the items with the target read on the other half.

    What a measure and the target owe to the same items, or to one classifier fitted to them, is in both where
    they are read on the same items, and brings them together; here it is in one of the two alone. The
    correlation is the mean over the halves; intervals and verdicts are as :func:`joint_correlations` gives
    them, each draw taking one half for the measures and what it leaves out for the target.

    Parameters
    ----------
    names
        Of the M measures.
    halves, target_halves
        Shapes (H, E, M) and (H, E): measures on half h, and the target on the items that h leaves out.
    clusters, bootstrap, confidence, seed
        As for :func:`joint_correlations`.

    Raises
    ------
    InputError
        As :func:`joint_correlations`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> quality, luck = rng.standard_normal(40), 0.5 * rng.standard_normal((2, 40))
    >>> read = quality + luck  # a measure and a target with the luck of their half
    >>> found = apart_correlations(["measure"], read[:, :, None], read[::-1], np.arange(40)).measures
    >>> bool(found.loc[0, "pearson"] < 0.95)
    True
    """
    if halves.shape[2:] != (len(names),):
        raise InputError(OTHER_ENCODERS)
    _require_enough(halves, target_halves, clusters)
    once = np.ones((1, halves.shape[1]))
    each = [
        _all_coefficients(half, of_target, once)[:, :, 0]
        for half, of_target in zip(halves, target_halves, strict=True)
    ]
    points = np.mean(each, axis=0)
    return _told(list(names), points, halves, target_halves, clusters, bootstrap, confidence, seed)


def _require_enough(halves: Floats, target_halves: Floats, clusters: NDArray[np.int64]) -> None:
    (n_halves, n, _), units = halves.shape, int(np.unique(clusters).size)
    if n < FEWEST_ENCODERS or units < FEWEST_CLUSTERS:
        raise InputError(
            f"{n} encoders of {units} runs are too few to tell measures apart; give {FEWEST_ENCODERS} or more"
            f" of {FEWEST_CLUSTERS} runs or more"
        )
    if target_halves.shape != (n_halves, n) or len(clusters) != n:
        raise InputError(OTHER_ENCODERS)


def _all_coefficients(measures: Floats, target: Floats, counts: Floats) -> Floats:
    """Give the coefficients (M, 3, B) of measures (E, M) with a target, encoders counted as (B, E) says."""
    return np.stack([coefficients(one, target, counts) for one in measures.T])


def _told(
    names: list[str],
    points: Floats,
    halves: Floats,
    target_halves: Floats,
    clusters: NDArray[np.int64],
    bootstrap: int,
    confidence: float,
    seed: int,
) -> JointCorrelations:
    """Give coefficients (M, 3) their intervals, and tell which measures differ."""
    n, units = halves.shape[1], int(np.unique(clusters).size)
    rng, own = np.random.default_rng([seed, 9]), np.unique(clusters, return_inverse=True)[1]
    drawn = []
    for half, of_target in zip(halves, target_halves, strict=True):
        counts = rng.multinomial(units, np.full(units, 1 / units), size=bootstrap // len(halves))[:, own]
        drawn.append(_all_coefficients(half, of_target, counts.astype(float)))
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
