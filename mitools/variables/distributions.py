"""Distributions of discrete variables: marginals, joints of some, and all pairs, in passes of any length.

Variables are soft or hard: ``q`` has shape (n, M, D), and ``q[i, m]`` is a distribution over the D units of
variable m for item i, one-hot where the variable is hard. The item is drawn, then every variable on its own.
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError

Floats = NDArray[np.float64]


def one_hot(codes: ArrayLike, units: int) -> Floats:
    """Make hard variables of numbers.

    Parameters
    ----------
    codes
        Shape (n, M), whole numbers from 0 to ``units - 1``.
    units
        Values of a variable.

    Examples
    --------
    >>> one_hot([[0, 2]], 3).tolist()
    [[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]]
    """
    return np.eye(units)[np.asarray(codes)]


def marginals(q: ArrayLike) -> Floats:
    """Give the distribution of every variable (Niu et al. 2024, Eq. 2), shape (M, D).

    Parameters
    ----------
    q
        Shape (n, M, D).
    """
    found: Floats = np.asarray(q, dtype=np.float64).mean(axis=0)
    return found


def joint(q: ArrayLike, variables: Sequence[int]) -> Floats:
    """Give the joint distribution of r variables (Eq. 3), shape (D,) * r.

    Parameters
    ----------
    q
        Shape (n, M, D).
    variables
        Which of the M, in the order of the result's axes.
    """
    q = np.asarray(q, dtype=np.float64)
    return _summed_joint(q, tuple(variables)) / len(q)


def cross_joint(q: ArrayLike, others: ArrayLike) -> Floats:
    """Give the joint distribution of every variable in one view and every one in another (Eq. 10).

    Parameters
    ----------
    q, others
        Shape (n, M, D) each: the same items in two views.

    Returns
    -------
    Floats
        Shape (M, D, M, D).
    """
    return JointTable.of(q, others).joint


class JointTable:
    """The joint distributions of all pairs of variables, from chunks of items: memory of (M D)^2 numbers.

    Parameters
    ----------
    variables, units
        M and D.

    Attributes
    ----------
    n
        Items seen.

    Examples
    --------
    >>> table = JointTable(variables=2, units=2)
    >>> for chunk in (one_hot([[0, 0], [1, 1]], 2), one_hot([[0, 0], [1, 1]], 2)):
    ...     table.add(chunk)
    >>> table.n, table.joint[0, :, 1].tolist()
    (4, [[0.5, 0.0], [0.0, 0.5]])
    """

    def __init__(self, variables: int, units: int) -> None:
        self.n = 0
        self._shape = variables, units
        width = variables * units
        self._joint = np.zeros((width, width))
        self._sums = np.zeros((2, width))
        self._squares = np.zeros(width)

    @classmethod
    def of(cls, q: ArrayLike, others: ArrayLike | None = None) -> "JointTable":
        """Take all items at once."""
        array = np.asarray(q)
        table = cls(*array.shape[1:])
        table.add(array, others)
        return table

    def add(self, q: ArrayLike, others: ArrayLike | None = None) -> None:
        """Count further items.

        Parameters
        ----------
        q
            Shape (k, M, D).
        others
            Shape (k, M, D): the same items in another view; `q` itself when None.
        """
        rows = np.asarray(q, dtype=np.float64).reshape(len(np.asarray(q)), -1)
        theirs = rows if others is None else np.asarray(others, dtype=np.float64).reshape(rows.shape)
        self.n += len(rows)
        self._joint += rows.T @ theirs
        self._sums += np.stack([rows.sum(axis=0), theirs.sum(axis=0)])
        self._squares += np.square(rows).sum(axis=0)

    @property
    def joint(self) -> Floats:
        """Shape (M, D, M, D); the block of a variable with itself holds two draws of it for one item."""
        return (self._joint / self.n).reshape(*self._shape, *self._shape)

    @property
    def marginals(self) -> Floats:
        """Shape (M, D), of the first view."""
        return (self._sums[0] / self.n).reshape(self._shape)

    @property
    def other_marginals(self) -> Floats:
        """Shape (M, D), of the other view."""
        return (self._sums[1] / self.n).reshape(self._shape)

    @property
    def variances(self) -> Floats:
        """Shape (M, D): of a unit's probability over the items, in the first view."""
        return (self._squares / self.n).reshape(self._shape) - np.square(self.marginals)


class SubsetTables:
    """The joint distributions of chosen subsets of r variables, from chunks of items.

    Parameters
    ----------
    subsets
        Shape (S, r): the variables of each.
    units
        D; a table has D^r cells.
    """

    def __init__(self, subsets: NDArray[np.int64], units: int) -> None:
        self.n = 0
        self.subsets = subsets
        self._tables = np.zeros((len(subsets), *(units,) * subsets.shape[1]))

    def add(self, q: Floats) -> None:
        """Count further items, shape (k, M, D)."""
        self.n += len(q)
        for table, subset in zip(self._tables, self.subsets, strict=True):
            table += _summed_joint(q, tuple(subset))

    @property
    def joints(self) -> Floats:
        """Shape (S, D, ..., D)."""
        return self._tables / self.n


def some_subsets(variables: int, size: int, most: int, seed: int = 0) -> NDArray[np.int64]:
    """List all subsets of some size where they are few, and otherwise draw so many without repetition.

    Returns
    -------
    ndarray
        Shape (S, size), each row ascending.

    Raises
    ------
    InputError
        When there are fewer variables than a subset has.

    Examples
    --------
    >>> some_subsets(3, 2, most=10).tolist()
    [[0, 1], [0, 2], [1, 2]]
    >>> len(some_subsets(100, 3, most=10))
    10
    """
    if not 1 <= size <= variables:
        raise InputError(f"there are no subsets of {size} of {variables} variables")
    if comb(variables, size) <= most:
        return np.array(list(combinations(range(variables), size)), dtype=np.int64)
    rng = np.random.default_rng([seed, 11])
    found: dict[tuple[int, ...], None] = {}
    while len(found) < most:
        found[tuple(sorted(rng.choice(variables, size, replace=False).tolist()))] = None
    return np.array(list(found), dtype=np.int64)


def _summed_joint(q: Floats, variables: tuple[int, ...]) -> Floats:
    """Sum the products of some variables' probabilities over the items."""
    n, _, units = q.shape
    *first, last = (q[:, variable] for variable in variables)
    products = np.ones((n, 1))
    for one in first:
        products = (products[:, :, None] * one[:, None, :]).reshape(n, -1)
    found: Floats = (products.T @ last).reshape((units,) * len(variables))
    return found
