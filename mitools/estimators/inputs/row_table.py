"""Rows that need not fit in memory: read as float32, a bounded part at a time."""

from collections.abc import Iterator
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mitools.core.centring import Centring, find_centring, to_single

NUMBERS_AT_ONCE = 1 << 24
"""Numbers read together: 64 MiB as float32."""

NUMBERS_NEAR = 1 << 17
"""Numbers that stay near the processor while several steps are taken with them: 512 KiB as float32."""

NUMBERS_IN_MEMORY = 1 << 28
"""Numbers up to which a fit holds all rows at once: 1 GiB as float32."""


class RowTable:
    """Some rows of an array that may be mapped from a file, and of another precision.

    Nothing is copied until rows are asked for.

    Parameters
    ----------
    array
        Shape (n, d), real.
    items
        Shape (m,): which rows, in this order; all of them when None.
    centring
        The shift of columns that float32 does not resolve where they lie; None where it resolves all.
    """

    def __init__(
        self,
        array: NDArray[Any],
        items: NDArray[np.int64] | None = None,
        centring: Centring | None = None,
    ) -> None:
        self._array = array
        self._items = items
        self.centring = centring

    @classmethod
    def of(cls, rows: "NDArray[Any] | RowTable") -> "RowTable":
        """Take a table as it is, and an array as a table, shifted where float32 does not resolve a column."""
        return rows if isinstance(rows, RowTable) else cls(rows, centring=find_centring(rows))

    def __len__(self) -> int:
        return len(self._array) if self._items is None else len(self._items)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns, (n, d)."""
        return len(self), self.width

    @property
    def width(self) -> int:
        """The number of columns, d."""
        return int(self._array.shape[1])

    def at(self, items: NDArray[np.int64]) -> Self:
        """Give the table of some of these rows."""
        return type(self)(self._array, items if self._items is None else self._items[items], self.centring)

    def rows(self, index: slice | NDArray[np.int64] = slice(None)) -> NDArray[np.float32]:
        """Read rows, shape (m, d); the array itself where it is all of it and float32 already."""
        found = self._array[index if self._items is None else self._items[index]]
        return to_single(found, self.centring)

    def chunks(self, width: int = 1) -> Iterator[tuple[slice, NDArray[np.float32]]]:
        """Read all rows, a bounded number at a time: their places and the rows.

        Parameters
        ----------
        width
            Numbers that the caller makes of each row; so many fewer rows are read at once where these are
            more than d.
        """
        for places in spans(len(self), max(self.width, width)):
            yield places, self.rows(places)


def spans(n: int, width: int, numbers: int | None = None) -> Iterator[slice]:
    """Cut n rows of a width into spans of so many numbers at the most, in order."""
    step = max(1, (numbers or NUMBERS_AT_ONCE) // width)
    return (slice(start, min(start + step, n)) for start in range(0, n, step))
