"""Rows that are copies of each other: which read as information where a method takes rows for independent."""

import numpy as np
from numpy.typing import ArrayLike

from mitools.estimators.inputs.symbols import row_symbols
from mitools.estimators.inputs.validation import as_array

COPIED_SHARE_OF_REPEATS = 0.9
"""Share of the repeats in the column that repeats least which whole rows must have to count as copied."""

LATTICE_SHARE_OF_REPEATS = 0.9
"""Share of repeats in that column from which the values lie on few points, where rows repeat by chance."""

COPIES_THAT_COUNT_SHARE = 0.01
"""Share of all rows below which copies change no number."""

MOST_COPIES_OF_A_VALUE = 20
"""How often a value of that column may come: one that comes more often has a probability of its own."""


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
