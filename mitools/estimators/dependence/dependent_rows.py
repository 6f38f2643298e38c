"""Rows that are not independent, told in one call: copies, near copies and series."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.dependence.copies import copies_warning
from mitools.estimators.dependence.near_copies import near_copies_warning
from mitools.estimators.dependence.serial_dependence import serial_dependence_warning
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, RowTable
from mitools.estimators.inputs.sides import ROWS_PER_LABEL
from mitools.estimators.inputs.validation import as_array

Side = RowTable | NDArray[Any]
"""Labels 0..C-1, shape (n,); or numbers, a table or shape (n, d)."""

DEPENDENCE_WORDS = ("copies", "near_copies", "serial_dependence")
"""The words of what is looked for."""

COLUMNS_OF_A_SYMBOL = 8
"""Random numbers that stand for a symbol where symbols are compared as rows."""


def dependence_warnings(
    x: ArrayLike | RowTable, y: ArrayLike | RowTable, seed: int = 0
) -> tuple[EstimateWarning, ...]:
    """Say how the rows of a sample depend on each other, where nobody said which belong together.

    Memory does not grow with n where rows are a table or mapped from a file; the time is that of reading them
    three times.

    Parameters
    ----------
    x, y
        Paired rows, finite, in the order in which they were recorded: shapes (n, d_x) or (n,), and (n, d_y)
        or (n,). Names, and whole numbers of shape (n,) that come five times on average, are labels.
    seed
        Of the sampled rows, projections and orders.

    Returns
    -------
    tuple[EstimateWarning, ...]
        ``copies``, ``near_copies`` and ``serial_dependence``, as far as they are found.

    Raises
    ------
    InputError
        When a side is no array of numbers or labels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images, labels = rng.standard_normal((200, 16)), rng.integers(0, 4, 200)
    >>> frames = np.repeat(images, 5, axis=0) + 0.01 * rng.standard_normal((1000, 16))
    >>> [warning.word for warning in dependence_warnings(frames, np.repeat(labels, 5))]
    ['near_copies', 'serial_dependence']
    >>> dependence_warnings(rng.standard_normal((1000, 16)), rng.integers(0, 4, 1000))
    ()
    """
    first, second = _side(x, "x"), _side(y, "y")
    if _is_labels(first):
        first, second = second, first
    near = None if _is_labels(first) else near_copies_warning(first, second, seed)
    if near is None and not _is_labels(second):
        near = near_copies_warning(second, first, seed)
    serial = serial_dependence_warning(_as_numbers(first, seed), second, seed)
    return tuple(found for found in (copies_warning(x, y), near, serial) if found is not None)


def _side(values: ArrayLike | RowTable, name: str) -> Side:
    """Take values for labels or for numbers."""
    if isinstance(values, RowTable):
        return values
    array = as_array(values, name)
    if array.ndim == 1 or array.shape[1] == 1:
        classes, places = np.unique(array, return_inverse=True)
        whole = array.dtype.kind in "iub" and ROWS_PER_LABEL * len(classes) <= len(array)
        if array.dtype.kind == "U" or whole:
            return places.reshape(-1).astype(np.int64)
    rows = array.reshape(len(array), -1)
    if rows.dtype.itemsize > 4 and rows.size <= NUMBERS_IN_MEMORY:
        # Differences are taken before rounding to single precision: columns may lie far from 0.
        return np.asarray(rows, dtype=np.float64) - rows[0]
    return rows


def _is_labels(side: Side) -> bool:
    return not isinstance(side, RowTable) and side.ndim == 1


def _as_numbers(side: Side, seed: int) -> Side:
    """Give symbols as rows of numbers that are as far from each other as any two; rows as they are."""
    if isinstance(side, RowTable) or side.ndim == 2:
        return side
    return np.random.default_rng(seed).standard_normal((int(side.max()) + 1, COLUMNS_OF_A_SYMBOL))[side]
