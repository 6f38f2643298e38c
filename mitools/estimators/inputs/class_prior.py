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
    check_prior(prior)
    if isinstance(prior, str):
        return counts / counts.sum() if prior == "empirical" else np.full(len(counts), 1 / len(counts))
    given = check_distribution(prior)
    if given.shape != counts.shape or (given == 0).any():
        raise InputError(f"the class prior needs {len(counts)} positive probabilities, one a class")
    return given


def check_prior(prior: Prior) -> None:
    """Refuse what can be no class distribution, before any label is known.

    Raises
    ------
    InputError
        When `prior` is neither a name that :func:`class_prior` knows nor probabilities.

    Examples
    --------
    >>> check_prior([0.5, 0.6])
    Traceback (most recent call last):
    mitools.core.errors.InputError: probabilities must sum to one, these sum to 1.1
    """
    if isinstance(prior, str):
        if prior not in ("empirical", "uniform"):
            raise InputError(
                f"unknown class prior {prior!r}; accepted: empirical, uniform, or one probability a class"
            )
        return
    try:
        check_distribution(prior)
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"the class prior is a {type(prior).__name__}; give empirical, uniform, or a probability a class"
        ) from None
