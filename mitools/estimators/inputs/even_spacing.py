"""Evenly spaced values, as ranks and rounded numbers are: what is finer than their spacing is not in them."""

import numpy as np
from numpy.typing import NDArray

MOST_STEPS_A_ROW = 100
"""Steps between the least and the greatest value, for each row, up to which a spacing is one of the data.
That of single precision is finer in any table that is searched for neighbours."""

LARGEST_ROUNDING = 1e-6
"""Share of a step by which values may miss the multiples of it."""


def spread_within_steps(rows: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw evenly spaced values at random within half a step about them; other columns stay as they are.

    Neighbours would else read the spacing in place of a density: the ranks of a uniform ridge of 8 nats, of
    which some lie on a line exactly, read 260.

    Parameters
    ----------
    rows
        Shape (n, d).
    rng
        Draws.

    Returns
    -------
    NDArray[np.float64]
        Shape (n, d): `rows` itself where no column is evenly spaced.

    Examples
    --------
    >>> ranks = np.arange(5.0)[:, None]
    >>> spread_within_steps(ranks, np.random.default_rng(0)).round().ravel()
    array([0., 1., 2., 3., 4.])
    """
    steps = np.array([_step(column) for column in rows.T])
    if not steps.any():
        return rows
    return rows + steps * (rng.random(rows.shape) - 0.5)


def ranked_again(rows: NDArray[np.float64], some: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Take some rows, and rank again among them the columns that are ranks of all.

    Half of the ranks of n rows are as fine as all; ranks of half the rows, which such a column would hold if
    there were no more, are twice as coarse.

    Parameters
    ----------
    rows
        Shape (n, d).
    some
        Shape (n,): whether a row is taken.

    Examples
    --------
    >>> rows = np.array([[1.0, 0.3], [2.0, 0.1], [3.0, 0.8], [4.0, 0.2]])
    >>> ranked_again(rows, np.array([False, True, False, True]))
    array([[0. , 0.1],
           [1. , 0.2]])
    """
    taken = rows[some]
    ranks = [j for j, column in enumerate(rows.T) if _is_ranks(column)]
    if ranks:
        taken[:, ranks] = np.argsort(np.argsort(taken[:, ranks], axis=0), axis=0)
    return taken


def _is_ranks(column: NDArray[np.float64]) -> bool:
    """Whether the values lie one step apart, each in one row."""
    gaps = np.diff(np.sort(column))
    return bool(len(gaps) and gaps.min() > 0 and gaps.max() < (1 + LARGEST_ROUNDING) * gaps.min())


def _step(column: NDArray[np.float64]) -> float:
    """Give the step of which all differences of a column's values are multiples; 0 where there is none."""
    gaps = np.diff(np.unique(column))
    if not len(gaps):
        return 0.0
    step = float(gaps.min())
    if gaps.sum() > MOST_STEPS_A_ROW * len(column) * step:
        return 0.0
    multiples = gaps / step
    return step if (np.abs(multiples - np.round(multiples)) < LARGEST_ROUNDING).all() else 0.0
