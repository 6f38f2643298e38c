"""Rows that are copies of each other: which read as information where a method takes rows for independent."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable, spans
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

ROWS_TO_CHOOSE_A_COLUMN = 1 << 12
"""Rows, evenly spaced, in which the column that repeats least is looked for."""

Values = RowTable | NDArray[Any]
"""One side as it is given: rows, or one value a row."""


def copies_warning(x: ArrayLike | RowTable, y: ArrayLike | RowTable) -> EstimateWarning | None:
    """Warn where rows are copies of others; see :func:`copied_rows`.

    Returns
    -------
    EstimateWarning | None
        With the word ``copies``.
    """
    copied = copied_rows(x, y)
    if not copied:
        return None
    return EstimateWarning(
        "copies",
        f"{copied:,} of {len(_values(x, 'x')):,} rows are copies of others: learnt by heart, or each other's"
        " neighbours, they feign information",
        "give groups=: which image, subject, clip or document a row comes from; or keep one of each",
    )


def copied_rows(x: ArrayLike | RowTable, y: ArrayLike | RowTable) -> int:
    """Count rows of numbers that are copies of others, rather than alike by chance.

    Copies on both sides of a split are learnt by heart, and as each other's nearest neighbours they read as
    information, while a null, whose pairs are permuted, shows nothing of it. Values that lie on few points
    (labels, counts, rounded numbers) repeat by chance: then single columns repeat more than whole rows do.

    Parameters
    ----------
    x, y
        Shapes (n, d_x) or (n,), and (n, d_y) or (n,); row i of x with row i of y. Tables and arrays that are
        mapped from a file are read a bounded part at a time.

    Returns
    -------
    int
        Rows beyond the first of each kind, equal in x and in y; 0 where they may be alike by chance.
    """
    sides = [_values(x, "x"), _values(y, "y")]
    numbers = [side for side in sides if isinstance(side, RowTable) or side.dtype.kind == "f"]
    if not numbers:
        return 0
    column = _column_that_repeats_least(numbers)
    n = len(column)
    _, value, counts = np.unique(column, return_inverse=True, return_counts=True)
    rare = counts <= MOST_COPIES_OF_A_VALUE
    repeats = int(counts[rare].sum()) - int(rare.sum())
    fewest = max(COPIED_SHARE_OF_REPEATS * repeats, COPIES_THAT_COUNT_SHARE * n)
    if repeats == 0 or repeats < fewest or len(counts) <= (1 - LATTICE_SHARE_OF_REPEATS) * n:
        return 0
    # Copies have one value in that column, so that no others need be read.
    maybe = np.flatnonzero((rare & (counts > 1))[value])
    kinds = row_symbols(np.stack([_row_codes(side, maybe) for side in sides], axis=1))
    copied = len(maybe) - int(kinds.max()) - 1
    return copied if copied >= fewest else 0


def copy_groups(rows: RowTable) -> Groups:
    """Make a group of all rows that are equal, whatever belongs to them.

    Parameters
    ----------
    rows
        Shape (n, d), read a bounded part at a time.

    Returns
    -------
    Groups
        Shape (n,). Of use where :func:`copied_rows` finds copies: rows on few points are equal by chance.
    """
    return np.unique(_row_codes(rows), return_inverse=True)[1].astype(np.int64)


def _values(side: ArrayLike | RowTable, name: str) -> Values:
    if isinstance(side, RowTable):
        return side
    array = as_array(side, name)
    return array.reshape(len(array), -1)


def _column_that_repeats_least(numbers: list[Values]) -> NDArray[Any]:
    """Give that column of the sides, shape (n,)."""
    most, chosen = -1, (numbers[0], 0)
    for side in numbers:
        step = -(-len(side) // ROWS_TO_CHOOSE_A_COLUMN)
        for place, column in enumerate(_read(side, slice(None, None, step)).T):
            if (distinct := len(np.unique(column))) > most:
                most, chosen = distinct, (side, place)
    side, place = chosen
    parts = spans(len(side), _width(side))
    # Copied: a view would keep the whole part in memory.
    return np.concatenate([_read(side, some)[:, place].copy() for some in parts])


def _row_codes(side: Values, items: RowNumbers | None = None) -> NDArray[np.uint64]:
    """Give equal rows of some items equal codes, shape (m,); two others have one with a chance of 2^-64."""
    if not isinstance(side, RowTable) and side.shape[1] == 1:
        column = side[:, 0] if items is None else side[items, 0]
        return np.unique(column, return_inverse=True)[1].astype(np.uint64)
    rng = np.random.default_rng(0)
    codes: list[NDArray[np.uint64]] = []
    keys = np.empty(0, dtype=np.uint64)
    for some in spans(len(side) if items is None else len(items), _width(side)):
        words = _words(_read(side, some if items is None else items[some]))
        if not len(keys):
            keys = rng.integers(0, 1 << 64, (words.shape[1],), dtype=np.uint64)
        codes.append(np.sum(_mixed(words ^ keys), axis=1, dtype=np.uint64))
    return np.concatenate(codes)


def _mixed(words: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Make of every word another one, all bits of which depend on all of its bits: splitmix64, in place.

    Steele, Lea & Flood (2014), Fast splittable pseudorandom number generators, Fig. 14.
    """
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        words ^= words >> np.uint64(shift)
        words *= np.uint64(factor)
    words ^= words >> np.uint64(31)
    return words


def _words(rows: NDArray[Any]) -> NDArray[np.uint64]:
    """Read the bytes of rows as whole numbers, shape (m, w)."""
    rows = np.ascontiguousarray(rows if rows.dtype.kind in "bU" else rows + 0)  # -0 becomes 0
    as_bytes = rows.view(np.uint8).reshape(len(rows), -1)
    missing = -as_bytes.shape[1] % 8
    return np.pad(as_bytes, ((0, 0), (0, missing))).view(np.uint64) if missing else as_bytes.view(np.uint64)


def _width(side: Values) -> int:
    return side.width if isinstance(side, RowTable) else int(side.shape[1])


def _read(side: Values, index: slice | RowNumbers) -> NDArray[Any]:
    return side.rows(index) if isinstance(side, RowTable) else side[index]
