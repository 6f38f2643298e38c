"""Rows that are copies of each other: which read as information where a method takes rows for independent."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.symbols import row_symbols
from mitools.estimators.inputs.validation import as_array

COPIED_SHARE_OF_REPEATS = 0.9
"""Share of the repeats in the column that repeats least which whole rows must have to count as copied."""

LATTICE_SHARE_OF_REPEATS = 0.9
"""Share of repeats in that column from which the values lie on few points, where rows repeat by chance."""

COPIES_THAT_COUNT_SHARE = 0.01
"""Share of all rows below which copies change no number."""

ROWS_LOOKED_AT = 20_000
"""Rows from which it is told whether they are copied or alike by chance."""

MOST_COPIES_OF_A_VALUE = 20
"""How often a value of that column may come: one that comes more often has a probability of its own."""


def copies_of(rows: RowTable, labels: NDArray[np.int64]) -> Groups | None:
    """Make a group of all rows that are exact copies of each other, whatever their labels.

    Parameters
    ----------
    rows
        Shape (n, d), read a bounded part at a time.
    labels
        Shape (n,).

    Returns
    -------
    Groups or None
        Shape (n,); None where no row is a copy, or rows may be alike by chance (see :func:`copied_rows`).
    """
    prints = _fingerprints(rows)
    _, groups, counts = np.unique(prints, return_inverse=True, return_counts=True)
    if len(counts) >= (1 - COPIES_THAT_COUNT_SHARE) * len(rows) or len(counts) == 1:
        return None
    # Whole groups, so that what they repeat is what all rows repeat.
    some = np.flatnonzero(groups < np.searchsorted(np.cumsum(counts), ROWS_LOOKED_AT, side="right") + 1)
    return groups.astype(np.int64) if copied_rows(rows.rows(some), labels[some]) else None


def _fingerprints(rows: RowTable) -> NDArray[np.uint64]:
    """Hash the bits of every row, shape (n,): two different rows have one hash in 2^64."""
    odd = 2 * np.random.default_rng(0).integers(0, 2**63, rows.width, dtype=np.uint64) + 1
    found = np.empty(len(rows), dtype=np.uint64)
    for places, chunk in rows.chunks(2 * rows.width):
        bits = (chunk + np.float32(0)).view(np.uint32)  # -0 becomes 0
        found[places] = (bits.astype(np.uint64) * odd).sum(axis=1, dtype=np.uint64)
    return found


def copied_rows(x: ArrayLike, y: ArrayLike) -> int:
    """Count rows of numbers that are copies of others, rather than alike by chance.

    Copies on both sides of a split are learnt by heart, and as each other's nearest neighbours they read as
    information, while a null, whose pairs are permuted, shows nothing of it. Values that lie on few points
    (labels, counts, rounded numbers) repeat by chance: then single columns repeat more than whole rows do.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) or (n,), and (n, d_y) or (n,); row i of x with row i of y.

    Returns
    -------
    int
        Rows beyond the first of each kind; 0 where they may be alike by chance.
    """
    sides = [side.reshape(len(side), -1) for side in (as_array(x, "x"), as_array(y, "y"))]
    numbers = [side for side in sides if side.dtype.kind == "f"]
    if not numbers:
        return 0
    column = max((column for side in numbers for column in side.T), key=lambda one: len(np.unique(one)))
    _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
    rare = counts[value] <= MOST_COPIES_OF_A_VALUE
    repeats = int(rare.sum()) - int((counts <= MOST_COPIES_OF_A_VALUE).sum())
    if repeats == 0 or len(counts) <= (1 - LATTICE_SHARE_OF_REPEATS) * len(column):
        return 0
    rows = np.stack([row_symbols(side[rare]) for side in sides], axis=1)
    found = len(rows) - len(np.unique(rows, axis=0))
    return (
        found if found >= max(COPIED_SHARE_OF_REPEATS * repeats, COPIES_THAT_COUNT_SHARE * len(column)) else 0
    )
