"""Which estimator to take: chosen by what x and y are and by what is found, and said in the settings."""

import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, NamedTuple, Self, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator
from mitools.estimators.classical.canonical_components import ComponentEstimator
from mitools.estimators.classical.discrete import DiscreteEstimator
from mitools.estimators.classical.gaussian import GaussianCopulaEstimator
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.classical.mixed_ksg import MixedKSG
from mitools.estimators.classical.nsb import NSBEstimator
from mitools.estimators.classical.predictive_coding import PredictiveCoding
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.sides import Side, take_side
from mitools.estimators.inputs.splits import SMALLEST_CLASS, Parts
from mitools.estimators.inputs.validation import same_length
from mitools.estimators.neural.adaptive import AdaptiveEstimator

NEIGHBOURS_SUFFICE_UP_TO = 4
"""Columns of x and y together up to which neighbours that are near are enough."""

NEIGHBOURS_TRIED_UP_TO = 10
"""Columns together up to which neighbours are tried at all: beyond, they are never near."""

FEWEST_ROWS_TO_HOLD_OUT = 200
"""Rows below which none is held out: a fifth of them would say too little."""

FEWEST_ROWS_OF_SYMBOLS = 10
"""Rows of symbols below which nothing is learnt from some about others."""

COLUMNS_OF_CERTAIN_NEIGHBOURS = 2
"""Columns of numbers up to which near neighbours of a label need no other reading beside them."""

SETTLED_SHARE_OF_LABELS = 0.9
"""Share of H(C) from which a reading leaves too little of the labels open for other classifiers to matter."""

STDERRS_OF_CLEARLY_MORE = 2.0
"""Standard errors by which one reading must exceed another to be preferred for it."""

STDERRS_AGAINST_NORMAL = 3.0
"""Standard errors that a difference must have to count against a normal dependence."""

AnyEstimator = TypeVar("AnyEstimator", bound=MIEstimator)


class Choice(NamedTuple):
    """A fitted estimator, why it was chosen, and warnings of another reading that hold of the pairs."""

    estimator: MIEstimator
    because: str
    warnings: tuple[EstimateWarning, ...] = ()


class AutoEstimator(MIEstimator):
    """The estimator that suits x and y.

    *Both discrete*: counting (``discrete``) where their pairs recur. Else ``nsb``, whose interval spans what
    the rows do not exclude, or ``predictive_coding``, the certified lower bound, where that exceeds it or
    nothing else can be told.

    *One discrete*: in one or two columns neighbours (``mixed_ksg``), where they are near. Else the certified
    bound of a linear classifier (``label_information``) is read as well, and where that leaves much of the
    labels open, that of the family of classifiers that predicts held-out labels best. Shown is what reads
    clearly more: neighbours that are far err on the low side, and a bound is never too high.

    *Neither*: in up to four columns together neighbours (``ksg``), where they are near. Else several are
    computed, and

    - ``gaussian_copula``, if the certified bound was reached by that copula and no network could add to it
      on held-out pairs: then it is the most precise;
    - else ``adaptive``, the certified lower bound, unless a point estimate exceeds it by more than its own
      standard error: ``components``, or ``ksg`` where neighbours are near. Both err on the low side, so
      that the greater is the better one.

    What is neither a label nor a symbol enters by its ranks alone, so that a monotone map of a column
    changes nothing but rounding. Below 200 rows nothing is held out, and neighbours are all there is.

    The interval is the chosen estimator's own; the choice between readings is not part of it. Rows that are
    not independent are told (``copies``, ``near_copies``, ``serial_dependence``).

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

    Examples
    --------
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
            Shape (n,): which rows know each other. A group is then split whole, and errors are those of
            groups.
        block
            For rows in the order of time: after how many they hardly know of each other any more. Neighbours
            are then read, or symbols counted, beside a null of shifts in time.
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
        self._groups = None if given is None else as_groups(given, len(sides[0].values))
        if self._groups is not None or block is not None:
            dependent = ()
        elif dependent is None:
            dependent = dependence_warnings(sides[0].values, sides[1].values, self.seed)
        self._dependent = tuple(dependent)
        self.considered_: dict[str, Estimate] = {}
        choice = self._choose(*sides, parts) if block is None else self._choose_for_series(*sides, block)
        self.chosen_ = choice.estimator
        chosen = choice.estimator.estimate_
        self.estimate_ = replace(
            chosen,
            method="auto",
            seconds=time.perf_counter() - started,
            warnings=_distinct(chosen.warnings + choice.warnings + self._dependent),
            settings=self.settings()
            | {
                "chosen": chosen.method,
                "because": choice.because,
                "x": sides[0].kind,
                "y": sides[1].kind,
                "x_because": sides[0].because,
                "y_because": sides[1].because,
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
        same_length(len(first), len(second), "x", "y")
        swapped = of_x.is_discrete and not of_y.is_discrete
        return self.chosen_._read_new_rows(*((second, first) if swapped else (first, second)))

    def _choose(self, x: Side, y: Side, parts: Parts | None) -> Choice:
        if x.is_discrete and y.is_discrete:
            return self._choose_for_symbols(x, y)
        if x.is_discrete or y.is_discrete:
            rows, labels = (y.values, x.values) if x.is_discrete else (x.values, y.values)
            return self._choose_for_labels(rows, labels, parts)
        return self._choose_for_numbers(x.values, y.values, parts)

    def _choose_for_series(self, x: Side, y: Side, block: int) -> Choice:
        if x.is_discrete != y.is_discrete:
            raise InputError(
                "labels beside numbers have no null of shifts; name the stretches of the series by groups"
            )
        estimator = DiscreteEstimator(seed=self.seed) if x.is_discrete else KSG(seed=self.seed)
        estimator.fit(x.values, y.values, self._groups, block)
        self.considered_[estimator.estimate_.method] = estimator.estimate_
        return Choice(estimator, f"the rows are series, read beside shifts by {block} rows or more")

    def _choose_for_symbols(self, x: Side, y: Side) -> Choice:
        counted = self._fit(DiscreteEstimator(seed=self.seed), x.values, y.values)
        if not counted.estimate_.has_warning("small_sample") or len(x.values) < FEWEST_ROWS_OF_SYMBOLS:
            return Choice(counted, "x and y are both discrete, and their pairs recur often enough to count")
        # As they are: a symbol that is on both sides is recognised by its value.
        certified = self._fit(PredictiveCoding(self.seed), _whole_or_names(x), _whole_or_names(y))
        if self._groups is not None:
            return Choice(certified, "x and y are both discrete, and many of their pairs occur only once")
        guessed = self._fit(NSBEstimator(seed=self.seed), _whole_or_names(x), _whole_or_names(y))
        found, bound = guessed.estimate_, certified.estimate_
        if found.interval_nats is None:
            because = (
                "x and y are both discrete, and so few of their pairs recur that nothing else can be told"
            )
            return Choice(certified, because, found.warnings)
        if bound.nats > found.interval_nats.high:
            return Choice(
                certified, "x and y are both discrete, and this lower bound exceeds the other readings"
            )
        return Choice(guessed, "x and y are both discrete, and many of their pairs occur only once")

    def _choose_for_labels(self, rows: NDArray[Any], labels: NDArray[Any], parts: Parts | None) -> Choice:
        sizes = np.bincount(labels)
        near = None
        if sizes.min() > 1:
            near = self._fit(MixedKSG(seed=self.seed), rows, labels)
            few = len(rows) < FEWEST_ROWS_TO_HOLD_OUT
            far = near.estimate_.has_warning("small_sample")
            if few or (not far and rows.shape[1] <= COLUMNS_OF_CERTAIN_NEIGHBOURS):
                return Choice(near, "one side is discrete, and in the other neighbours are near")
        if len(sizes) > 1 and sizes.min() >= SMALLEST_CLASS:
            linear = self._fit(LabelInformation(seed=self.seed), rows, labels, parts=parts)
            reached = max(each.estimate_.nats for each in (linear, near) if each is not None)
            family = None
            if reached < SETTLED_SHARE_OF_LABELS * entropy(sizes / len(labels)):
                family = LabelInformation("auto", seed=self.seed)
                family.fit(rows, labels, parts, None if parts is not None else self._groups, self._dependent)
                self.considered_["label_information:auto"] = family.estimate_
            return choose_for_labels(near, linear, family)
        if near is None:
            raise InputError(
                f"{np.count_nonzero(sizes < 2)} of {len(sizes)} labels have one row; leave them out, or give"
                " the numbers as floats if they are no labels"
            )
        return Choice(near, "one side is discrete, and too few rows of a label are there to hold any out")

    def _choose_for_numbers(self, x: NDArray[Any], y: NDArray[Any], parts: Parts | None) -> Choice:
        n, dimensions = len(x), x.shape[1] + y.shape[1]
        near = None
        if dimensions <= NEIGHBOURS_TRIED_UP_TO or n < FEWEST_ROWS_TO_HOLD_OUT:
            near = self._fit(KSG(seed=self.seed), x, y)
            if n < FEWEST_ROWS_TO_HOLD_OUT:
                return Choice(near, f"{n} rows are too few to hold any out")
            if near.estimate_.has_warning("small_sample"):
                near = None
            elif dimensions <= NEIGHBOURS_SUFFICE_UP_TO:
                return Choice(near, "x and y have few columns, and neighbours are near")
        certified = AdaptiveEstimator(max_steps=self.max_steps, device=self.device, seed=self.seed)
        self._fit(certified, x, y, parts=parts)
        normal: MIEstimator | None = None
        with suppress(InputError):  # what the sides determine of each other is infinitely much to a normal
            normal = self._fit(GaussianCopulaEstimator(seed=self.seed), x, y)
        points: list[MIEstimator] = [self._fit(ComponentEstimator(seed=self.seed), x, y)]
        points += [] if near is None else [near]
        return choose_for_numbers(certified, normal, points, x.shape[1] * y.shape[1])

    def _fit(
        self, estimator: AnyEstimator, x: NDArray[Any], y: NDArray[Any], **split: Parts | None
    ) -> AnyEstimator:
        groups = {"groups": self._groups} if split.get("parts") is None and self._groups is not None else {}
        known: Any = {"dependent": self._dependent} if isinstance(estimator, LabelInformation) else {}
        found = estimator.fit(x, y, **split, **groups, **known).estimate_
        self.considered_[found.method] = found
        return estimator


def _distinct(warnings: tuple[EstimateWarning, ...]) -> tuple[EstimateWarning, ...]:
    """Keep the first warning of every word."""
    return tuple({warning.word: warning for warning in reversed(warnings)}.values())[::-1]


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


def _whole_or_names(side: Side) -> NDArray[Any]:
    """Give the symbols as they are where they are names or whole numbers, else their places in order."""
    original = side.original
    whole = original.dtype.kind in "iubU" or bool((original == np.round(original)).all())
    return original if whole else side.values


def choose_for_labels(near: MIEstimator | None, linear: MIEstimator, family: MIEstimator | None) -> Choice:
    """Choose between neighbours and the bounds of two classifiers.

    Parameters
    ----------
    near
        ``mixed_ksg``, fitted; None where a label has one row.
    linear
        ``label_information`` of the linear classifier, fitted.
    family
        The same of the family that *select* prefers, fitted; None where the linear one, or neighbours, leave
        nothing open.
    """
    bound, because = linear, "one side is discrete, and in the other neighbours are far"
    if family is not None and _exceeds(family.estimate_, linear.estimate_):
        bound = family
        name = family.estimate_.settings["classifier"]
        because = (
            f"one side is discrete, and {name} certify {family.estimate_.bits:.3g} bits of the labels where a"
            f" linear classifier certifies {linear.estimate_.bits:.3g}"
        )
    if near is None:
        return Choice(bound, because)
    if not near.estimate_.has_warning("small_sample"):
        if _exceeds(bound.estimate_, near.estimate_):
            return Choice(bound, f"{because}; neighbours read {near.estimate_.bits:.3g}, which is less")
        return Choice(near, "one side is discrete, and in the other neighbours are near")
    if _exceeds(near.estimate_, bound.estimate_):
        return Choice(near, "one side is discrete, and neighbours, though far, exceed every certified bound")
    return Choice(bound, because)


def _exceeds(found: Estimate, other: Estimate) -> bool:
    """Whether a reading is greater than another, and than its own null, by more than chance."""
    noise = STDERRS_OF_CLEARLY_MORE * float(np.hypot(_error(found), _error(other)))
    return found.nats - max(other.nats, 0.0) > noise + max(found.null_nats or 0.0, 0.0)


def choose_for_numbers(
    certified: AdaptiveEstimator, normal: MIEstimator | None, points: Sequence[MIEstimator], products: int
) -> Choice:
    """Choose between a certified bound, the normal reading and other point estimates.

    Parameters
    ----------
    certified
        Fitted.
    normal
        The fitted Gaussian copula, None where it cannot be fitted.
    points
        Other point estimates, fitted.
    products
        ``d_x d_y``: the correlations that the Gaussian copula has between the sides.
    """
    bound = certified.estimate_
    greatest = max(points, key=lambda point: point.estimate_.nats)
    if normal is not None and _normal_reads_all(normal.estimate_, certified, products):
        clearly = greatest.estimate_.nats - STDERRS_AGAINST_NORMAL * _error(greatest.estimate_)
        if clearly <= normal.estimate_.nats:
            return Choice(
                normal, "the dependence is that of a Gaussian copula: on held-out pairs nothing adds to it"
            )
    if greatest.estimate_.nats > bound.nats + _error(greatest.estimate_):
        return Choice(greatest, "this point estimate exceeds the certified lower bound")
    return Choice(certified, "a certified lower bound that no point estimate exceeds")


def _normal_reads_all(normal: Estimate, certified: AdaptiveEstimator, products: int) -> bool:
    """Whether held-out pairs agree with the normal reading, and nothing was found to add to it."""
    bound = certified.estimate_
    chosen = certified.bases_.count("gaussian copula") > len(certified.bases_) / 2
    if not chosen or certified.gain_nats_ > STDERRS_AGAINST_NORMAL * certified.gain_stderr_nats_:
        return False
    # A held-out critic loses about 1/2n for every correlation that it had to learn, or less.
    loss, noise = products / (2 * bound.n_train), STDERRS_AGAINST_NORMAL * _error(bound)
    return -noise <= normal.nats - bound.nats <= 2 * loss + noise


def _error(found: Estimate) -> float:
    return found.stderr_nats or 0.0


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
