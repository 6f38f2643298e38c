"""Entropies of discrete distributions and the two units of information."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError

LOG2 = float(np.log(2.0))


def nats_to_bits(nats: float) -> float:
    """Convert nats to bits."""
    return nats / LOG2


def bits_to_nats(bits: float) -> float:
    """Convert bits to nats."""
    return bits * LOG2


def entropy(probabilities: ArrayLike) -> float:
    """Shannon entropy of a discrete distribution, in nats.

    Parameters
    ----------
    probabilities
        Any shape; non-negative, summing to one.

    Raises
    ------
    InputError
        When the values are no probability distribution.

    Examples
    --------
    >>> round(entropy([0.5, 0.5]) / LOG2, 12)
    1.0
    """
    p = check_distribution(probabilities)
    p = p[p > 0]
    return float(-(p * np.log(p)).sum()) + 0.0


def mutual_information(joint: ArrayLike) -> float:
    """Mutual information of a discrete joint table, in nats: ``H(X) + H(Y) - H(X, Y)``.

    Parameters
    ----------
    joint
        Shape (rows, columns); non-negative, summing to one.

    Raises
    ------
    InputError
        When the table is not two-dimensional or no probability distribution.
    """
    table = check_distribution(joint)
    if table.ndim != 2:
        raise InputError(f"a joint table has two axes, this one has {table.ndim}")
    return entropy(table.sum(axis=1)) + entropy(table.sum(axis=0)) - entropy(table)


def check_distribution(probabilities: ArrayLike) -> NDArray[np.float64]:
    """Return the probabilities as float64, or say why they are none.

    Raises
    ------
    InputError
        When a value is negative or not finite, or the sum is off one by more than 1e-9.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    if p.size == 0 or not np.isfinite(p).all() or (p < 0).any():
        raise InputError("probabilities must be finite, non-negative and at least one")
    if abs(p.sum() - 1.0) > 1e-9:
        raise InputError(f"probabilities must sum to one, these sum to {p.sum():.6g}")
    return p
