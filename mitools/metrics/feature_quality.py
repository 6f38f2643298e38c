"""Whether features are fit to be measured: dead and constant dimensions, copies of rows, collapse."""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.inputs.row_table import RowTable

SPECTRUM_ROWS, SPECTRUM_ROWS_WIDE, WIDE = 16_384, 2_048, 4_096
"""Rows that the effective rank is taken from at the most, also where there are more than 4,096 columns."""

CONSTANT_WITHIN = 1e-6
"""A dimension counts as constant when its values differ by less than this share of the largest."""

DIMENSIONS_TOLD, ROWS_TOLD = 0.1, 0.01
"""Shares of constant dimensions, and of rows that are copies, from which there is a warning."""

COLLAPSED_BELOW = 0.25
"""Share of the directions that C classes can need, min(d, C - 1), below which features have collapsed."""

_MULTIPLIERS = np.array([0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53], dtype=np.uint64)


@dataclass(frozen=True)
class FeatureQuality:
    """What is wrong with features, counted.

    Attributes
    ----------
    dim, rows
        d and n.
    constant_dims
        Dimensions that are alike for all items, the dead ones counted.
    dead_units
        Dimensions that are 0 for all items.
    duplicate_rows
        Rows equal to an earlier one.
    nonfinite_rows
        Rows with NaN or infinite values; the other numbers leave them out.
    effective_rank
        exp of the entropy of the normalised singular values of the centred rows: how many directions the
        features use, from 0 (all rows alike) to min(n, d).
    """

    dim: int
    rows: int
    constant_dims: int
    dead_units: int
    duplicate_rows: int
    nonfinite_rows: int
    effective_rank: float

    def to_dict(self) -> dict[str, Any]:
        """Give the counts as JSON values, without the shape."""
        return {name: value for name, value in asdict(self).items() if name not in ("dim", "rows")}

    def warnings(self, classes: int) -> list[str]:
        """Name what is wrong enough to be told, for features of items of so many classes."""
        found = []
        if self.nonfinite_rows:
            found.append(f"nonfinite ({self.nonfinite_rows} of {self.rows} rows)")
        if self.constant_dims >= DIMENSIONS_TOLD * self.dim:
            found.append(f"constant_dims ({self.constant_dims} of {self.dim})")
        if self.duplicate_rows >= ROWS_TOLD * self.rows:
            found.append(f"duplicate_rows ({self.duplicate_rows} of {self.rows})")
        if self.effective_rank < COLLAPSED_BELOW * min(self.dim, classes - 1):
            found.append(f"collapsed (effective rank {self.effective_rank:.1f} of {self.dim})")
        return found


def feature_quality(features: NDArray[Any] | RowTable, seed: int = 0) -> FeatureQuality:
    """Count what is wrong with features, in two passes of bounded memory.

    Parameters
    ----------
    features
        Shape (n, d).
    seed
        Of the rows that the effective rank is taken from, where there are more than 16,384 (2,048 with more
        than 4,096 columns).

    References
    ----------
    Roy and Vetterli, "The effective rank: a measure of effective dimensionality", EUSIPCO 2007, section 2;
    as a guard against dimensional collapse: Garrido et al., "RankMe", ICML 2023.
    """
    table = RowTable.of(features)
    low, high = np.full(table.width, np.inf, np.float32), np.full(table.width, -np.inf, np.float32)
    prints = np.empty(len(table), dtype=np.uint64)
    finite = np.empty(len(table), dtype=bool)
    for places, rows in table.chunks(width=4 * table.width):
        finite[places] = np.isfinite(rows).all(axis=1)
        rows = rows[finite[places]]
        if len(rows):
            low, high = np.minimum(low, rows.min(axis=0)), np.maximum(high, rows.max(axis=0))
        prints[np.arange(len(table))[places][finite[places]]] = _fingerprints(rows)
    reach = np.maximum(np.abs(low), np.abs(high))
    with np.errstate(invalid="ignore"):
        constant = high - low <= CONSTANT_WITHIN * reach
    good = np.flatnonzero(finite)
    return FeatureQuality(
        dim=table.width,
        rows=len(table),
        constant_dims=int(constant.sum()),
        dead_units=int((reach == 0).sum()),
        duplicate_rows=len(good) - len(np.unique(prints[good])),
        nonfinite_rows=len(table) - len(good),
        effective_rank=_effective_rank(table, good, np.random.default_rng(seed)),
    )


def _fingerprints(rows: NDArray[np.float32]) -> NDArray[np.uint64]:
    """Hash every row into 64 bits, shape (n,); equal rows alike, and 0 as -0.

    The bits of every pair of numbers are mixed (the finaliser of MurmurHash3) before they are multiplied
    and summed: values with few digits would leave the low bits of a plain sum empty.
    """
    n, d = rows.shape
    even = np.zeros((n, d + d % 2), dtype=np.float32)
    np.add(rows, 0.0, out=even[:, :d])
    words = even.view(np.uint64)
    for multiplier in _MULTIPLIERS:
        words ^= words >> np.uint64(33)
        words *= multiplier
    words ^= words >> np.uint64(33)
    weights = np.random.default_rng(0).integers(0, 1 << 63, words.shape[1], dtype=np.uint64) * 2 + 1
    return np.asarray(words @ weights.astype(np.uint64))


def _effective_rank(table: RowTable, good: NDArray[np.int64], rng: np.random.Generator) -> float:
    most = SPECTRUM_ROWS if table.width <= WIDE else SPECTRUM_ROWS_WIDE
    if len(good) > most:
        good = np.sort(rng.permutation(good)[:most])
    if len(good) < 2:
        return 0.0
    rows = table.rows(good)
    scale = np.abs(rows).max()
    if scale == 0:
        return 0.0
    rows = rows / scale  # so that the squares of very large and very small features stay in range
    centred = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
    product = centred.T @ centred if len(rows) >= rows.shape[1] else centred @ centred.T
    singular = np.sqrt(np.clip(np.linalg.eigvalsh(product.astype(np.float64)), 0, None))
    if singular.max() < CONSTANT_WITHIN * math.sqrt(len(rows)):
        return 0.0
    # What lies below is the rounding error of single-precision products.
    singular = singular[singular > 1e-3 * singular.max()]
    share = singular / singular.sum()
    return float(math.exp(-(share * np.log(share)).sum()))
