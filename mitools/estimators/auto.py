"""Which estimator to take: chosen by what x and y are and by what is found, and said in the settings."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.estimators.automatic.choice import Choice, Readings
from mitools.estimators.automatic.columns import Columns, telling_columns, with_columns
from mitools.estimators.automatic.labels import choose_for_labels
from mitools.estimators.automatic.numbers import choose_for_numbers
from mitools.estimators.automatic.series import choose_for_series
from mitools.estimators.automatic.symbols import choose_for_symbols
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.sides import Side, take_side
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.validation import same_length


class AutoEstimator(MIEstimator):
    """The estimator that suits x and y.

    *Both discrete*: counting (``discrete``) where their pairs recur. Else ``nsb``, whose interval spans what
    the rows do not exclude, or ``predictive_coding``, the certified lower bound, where that exceeds it or
    nothing else can be told.

    *One discrete*: in one or two columns neighbours (``mixed_ksg``), where they are near. Else the certified
    bound of a linear classifier (``label_information``) is read as well, and where that leaves much of the
    labels open, that of the family of classifiers that predicts held-out labels best. Shown is what reads
    clearly more: neighbours that are far err on the low side, and a bound is never too high.

    *Neither*: neighbours of all columns (``ksg``) and of those that share most (``ksg:columns``), the
    ``gaussian_copula`` and ``components`` are asked; where they read 1.5 nats or more also ``residuals``, and
    in up to four columns ``ksg`` with its correction for thin ridges. All of these err on the low side, but
    for the copula in several columns, and no subset of the columns shares more than all. So:

    - in up to four columns together, where neighbours are near: ``ksg``, unless another reading clearly
      exceeds it;
    - beyond, where ``residuals`` and another reading agree on 3 nats or more, the greatest;
    - else ``adaptive`` is asked: one fold's network is trained, and those of the others only if it adds to
      the closed form on held-out pairs. ``gaussian_copula`` is shown if the certified bound was reached by
      that copula and no network could add to it: then it is the most precise. Else ``adaptive``, the
      certified lower bound, unless a point estimate exceeds it by more than its own standard error.

    The interval is the chosen estimator's own and what the other readings add: down to the next reading where
    no other method agrees with the chosen one (``methods_disagree``); and as far as a bias may be left that
    shows in the reading of half the rows (``rises_with_n``, where it is clear). There is none where that
    difference is so large that nobody can say where it ends. Rows that are not independent are told
    (``copies``, ``near_copies``, ``serial_dependence``).

    Columns that are constant, or another column times a number and plus one, are left out and told in
    ``x_because`` and ``y_because``. What is neither a label nor a symbol enters by its ranks alone, so that a
    monotone map of a column changes nothing but rounding; only ``residuals`` and the correction for thin
    ridges, in strong dependence, see the values. Below 200 rows nothing is held out, and neighbours are all
    there is.

    Parameters
    ----------
    x_as, y_as
        What x and y are: ``numbers``, ``labels`` or ``symbols``; by the rule of
        :class:`mitools.estimators.inputs.sides.Side` when None. Whole numbers may be any of the three: counts
        and ages are numbers, classes are labels, and ids, whose order means nothing, symbols.
    max_steps
        Of the networks of ``adaptive``.
    device
        Where they are fitted.
    seed
        Of every estimator.

    Attributes
    ----------
    estimate_
        The chosen reading; its settings say what was ``chosen``, ``because`` of what, what x and y were
        taken for, and what else was ``considered``.
    chosen_
        The fitted estimator that was chosen.
    considered_
        The estimates of all that were computed, by method.
    sides_
        What x and y were taken for.
    columns_
        Which columns of x and of y are read; None of labels and symbols.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.75 * x + np.sqrt(1 - 0.75**2) * rng.standard_normal(2000)  # truth: 0.413 nats
    >>> estimate = AutoEstimator().estimate(x, y)
    >>> estimate.settings["chosen"], bool(abs(estimate.nats - 0.413) < 0.06)
    ('ksg', True)
    """

    def __init__(
        self,
        max_steps: int = 2000,
        device: str = "cpu",
        seed: int = 0,
        x_as: str | None = None,
        y_as: str | None = None,
    ) -> None:
        self.max_steps = max_steps
        self.device = device
        self.seed = seed
        self.x_as = x_as
        self.y_as = y_as

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        parts: Parts | None = None,
        groups: ArrayLike | None = None,
        block: int | None = None,
        dependent: Sequence[EstimateWarning] | None = None,
    ) -> Self:
        """Choose, and estimate I(X;Y) from paired rows.

        Parameters
        ----------
        x
            Shape (n, d_x) or (n,).
        y
            Shape (n, d_y) or (n,); row i belongs to row i of `x`.
        parts
            The split of the rows for what is trained; drawn by the seed when None. What trains nothing
            reads all rows either way.
        groups
            Shape (n,): which rows depend on each other. A group is then split whole, and errors are those of
            groups.
        block
            For rows in the order of time: after how many they hardly depend on each other any more.
            Neighbours are then read, or symbols counted, beside a null of shifts in time.
        dependent
            What is known of how the rows depend on each other, which is then not looked for again.

        Raises
        ------
        InputError
            When the input is malformed, the lengths differ, or rows or groups are too few.
        """
        started = time.perf_counter()
        sides = _agreed(take_side(x, "x", self.x_as), take_side(y, "y", self.y_as))
        self.sides_ = sides[0].without_values(), sides[1].without_values()
        same_length(len(sides[0].values), len(sides[1].values), "x", "y")
        if groups is not None and parts is not None:
            raise InputError("a split that is given has its own groups; give groups or parts, not both")
        given = groups if parts is None else parts.groups
        known = None if given is None else as_groups(given, len(sides[0].values))
        if known is not None or block is not None:
            dependent = ()
        elif dependent is None:
            dependent = dependence_warnings(sides[0].values, sides[1].values, self.seed)
        self.columns_ = _columns(sides[0]), _columns(sides[1])
        read = with_columns(sides[0], self.columns_[0]), with_columns(sides[1], self.columns_[1])
        readings = Readings(self.seed, self.max_steps, self.device, known, parts, tuple(dependent))
        self.considered_ = readings.considered
        choice = self._choose(*read, readings) if block is None else choose_for_series(*read, readings, block)
        self.chosen_ = choice.estimator
        chosen = choice._replace(warnings=choice.warnings + readings.dependent).estimate()
        self.estimate_ = replace(
            chosen,
            method="auto",
            seconds=time.perf_counter() - started,
            settings=self.settings()
            | {
                "chosen": chosen.method,
                "because": choice.because,
                "x": read[0].kind,
                "y": read[1].kind,
                "x_because": read[0].because,
                "y_because": read[1].because,
                "considered": {name: _summary(found) for name, found in self.considered_.items()},
                "chosen_settings": dict(chosen.settings),
            },
        )
        return self

    def _read_new_rows(self, x: ArrayLike, y: ArrayLike) -> float:
        """Read new rows by the chosen estimator, taken for what the fitted rows were taken for."""
        trained = isinstance(self.chosen_, PosteriorEstimator)
        of_x, of_y = self.sides_
        first, second = of_x.of_new(x, "x", trained), of_y.of_new(y, "y", trained)
        first, second = (
            side if columns is None else side[:, columns.kept]
            for side, columns in zip((first, second), self.columns_, strict=True)
        )
        same_length(len(first), len(second), "x", "y")
        swapped = of_x.is_discrete and not of_y.is_discrete
        return self.chosen_._read_new_rows(*((second, first) if swapped else (first, second)))

    def _choose(self, x: Side, y: Side, readings: Readings) -> Choice:
        if x.is_discrete and y.is_discrete:
            return choose_for_symbols(x, y, readings)
        if x.is_discrete or y.is_discrete:
            rows, labels = (y.values, x.values) if x.is_discrete else (x.values, y.values)
            return choose_for_labels(rows, labels, readings)
        return choose_for_numbers(x.values, y.values, readings)


def _columns(side: Side) -> Columns | None:
    """Say which columns of a side of numbers are read; None of labels and symbols."""
    return None if side.is_discrete else telling_columns(side.values)


def _agreed(x: Side, y: Side) -> tuple[Side, Side]:
    """Take discrete values of which some have one row for numbers, if the other side is of numbers.

    Beside numbers a label is read by its neighbours, and a label of one row has none; counts and rounded
    values have such rows.
    """
    if x.is_discrete == y.is_discrete:
        return x, y
    side = x if x.is_discrete else y
    if side.lonely and side.may_be_numbers:
        because = f"{side.because}, but {side.lonely} of them once"
        side = side.as_numbers(because)
    return (side, y) if x.is_discrete else (x, side)


def _summary(found: Estimate) -> Mapping[str, Any]:
    low, high, _ = found.interval_nats or (None, None, None)
    return {
        "kind": found.kind,
        "nats": found.nats,
        "low_nats": low,
        "high_nats": high,
        "warnings": [warning.word for warning in found.warnings],
        "seconds": found.seconds,
    }
