"""Columns that say nothing new: constant ones, and multiples of others."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.array_types import WholeNumbers
from mitools.estimators.inputs.sides import Side

ROUNDINGS = 8
"""Roundings of its greatest value by which a column may differ from a multiple of another and be one."""


class Columns(NamedTuple):
    """Which columns of a side are read.

    Attributes
    ----------
    kept
        Their numbers, counted from 0.
    constant, repeated
        How many are left out because they hold one value, and because they are another column times a number
        and plus one.
    """

    kept: WholeNumbers
    constant: int
    repeated: int

    def sentence(self) -> str:
        """Say which are left out; empty where none is."""
        constant = f"{self.constant} constant" if self.constant else ""
        repeated = (
            f"{self.repeated} that repeat{'s' if self.repeated == 1 else ''} another" if self.repeated else ""
        )
        left_out = " and ".join(part for part in (constant, repeated) if part)
        return f"{left_out} left out" if left_out else ""


def telling_columns(rows: NDArray[Any]) -> Columns:
    """Leave out constant columns and those that repeat an earlier one; keep one where nothing else is left.

    Parameters
    ----------
    rows
        Shape (n, d), numbers.
    """
    varying = np.flatnonzero((rows != rows[:1]).any(axis=0))
    if not len(varying):
        return Columns(np.arange(1), rows.shape[1] - 1, 0)
    kept: list[int] = []
    # A multiple has its extremes in the same rows, so that few columns are compared in full.
    by_extremes: dict[tuple[int, int], list[int]] = {}
    for j in varying.tolist():
        ends = sorted((int(rows[:, j].argmin()), int(rows[:, j].argmax())))
        alike = by_extremes.setdefault((ends[0], ends[1]), [])
        if not any(_is_multiple(rows[:, j], rows[:, i]) for i in alike):
            alike.append(j)
            kept.append(j)
    return Columns(np.array(kept), rows.shape[1] - len(varying), len(varying) - len(kept))


def _is_multiple(column: NDArray[Any], other: NDArray[Any]) -> bool:
    (a, coarse_a), (b, coarse_b) = _standardised(column), _standardised(other)
    sign = 1.0 if a @ b > 0 else -1.0
    return bool(np.abs(a - sign * b).max() <= coarse_a + coarse_b)


def _standardised(column: NDArray[Any]) -> tuple[NDArray[np.float64], float]:
    """Give a column at mean 0 and deviation 1, and how finely it is resolved then."""
    eps = float(np.finfo(column.dtype).eps) if column.dtype.kind == "f" else float(np.finfo(np.float64).eps)
    values = column.astype(np.float64)
    spread = float(values.std())
    return (values - values.mean()) / spread, ROUNDINGS * eps * float(np.abs(values).max()) / spread


def with_columns(side: Side, columns: Columns | None) -> Side:
    """Keep the telling columns of a side of numbers, and say so; None keeps a side of labels or symbols."""
    left_out = "" if columns is None else columns.sentence()
    if columns is None or not left_out:
        return side
    return side._replace(values=side.values[:, columns.kept], because=f"{side.because}, {left_out}")
