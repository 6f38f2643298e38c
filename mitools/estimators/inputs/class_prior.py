"""The class distribution pi that is meant: the data's own, uniform, or the caller's."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import check_distribution
from mitools.core.errors import InputError

Prior = str | ArrayLike


def class_prior(labels: NDArray[np.int64], prior: Prior = "empirical") -> NDArray[np.float64]:
    """Return the class distribution, shape (C,).

    Parameters
    ----------
    labels
        Shape (n,), 0..C-1, every class present.
    prior
        ``empirical`` (the labels' own frequencies), ``uniform``, or C probabilities.

    Raises
    ------
    InputError
        When there is one class only, or `prior` is none of these.

    Examples
    --------
    >>> class_prior(np.array([0, 0, 0, 1]))
    array([0.75, 0.25])
    """
    counts = np.bincount(labels)
    if len(counts) < 2:
        raise InputError("there is one class only: its entropy is 0, and there is nothing to estimate")
    if isinstance(prior, str):
        if prior == "empirical":
            return counts / counts.sum()
        if prior == "uniform":
            return np.full(len(counts), 1 / len(counts))
        raise InputError(
            f"unknown class prior {prior!r}; accepted: empirical, uniform, or one probability a class"
        )
    given = check_distribution(prior)
    if given.shape != counts.shape or (given == 0).any():
        raise InputError(f"the class prior needs {len(counts)} positive probabilities, one a class")
    return given
