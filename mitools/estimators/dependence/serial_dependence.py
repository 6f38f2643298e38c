"""Rows in the order of time that depend on each other: two such series agree by chance, however unrelated."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles, RowNumbers, WholeNumbers
from mitools.estimators.dependence.sketch import Sketch
from mitools.estimators.inputs.row_table import RowTable

STRETCH = 20
"""Consecutive rows that are compared with each other."""

LARGEST_LAG = 8
"""Most steps between two rows that are compared."""

MOST_STRETCHES = 1000
"""Stretches read, evenly spaced over the rows."""

FEWEST_STRETCHES = 5
"""Below so many (100 rows) nothing is said of the order."""

ORDERS = 60
"""Random orders of each stretch, which give the null."""

DEVIATIONS_ABOVE_CHANCE = 5.0
"""Standard deviations of the null by which a lag correlation must exceed it."""

RAISED_VARIANCE_THAT_COUNTS = 0.1
"""Share by which the order must raise the variance of a mean of products of x and y to be told."""


class LagCorrelations(NamedTuple):
    """How much more alike than others the rows are that lie 1, 2, ..., 8 steps from each other.

    Attributes
    ----------
    correlations
        Shape (8,): over all columns together; of labels, how often two are the same beyond chance (Cohen's
        kappa).
    deviations
        Shape (8,): the same in standard deviations of what a random order gives.
    """

    correlations: Doubles
    deviations: Doubles


def serial_dependence_warning(
    x: RowTable | NDArray[Any], y: RowTable | NDArray[Any], seed: int = 0
) -> EstimateWarning | None:
    """Warn where both x and y are series: rows in the order given are the more alike the nearer they lie.

    Where only one of them is, pairs tell no less of the dependence than independent ones. With labels it is
    the order of the labels that must be serial, and the rows of x within their classes: a file sorted by
    class is no series. At most 20,000 rows are read, in stretches of 20.

    Parameters
    ----------
    x
        Shape (n, d): numbers, in the order in which they were recorded.
    y
        Labels 0..C-1, shape (n,), integers; or numbers, shape (n, d_y).
    seed
        Of the random orders and of the projection of many columns.

    Returns
    -------
    EstimateWarning | None
        With the word ``serial_dependence``; None below 100 rows.

    Notes
    -----
    The variance of a mean of products of two independent series is ``1 + 2 sum_l rho_x(l) rho_y(l)`` times
    that of independent rows (Bartlett 1935); the order is told where this exceeds 1.1.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> walks = np.cumsum(rng.standard_normal((500, 2)), axis=0)
    >>> serial_dependence_warning(walks[:, :1], walks[:, 1:]).word
    'serial_dependence'
    >>> shuffled = rng.permutation(walks)
    >>> serial_dependence_warning(shuffled[:, :1], shuffled[:, 1:]) is None
    True
    """
    places = _stretches(len(x))
    if len(places) < FEWEST_STRETCHES:
        return None
    rng = np.random.default_rng(seed)
    labels = y[places] if isinstance(y, np.ndarray) and y.ndim == 1 else None
    of_y = lag_correlations(_sketched(y, places, rng), rng) if labels is None else label_correlations(labels)
    if of_y.deviations.max() < DEVIATIONS_ABOVE_CHANCE:
        return None
    rows = _sketched(x, places, rng)
    of_x = lag_correlations(rows if labels is None else _within_classes(rows, labels), rng)
    both = np.minimum(of_x.deviations, of_y.deviations) > DEVIATIONS_ABOVE_CHANCE
    raised = 2 * float((of_x.correlations * of_y.correlations)[both].sum())
    if raised < RAISED_VARIANCE_THAT_COUNTS:
        return None
    lag = int(both.argmax())
    return EstimateWarning(
        "serial_dependence",
        f"the order of the rows counts: rows {lag + 1} apart correlate by {of_x.correlations[lag]:.2f} in x"
        f" and {of_y.correlations[lag]:.2f} in y, and two series that know nothing of each other may agree",
        "give block=: how many consecutive rows belong together; or groups=",
    )


def lag_correlations(rows: Doubles, rng: np.random.Generator) -> LagCorrelations:
    """Correlate rows with those 1 to 8 steps on, against random orders of the rows of each stretch.

    The mean of every stretch is taken off, and the median taken over the stretches: levels that last longer,
    as those of a file sorted by class, and the few stretches in which they change, make no correlation.

    Parameters
    ----------
    rows
        Shape (stretches, 20, columns).
    rng
        Draws the orders.
    """
    rows = rows - rows.mean(axis=1, keepdims=True)
    products = rows @ rows.transpose(0, 2, 1)
    total = np.trace(products, axis1=1, axis2=2)[:, None, None]
    products = np.divide(products, total, out=np.zeros_like(products), where=total > 0)
    in_order = np.broadcast_to(np.arange(rows.shape[1]), rows.shape[:2])
    null = np.stack([_medians_by_lag(products, rng.permuted(in_order, axis=1)) for _ in range(ORDERS)])
    excess = _medians_by_lag(products, in_order) - null.mean(axis=0)
    most = 1 - np.arange(1, LARGEST_LAG + 1) / rows.shape[1]
    return _relative(excess, most, null.std(axis=0, ddof=1))


def label_correlations(labels: WholeNumbers) -> LagCorrelations:
    """Count how often labels 1 to 8 steps apart are the same, against labels in any order.

    Parameters
    ----------
    labels
        Shape (stretches, 20), 0..C-1.
    """
    p = np.bincount(labels.ravel()) / labels.size
    chance = float(np.square(p).sum())
    # Variance of the kernel [a = b] with the means of a and of b taken off: pairs are uncorrelated then.
    variance = chance - 2 * float(np.power(p, 3).sum()) + chance**2
    lags = range(1, LARGEST_LAG + 1)
    same = np.array([np.count_nonzero(labels[:, lag:] == labels[:, :-lag]) for lag in lags])
    pairs = len(labels) * (labels.shape[1] - np.arange(1, LARGEST_LAG + 1))
    return _relative(same - chance * pairs, (1 - chance) * pairs, np.sqrt(variance * pairs))


def _relative(excess: Doubles, most: Doubles, deviation: Doubles) -> LagCorrelations:
    """Divide by the most and by the deviation; what does not vary correlates with nothing."""
    varies = deviation > 1e-9 * most
    zeros = np.zeros(len(excess))
    return LagCorrelations(
        np.divide(excess, most, out=zeros.copy(), where=varies),
        np.divide(excess, deviation, out=zeros, where=varies),
    )


def _medians_by_lag(products: Doubles, order: RowNumbers) -> Doubles:
    """Sum the products of rows 1, 2, ... steps apart in some order; medians of the stretches, shape (8,)."""
    stretch = np.arange(len(products))[:, None]
    lags = range(1, LARGEST_LAG + 1)
    sums = [products[stretch, order[:, lag:], order[:, :-lag]].sum(axis=1) for lag in lags]
    return np.median(sums, axis=1)


def _stretches(n: int) -> RowNumbers:
    """Row numbers of the stretches, shape (stretches, 20), evenly spaced over n rows."""
    count = min(n // STRETCH, MOST_STRETCHES)
    starts = np.linspace(0, n - STRETCH, count).astype(np.int64) if count else np.empty(0, dtype=np.int64)
    return starts[:, None] + np.arange(STRETCH)


def _sketched(side: RowTable | NDArray[Any], places: RowNumbers, rng: np.random.Generator) -> Doubles:
    """Read stretches of rows as a few columns of one scale, shape (stretches, 20, at most 32)."""
    rows = RowTable.of(side).rows(places.ravel())
    return Sketch(rows, rng)(rows).reshape(*places.shape, -1)


def _within_classes(rows: Doubles, labels: WholeNumbers) -> Doubles:
    """Take the mean of its class off every row."""
    flat, places = rows.reshape(-1, rows.shape[2]), labels.ravel()
    sums = np.zeros((int(places.max()) + 1, flat.shape[1]))
    np.add.at(sums, places, flat)
    means = sums / np.maximum(np.bincount(places), 1)[:, None]
    return (flat - means[places]).reshape(rows.shape)
