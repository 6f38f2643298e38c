"""Whether one measure goes better with a target than another, on the same encoders and the same items."""

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
    means: int = 1,
    bootstrap: int = 2000,
    confidence: float = 0.95,
    seed: int = 0,
) -> JointCorrelations:
    """Correlate measures with a target, resampling encoders and items together.

    Two variances are added: over bootstrap samples of the clusters of encoders, and over random halves of the
    items (:mod:`mitools.statistics.halves`), on which all measures and the target were computed again. All
    measures see the same draws, so that what is common to them cancels in a difference, as in Steiger's test.
    What items do to each encoder by itself is in both variances: intervals are rather too wide. They are
    those of Student, with Welch and Satterthwaite's degrees of freedom, since few halves are few samples of
    items; of Fisher's z for a correlation, of the difference itself for a difference.

    Parameters
    ----------
    values
        Shape (E, M): one row an encoder, one column a measure, turned so that more is better, all finite.
    target
        Shape (E,).
    halves, target_halves
        Shapes (H, E, M) and (H, E): the same on H random halves of the items, in pairs: the second of a pair
        holds what the first leaves out, see :func:`mitools.statistics.halves.random_halves`.
    clusters
        Shape (E,): encoders of one training run are no independent samples, and are drawn together.
    means
        How many means were taken off measures and target, one a family of clusters: each costs a cluster.
    bootstrap
        Samples of the clusters.
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
    points = _coefficients(full, target)[:, :, 0]
    of_halves = _of_halves(halves, target_halves)
    of_clusters = _coefficients(full, target, _samples(clusters, bootstrap, seed))
    return _told(names, points, of_halves, of_clusters, clusters, means, confidence)


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
    correlation is the mean over the halves, of half as many items each. Intervals and verdicts are as
    :func:`joint_correlations` gives them; the variance over items is that of measures and target on the same
    half: what items do to one half is minus what they do to the other, and would cancel between the two.

    Parameters
    ----------
    names
        Of the M measures.
    halves, target_halves
        Shapes (H, E, M) and (H, E): measures and target on the same half, an even number of them, in pairs as
        for :func:`joint_correlations`.
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
    >>> found = apart_correlations(["measure"], read[:, :, None], read, np.arange(40)).measures
    >>> bool(found.loc[0, "pearson"] < 0.95)
    True
    """
    if halves.shape[2:] != (len(names),):
        raise InputError(OTHER_ENCODERS)
    _require_enough(halves, target_halves, clusters)
    counts, other = _samples(clusters, bootstrap, seed), target_halves[_partners(len(halves))]
    of_clusters = np.zeros((len(names), len(COEFFICIENT_NAMES), bootstrap))
    for half, of_target in zip(halves, other, strict=True):
        of_clusters += _coefficients(half, of_target, counts) / len(halves)
    points = _of_halves(halves, other).mean(axis=2)
    return _told(list(names), points, _of_halves(halves, target_halves), of_clusters, clusters, 1, confidence)


def _partners(count: int) -> NDArray[np.int64]:
    """Give the number of the half that holds what each leaves out."""
    if count % 2:
        raise InputError(f"{count} halves are not pairs; give an even number")
    return np.arange(count).reshape(-1, 2)[:, ::-1].ravel()


def _require_enough(halves: Floats, target_halves: Floats, clusters: NDArray[np.int64]) -> None:
    (n_halves, n, _), units = halves.shape, int(np.unique(clusters).size)
    if n < FEWEST_ENCODERS or units < FEWEST_CLUSTERS:
        raise InputError(
            f"{n} encoders of {units} runs are too few to tell measures apart; give {FEWEST_ENCODERS} or more"
            f" of {FEWEST_CLUSTERS} runs or more"
        )
    if target_halves.shape != (n_halves, n) or len(clusters) != n:
        raise InputError(OTHER_ENCODERS)


def _samples(clusters: NDArray[np.int64], count: int, seed: int) -> Floats:
    """Draw bootstrap samples of the clusters: how often each encoder is in them, shape (count, E)."""
    units, own = int(np.unique(clusters).size), np.unique(clusters, return_inverse=True)[1]
    rng = np.random.default_rng([seed, 9])
    return rng.multinomial(units, np.full(units, 1 / units), size=count)[:, own].astype(float)


def _coefficients(measures: Floats, target: Floats, counts: Floats | None = None) -> Floats:
    """Give the coefficients (M, 3, B) of measures (E, M) with a target, encoders counted as (B, E) says."""
    once = np.ones((1, len(target)))
    return np.stack([coefficients(one, target, once if counts is None else counts) for one in measures.T])


def _of_halves(halves: Floats, target_halves: Floats) -> Floats:
    """Give the coefficients on every half, shape (M, 3, H)."""
    pairs = zip(halves, target_halves, strict=True)
    return np.concatenate([_coefficients(half, of_target) for half, of_target in pairs], axis=2)


def _told(
    names: list[str],
    points: Floats,
    of_halves: Floats,
    of_clusters: Floats,
    clusters: NDArray[np.int64],
    means: int,
    confidence: float,
) -> JointCorrelations:
    """Give coefficients (M, 3) their intervals, and tell which measures differ."""
    n, units = len(clusters), int(np.unique(clusters).size)
    of_clusters = of_clusters[:, :, np.isfinite(of_clusters).all(axis=(0, 1))]
    # The bootstrap's variance is that of a population of so many clusters; and few give Student's t. Halves
    # come in pairs that move against each other: there are half as many samples of items.
    free, pairs = units - means, max(1, of_halves.shape[2] // 2)

    def error(by_halves: Floats, by_clusters: Floats) -> tuple[Floats, Floats]:
        """Give standard errors, and their degrees of freedom (Welch and Satterthwaite)."""
        items, encoders = by_halves.var(axis=-1), units / free * by_clusters.var(axis=-1, ddof=1)
        both = items + encoders
        with np.errstate(divide="ignore", invalid="ignore"):
            freedom = both**2 / (items**2 / pairs + encoders**2 / free)
        return np.sqrt(both), np.where(both > 0, freedom, free)

    quantile = (1 + confidence) / 2
    z = _fisher(points)
    spread, freedom = error(_fisher(of_halves), _fisher(of_clusters))
    reach = student.ppf(quantile, freedom) * spread
    low, high = np.tanh(z - reach), np.tanh(z + reach)
    rows = [
        (name, *(float(one[k, c]) for c in range(3) for one in (points, low, high)))
        for k, name in enumerate(names)
    ]
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    order = np.argsort(-points[:, 0], kind="stable")
    first, second = np.triu_indices(len(names), 1)
    a, b = order[first], order[second]
    differences = _differences(
        [names[k] for k in a],
        [names[k] for k in b],
        points[a, 0] - points[b, 0],
        *error(of_halves[a, 0] - of_halves[b, 0], of_clusters[a, 0] - of_clusters[b, 0]),
        quantile,
    )
    verdict = np.where(differences["difference"] > 0, "a goes better", "b goes better")
    differences["verdict"] = np.where(differences["p_holm"] < 1 - confidence, verdict, NOT_TOLD)
    return JointCorrelations(
        table.iloc[order].reset_index(drop=True), differences[list(DIFFERENCE_COLUMNS)], n, units
    )


def _fisher(correlations: Floats) -> Floats:
    z: Floats = np.arctanh(np.clip(correlations, -MOST_CERTAIN, MOST_CERTAIN))
    return z


def _differences(
    first: list[str],
    second: list[str],
    difference: Floats,
    stderr: Floats,
    freedom: Floats,
    quantile: float,
) -> pd.DataFrame:
    reach = student.ppf(quantile, freedom) * stderr
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(difference == 0, 0.0, np.abs(difference) / stderr)
    table = pd.DataFrame(
        {
            "measure_a": first,
            "measure_b": second,
            "difference": difference,
            "low": difference - reach,
            "high": difference + reach,
            "p_value": 2 * student.sf(t, freedom),
        }
    )
    table["p_holm"] = holm(table["p_value"])
    return table
