"""What the estimators without a critic share: the whole sample, a null, an interval, and no split."""

import time
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning, Kind
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.classical.block_resampling import SeriesReading, check_block, read_series
from mitools.estimators.classical.grouped import few_units, null_permutation
from mitools.estimators.inputs.groups import Groups, as_groups, group_count
from mitools.estimators.inputs.validation import as_precise_rows, same_length

SideValues = NDArray[Any]
"""One side of the pairs as an estimator keeps it: rows, shape (n, d), or labels, shape (n,)."""


@dataclass(frozen=True)
class ClassicalReading:
    """What a closed form reads.

    Attributes
    ----------
    nats, stderr
        The reading and its standard error, in nats.
    ceiling
        The most that the method can return at this n, in nats, or None.
    entropy
        What no truth exceeds, in nats, where known.
    shortfall, excess
        Nats by which the reading is thought to lie below the truth, and above it: the interval reaches so
        much higher, and lower.
    warnings
        Those that this method alone can raise.
    record
        What goes into the estimate's settings beside the hyper-parameters.
    """

    nats: float
    stderr: float
    ceiling: float | None = None
    entropy: float | None = None
    shortfall: float = 0.0
    excess: float = 0.0
    warnings: tuple[EstimateWarning, ...] = ()
    record: Mapping[str, Any] = field(default_factory=dict)


class ClosedFormEstimator(MIEstimator):
    """An estimator in closed form.

    Nothing is trained, so there is nothing to hold out: all n rows give the number, ``n_train`` and
    ``n_select`` are 0 and ``n_report`` is n. The null is the same reading with the rows of y permuted, or
    whole groups of them. Columns that are constant carry nothing and are left out; when none is left on
    one side the reading is 0, which is then exact. The interval is that of a normal with the method's
    standard error; where a method knows by how much it may fall short of the truth or exceed it
    (``shortfall_nats`` and ``excess_nats`` in the settings), the interval reaches so much higher or lower. Of
    any other bias that its documentation describes it says nothing.

    Attributes
    ----------
    estimate_
        The reading of the last fit.
    """

    method: ClassVar[str]
    kind: ClassVar[Kind] = "point estimate"
    fewest_rows: ClassVar[int] = 3
    seed: int

    def fit(
        self, x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None, block: int | None = None
    ) -> Self:
        """Estimate I(X;Y) from paired rows, and keep the result in ``estimate_``.

        Parameters
        ----------
        x
            Shape (n, d_x) or (n,).
        y
            Shape (n, d_y) or (n,); row i belongs to row i of `x`.
        groups
            Shape (n,): which rows depend on each other (one image's, one patient's, one clip's). The standard
            error is then that of groups, and the null permutes whole groups. None: every row stands alone.
        block
            For rows in the order of time: after how many they hardly depend on each other any more. The null
            is then the 95% point of readings with y shifted in time, and the standard error that of blocks.

        Raises
        ------
        InputError
            When a hyper-parameter or the input is malformed, the lengths differ, or rows or groups are too
            few; when `block` is below 1 or more than half the rows, or given beside `groups`.
        """
        started = time.perf_counter()
        self._check_settings()
        x_table, y_table = self._accept_x(x), self._accept_y(y)
        n = len(x_table)
        same_length(n, len(y_table), "x", "y")
        if n < self.fewest_rows:
            raise InputError(f"{n} rows are too few for {self.method}; give at least {self.fewest_rows}")
        if block is not None:
            if groups is not None:
                raise InputError("block and groups are both given; give the one by which rows depend")
            check_block(n, block)
        grouped = None if groups is None else as_groups(groups, n)
        series: SeriesReading | None = None
        if x_table.size and y_table.size:
            permutation = null_permutation(n, grouped, np.random.default_rng([self.seed, 1]))
            value, null = self._read_with_null(x_table, y_table, permutation, grouped)
            if block is not None:
                series = self._read_series(value, x_table, y_table, block)
                further = value.warnings + series.warnings(value.nats)
                value, null = replace(value, stderr=series.stderr, warnings=further), None
        else:
            value = null = ClassicalReading(0.0, 0.0)
        few = () if any(told.word == "small_sample" for told in value.warnings) else few_units(n, grouped)
        self.estimate_ = assemble_estimate(
            value,
            method=self.method,
            kind=self.kind,
            null=null,
            ceiling=value.ceiling,
            entropy=value.entropy,
            shortfall=value.shortfall,
            excess=value.excess,
            further_warnings=few + value.warnings,
            n_report=n,
            seconds=time.perf_counter() - started,
            settings=self.settings()
            | {"groups": group_count(grouped)}
            | ({} if block is None else {"block": int(block)})
            | ({"shortfall_nats": value.shortfall} if value.shortfall else {})
            | ({"excess_nats": value.excess} if value.excess else {})
            | dict(value.record),
        )
        if series is not None:
            self.estimate_ = replace(self.estimate_, null_nats=series.null)
        return self

    def _read_series(
        self, value: ClassicalReading, x: SideValues, y: SideValues, block: int
    ) -> SeriesReading:
        """Read the null and the standard error of rows in the order of time."""
        return read_series(self._nats, x, y, length=block, stderr=value.stderr, seed=self.seed)

    def _nats(self, x: SideValues, y: SideValues) -> float:
        """Read the number alone, which blocks and shifts of a series ask for many times."""
        return self._read_with_null(x, y, np.arange(len(x)), None)[0].nats

    def _check_settings(self) -> None:
        """Refuse hyper-parameters that mean nothing."""

    def _accept_x(self, x: ArrayLike) -> SideValues:
        return varying_columns(as_precise_rows(x, "x"))

    def _accept_y(self, y: ArrayLike) -> SideValues:
        return varying_columns(as_precise_rows(y, "y"))

    @abstractmethod
    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading | None]:
        """Read both sides, and again with the rows of y permuted.

        Parameters
        ----------
        x, y
            What :meth:`_accept_x` and :meth:`_accept_y` made of the input, neither constant.
        permutation
            Shape (n,): a random one, of whole groups where there are any.
        groups
            Shape (n,), or None where every row stands alone.

        Returns
        -------
        tuple[ClassicalReading, ClassicalReading | None]
            The reading and its null, None where a permutation says nothing.
        """


class ClassicalEstimator(ClosedFormEstimator):
    """One that reads its null as it reads the rows: see :class:`ClosedFormEstimator`."""

    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading | None]:
        return self._read(x, y, groups), self._read(x, y[permutation], groups)

    def _nats(self, x: SideValues, y: SideValues) -> float:
        return self._read(x, y, None).nats

    @abstractmethod
    def _read(self, x: SideValues, y: SideValues, groups: Groups | None) -> ClassicalReading:
        """Read both sides once."""


def varying_columns(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave out the columns that hold one value only, shape (n, d) to (n, at most d)."""
    varying = (rows != rows[:1]).any(axis=0)
    return rows if varying.all() else rows[:, varying]
