"""Mutual information of values put into bins: the information plane's convention."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.array_types import Doubles
from mitools.estimators.classical.base import (
    ClassicalEstimator,
    ClassicalReading,
    SideValues,
    varying_columns,
)
from mitools.estimators.classical.discrete import check_correction, read_symbols
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.symbols import as_symbols, row_symbols
from mitools.estimators.inputs.validation import as_precise_rows

Range = tuple[float, float]

STRATEGIES = ("width", "quantile")


class BinnedEstimator(ClassicalEstimator):
    """``I(bin(X); bin(Y))``: every value is put into a bin, and rows of bins are counted as symbols.

    Binning loses information, so on many rows the reading lies below the truth; counting few rows adds
    some, so on few it lies above. In more than two or three dimensions every row soon has a symbol of its
    own, the reading is log n whatever the data (`saturated`, `small_sample`), and says nothing.

    In an information plane of a layer T, I(T;Y) is read with ``y_bins=None`` and labels for y, and I(X;T)
    with ``x_bins=None`` and input numbers for x.

    Parameters
    ----------
    x_bins, y_bins
        Bins of every column of x and of y; None takes whole numbers or strings as the symbols they are.
    strategy
        ``width``: bins of equal width. ``quantile``: bins that hold equally many values.
    x_range, y_range
        Where bins of equal width begin and end; values beyond fall into the outer ones. From the smallest
        value to the largest when None: no activation function is assumed.
    shared_edges
        Whether all columns of a side have the same bins, as the units of a layer have in information
        planes; else each column has its own.
    correction
        Of the entropies; see :class:`mitools.estimators.classical.discrete.DiscreteEstimator`.
    seed
        Of the permuted rows of the null.

    Attributes
    ----------
    estimate_
        The reading of the last fit. Its ceiling is the logarithm of n, or of the bins that are not empty
        on one side where these are fewer; its entropy is that of a side that binning left as it is.
    x_exact_, y_exact_
        Whether the side's symbols are the side itself: not binned, or discrete and with a bin for every
        value.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 4, 2000)
    >>> layer = np.eye(4)[labels] + 0.01 * rng.standard_normal((2000, 4))
    >>> round(BinnedEstimator(x_bins=2, y_bins=None).estimate(layer, labels).bits, 1)
    2.0
    """

    method: ClassVar[str] = "binned"

    def __init__(
        self,
        x_bins: int | None = 30,
        y_bins: int | None = 30,
        strategy: str = "width",
        x_range: Range | None = None,
        y_range: Range | None = None,
        shared_edges: bool = True,
        correction: str = "plug_in",
        seed: int = 0,
    ) -> None:
        self.x_bins = x_bins
        self.y_bins = y_bins
        self.strategy = strategy
        self.x_range = x_range
        self.y_range = y_range
        self.shared_edges = shared_edges
        self.correction = correction
        self.seed = seed

    def _check_settings(self) -> None:
        check_correction(self.correction)
        check_name("strategy", self.strategy, STRATEGIES)
        for name, bins in (("x_bins", self.x_bins), ("y_bins", self.y_bins)):
            if bins is not None and bins < 2:
                raise InputError(f"{name}={bins} bins tell nothing; give at least 2, or None for symbols")
        for name, limits in (("x_range", self.x_range), ("y_range", self.y_range)):
            if limits is not None and not (len(limits) == 2 and -np.inf < limits[0] < limits[1] < np.inf):
                raise InputError(f"{name}={limits} is no range; give two numbers, the smaller first")
            if limits is not None and self.strategy == "quantile":
                raise InputError(f"{name} is given, but bins of equal content have no range; leave it out")

    def _accept_x(self, x: ArrayLike) -> SideValues:
        symbols, self.x_exact_ = self._binned(x, "x", self.x_bins, self.x_range)
        return symbols

    def _accept_y(self, y: ArrayLike) -> SideValues:
        symbols, self.y_exact_ = self._binned(y, "y", self.y_bins, self.y_range)
        return symbols

    def _binned(
        self, values: ArrayLike, name: str, bins: int | None, limits: Range | None
    ) -> tuple[SideValues, bool]:
        """Give every row its symbol, and say whether these are the side itself."""
        if bins is None:
            return as_symbols(values, name), True
        rows = varying_columns(as_precise_rows(values, name))
        if not rows.size:
            return rows, True
        if self.strategy == "width":
            codes = equal_width(rows, bins, limits, self.shared_edges)
        else:
            codes = equal_content(rows, bins, self.shared_edges)
        symbols = row_symbols(codes)
        if not symbols.any():
            return symbols[:, None][:, :0], False
        different = int(row_symbols(rows).max()) + 1
        # Rows that seldom repeat are a sample of something continuous, however finely it is binned.
        return symbols, different == symbols.max() + 1 and 2 * different <= len(rows)

    def _read(self, x: SideValues, y: SideValues, groups: Groups | None) -> ClassicalReading:
        value, (entropy_x, entropy_y) = read_symbols(x, y, self.correction, groups)
        # What bins leave of a side caps the reading; what symbols hold caps the truth.
        seen = [len(x)]
        known = []
        for exact, symbols, of_side in ((self.x_exact_, x, entropy_x), (self.y_exact_, y, entropy_y)):
            if exact:
                known.append(of_side)
            else:
                seen.append(int(symbols.max()) + 1)
        ceiling = float(np.log(min(seen)))
        entropy = min(known, default=None)
        # Where every row of a known side is a symbol of its own, log n is its entropy and the ceiling too.
        capped = entropy is None or ceiling < entropy or entropy >= np.log(len(x))
        capped = capped and self.correction == "plug_in"
        return replace(value, ceiling=ceiling if capped else None, entropy=entropy)


def equal_width(rows: Doubles, bins: int, limits: Range | None, shared: bool) -> NDArray[np.int32]:
    """Find the bin of every value, bins having equal width.

    Parameters
    ----------
    rows
        Shape (n, d), no column constant.
    bins
        How many, numbered from 0.
    limits
        Where the first begins and the last ends; values beyond fall into these. The data's own when None.
    shared
        Whether the data's own limits are those of all columns together.

    Returns
    -------
    NDArray[np.int32]
        Shape (n, d).
    """
    if limits is not None:
        low, high = (np.float64(limit) for limit in limits)
    else:
        axis = None if shared else 0
        low, high = rows.min(axis=axis), rows.max(axis=axis)
    place = (rows - low) * (bins / (high - low))
    return np.clip(place, 0, bins - 1).astype(np.int32)


def equal_content(rows: Doubles, bins: int, shared: bool) -> NDArray[np.int32]:
    """Find the bin of every value, bins holding equally many; tied values share one.

    Parameters
    ----------
    rows
        Shape (n, d).
    bins
        How many, numbered from 0; fewer are used when values are tied.
    shared
        Whether the edges are quantiles of all columns together.

    Returns
    -------
    NDArray[np.int32]
        Shape (n, d).
    """
    inner = np.arange(1, bins) / bins
    if shared:
        return np.searchsorted(np.quantile(rows, inner), rows, side="right").astype(np.int32)
    edges = np.quantile(rows, inner, axis=0)
    columns = [
        np.searchsorted(edge, column, side="right") for edge, column in zip(edges.T, rows.T, strict=True)
    ]
    return np.stack(columns, axis=1).astype(np.int32)
