"""Series: a null whose pairs stay in the order of time, and a standard error of blocks of rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm, t

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles, WholeNumbers
from mitools.estimators.warnings import INTERVAL_CONFIDENCE

SHIFTS = 39
"""Shifted readings of the null: of 40 readings that are alike, one is among the two greatest in 5%."""

GREATEST_SHIFTED = 2
"""Which of the shifted readings, from the greatest, is their 95% point."""

MOST_LEFT_OUT = 40
"""Blocks that are left out in turn for the standard error; more are joined to so many."""

FEW_BLOCKS = 10
"""Below so many blocks a standard error is rough."""

ReadNats = Callable[[NDArray[Any], NDArray[Any]], float]
"""Reads I(X;Y) of paired rows or symbols, in nats."""


class SeriesReading(NamedTuple):
    """What blocks of rows say of a reading.

    Attributes
    ----------
    null
        The 95% point of the readings with y shifted in time, in nats.
    stderr
        Standard error of the reading, in nats; as much wider for few blocks as Student's t with a degree less
        than there are blocks is wider than a normal, so that a normal interval of it is that of t.
    warnings
        ``small_sample`` where there are few blocks.
    """

    null: float
    stderr: float
    warnings: tuple[EstimateWarning, ...]


def blocks(n: int, length: int) -> WholeNumbers:
    """Cut n rows into blocks of consecutive rows.

    Parameters
    ----------
    n
        Rows.
    length
        Rows of a block; the last, if shorter, is joined to the one before it.

    Returns
    -------
    WholeNumbers
        Shape (n,): the block of every row, from 0.

    Raises
    ------
    InputError
        When a block is shorter than one row or longer than half the rows.

    Examples
    --------
    >>> blocks(8, 3).tolist()
    [0, 0, 0, 1, 1, 1, 1, 1]
    """
    check_block(n, length)
    return np.minimum(np.arange(n) // length, n // length - 1)


def check_block(n: int, length: int) -> None:
    """Refuse a block length that n rows cannot be cut by.

    Raises
    ------
    InputError
        When it is no whole number, below 1, or more than half the rows.
    """
    if isinstance(length, bool) or not isinstance(length, int | np.integer):
        raise InputError(f"block must be a whole number of rows, not {length!r}")
    if length < 1:
        raise InputError(f"block must be at least 1 row, not {length}")
    if length > n:
        raise InputError(f"block is {length} rows, but the series has {n}; give a shorter block or a longer series")
    if 2 * length > n:
        raise InputError(
            f"a block of {length} rows leaves no second one in {n}; give at most {n // 2}, or a longer series"
        )


def read_series(read: ReadNats, x: NDArray[Any], y: NDArray[Any], length: int, seed: int) -> SeriesReading:
    """Read what a series says when x and y know nothing of each other, and how far its own reading varies.

    Parameters
    ----------
    read
        The estimator.
    x, y
        Shapes (n, d_x) and (n, d_y), or symbols 0..K-1 of shape (n,); rows in the order of time.
    length
        Rows of a block: as many as it takes until rows hardly know of each other.
    seed
        Of the shifts.

    Raises
    ------
    InputError
        As :func:`check_block`, or when the estimator cannot read a part of the rows.
    """
    check_block(len(x), length)
    shifted = np.sort(shifted_readings(read, x, y, length, seed))
    stderr, count = block_jackknife(read, x, y, length)
    few: tuple[EstimateWarning, ...] = ()
    if count < FEW_BLOCKS:
        sentence = f"the standard error rests on {count} blocks"
        few = (EstimateWarning("small_sample", sentence, f"give a series of {FEW_BLOCKS} blocks or more"),)
    tail = 0.5 + INTERVAL_CONFIDENCE / 2
    stderr *= float(t.ppf(tail, count - 1) / norm.ppf(tail))
    return SeriesReading(float(shifted[-min(GREATEST_SHIFTED, len(shifted))]), stderr, few)


def shifted_readings(
    read: ReadNats, x: NDArray[Any], y: NDArray[Any], length: int, seed: int, count: int = SHIFTS
) -> Doubles:
    """Read x against y moved in time, what leaves at the end coming in at the start.

    Each series keeps its own dependence, and loses what it shares with the other: permuted rows, which keep
    nothing of the order, would read far too little (Politis & Romano 1994; Yuan & Shou 2022 on shifts).

    Parameters
    ----------
    read, x, y, length, seed
        As for :func:`read_series`; y is moved by at least `length` rows either way.
    count
        How many different shifts; all that there are where these are fewer.

    Returns
    -------
    Doubles
        Shape (count,), nats.
    """
    n = len(x)
    possible = np.arange(length, n - length + 1)
    rng = np.random.default_rng([seed, 3])
    chosen = possible if len(possible) <= count else rng.choice(possible, count, replace=False)
    return np.array([read(x, np.roll(y, int(shift), axis=0)) for shift in chosen])


def block_jackknife(read: ReadNats, x: NDArray[Any], y: NDArray[Any], length: int) -> tuple[float, int]:
    """Give the standard error of a reading by leaving out each block of rows in turn.

    With B blocks the variance is ``(B - 1) / B`` times the sum of squared deviations of the B readings from
    their mean (Künsch 1989, with blocks that do not overlap). Rows are never repeated, as in a bootstrap, since
    a copy would be its row's nearest neighbour.

    Parameters
    ----------
    read, x, y, length
        As for :func:`read_series`.

    Returns
    -------
    tuple[float, int]
        The standard error, nats, and B: at most 40, longer blocks being made where there are more.
    """
    n = len(x)
    block = blocks(n, max(length, -(-n // MOST_LEFT_OUT)))
    count = int(block[-1]) + 1
    left = np.array([_read_part(read, x, y, block != one) for one in range(count)])
    return float(np.sqrt((count - 1) * left.var())), count


def _read_part(read: ReadNats, x: NDArray[Any], y: NDArray[Any], kept: NDArray[np.bool_]) -> float:
    """Read some of the rows; 0 where a side is constant in them."""
    parts = [_without_what_is_gone(side[kept]) for side in (x, y)]
    return read(*parts) if all(part.any() if part.ndim == 1 else part.size for part in parts) else 0.0


def _without_what_is_gone(part: NDArray[Any]) -> NDArray[Any]:
    """Number the symbols that are left afresh; of rows, keep the columns that still vary."""
    if part.ndim == 1:
        return np.unique(part, return_inverse=True)[1].astype(np.int64)
    return part[:, (part != part[:1]).any(axis=0)]
