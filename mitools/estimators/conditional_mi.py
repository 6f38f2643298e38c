"""Mutual information that is left when a third variable is known: I(X;Y|Z)."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, clone

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Kind, WarningWord
from mitools.estimators.assemble import MeasuredNats, assemble_estimate
from mitools.estimators.base import FittedAttributes, MIEstimator
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.validation import as_array, as_labels, as_precise_rows, same_length
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator

WORDS_OF_PARTS: tuple[WarningWord, ...] = ("saturated", "overfit", "still_rising", "small_sample")
"""Warnings about how a part was read; they hold for what is put together from it."""


class ChainRule(FittedAttributes, BaseEstimator):
    """I(X;Y|Z) as a difference, ``I(X;[Y,Z]) - I(X;Z)``.

    *Kind.* A difference is bounded only where its parts are bounded on opposite sides: lower less upper is
    a lower bound, upper less lower an upper one. All else is a point estimate, and so is the difference of
    two lower bounds, which lies below the truth where the first misses more than the second.

    *Interval.* Where both readings are reported on the same rows and keep the influence of each, the
    difference of these is what varies, and the interval is paired: so for two variational estimators of one
    seed. Else nothing is known of how the two vary together, and their
    standard errors are added, which is never too little. ``settings["interval"]`` says which.

    Parameters
    ----------
    estimator
        Of I(X;[Y,Z]), with y and z side by side, and of I(X;Z) too when `given` is None.
    given
        Of I(X;Z).

    Attributes
    ----------
    estimate_
        The difference.
    both_, given_
        The fitted estimators of I(X;[Y,Z]) and of I(X;Z).

    Examples
    --------
    >>> from mitools.estimators.classical.gaussian import GaussianEstimator
    >>> z, u, v = np.random.default_rng(0).standard_normal((3, 2000))
    >>> found = ChainRule(GaussianEstimator()).estimate(z + u, z + v, z)  # truth: 0
    >>> found.kind, bool(found.interval_nats.low < 0 < found.interval_nats.high)
    ('point estimate', True)
    """

    estimate_: Estimate

    def __init__(self, estimator: MIEstimator, given: MIEstimator | None = None) -> None:
        self.estimator = estimator
        self.given = given

    def fit(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Estimate I(X;Y|Z), and keep the result in ``estimate_``.

        Parameters
        ----------
        x, y, z
            Shapes (n, d_x), (n, d_y) and (n, d_z), or (n,); rows belong together.
        groups
            Shape (n,): which rows depend on each other, for estimators that take them.

        Raises
        ------
        InputError
            When y or z are no rows of numbers, the lengths differ, or an estimator refuses its input.
        """
        started = time.perf_counter()
        y_rows, z_rows = as_precise_rows(y, "y"), as_precise_rows(z, "z")
        same_length(len(y_rows), len(z_rows), "y", "z")
        told: dict[str, Any] = {} if groups is None else {"groups": groups}
        self.both_ = clone(self.estimator).fit(x, np.hstack([y_rows, z_rows]), **told)
        self.given_ = clone(self.given or self.estimator).fit(x, z, **told)
        both, given = self.both_.estimate_, self.given_.estimate_
        nats = both.nats - given.nats
        stderr, paired = _stderr_of_difference(self.both_, self.given_)
        null = None
        if both.null_nats is not None and given.null_nats is not None:
            null = MeasuredNats(both.null_nats - given.null_nats, None)
        self.estimate_ = assemble_estimate(
            MeasuredNats(nats, stderr),
            method=f"{both.method} by the chain rule",
            kind=kind_of_difference(both.kind, given.kind),
            null=null,
            further_warnings=_warnings_of_parts({"I(X;[Y,Z])": both, "I(X;Z)": given}),
            n_train=both.n_train,
            n_select=both.n_select,
            n_report=both.n_report,
            seconds=time.perf_counter() - started,
            settings={
                "interval": "paired" if paired else "standard errors added",
                "both": both.to_dict(),
                "given": given.to_dict(),
            },
        )
        return self

    def estimate(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, groups: ArrayLike | None = None) -> Estimate:
        """Fit, and return the estimate."""
        return self.fit(x, y, z, groups).estimate_


class GivenClasses(FittedAttributes, BaseEstimator):
    """I(X;Y|Z) for a discrete Z: the mean of I(X;Y|Z=z) over the classes z, by their shares of the rows.

    Every term is a reading of its own, so the kind stays: a mean of lower bounds is a lower bound. The
    standard error joins those of the terms, which share no row, with what the shares themselves vary.

    Parameters
    ----------
    estimator
        Of I(X;Y) within a class.

    Attributes
    ----------
    estimate_
        The mean.
    classes_
        The values of z, in order.
    estimates_
        I(X;Y|Z=z) of each.

    Examples
    --------
    >>> from mitools.estimators.classical.discrete import DiscreteEstimator
    >>> x, y = np.random.default_rng(0).integers(0, 2, (2, 1000))
    >>> round(GivenClasses(DiscreteEstimator()).estimate(x, y, x ^ y).bits, 2)  # yet I(X;Y) = 0
    1.0
    """

    estimate_: Estimate

    def __init__(self, estimator: MIEstimator) -> None:
        self.estimator = estimator

    def fit(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Estimate I(X;Y|Z), and keep the result in ``estimate_``.

        Parameters
        ----------
        x, y
            Whatever the estimator takes, n rows each.
        z
            Shape (n,): class labels.
        groups
            Shape (n,): which rows depend on each other, for estimators that take them. What the shares of the
            classes vary is then counted by rows still.

        Raises
        ------
        InputError
            When z holds no class labels, the lengths differ, or the estimator refuses the rows of a class.
        """
        started = time.perf_counter()
        x_rows, y_rows, labels = as_array(x, "x"), as_array(y, "y"), as_labels(z, "z")
        n = len(labels)
        for name, rows in (("x", x_rows), ("y", y_rows)):
            if rows.ndim == 0:
                raise InputError(f"{name} is a single value, but {n} rows are needed")
            same_length(len(rows), n, name, "z")
        self.classes_ = np.unique(as_array(z, "z"))
        self.estimates_ = tuple(
            self._within(x_rows[labels == k], y_rows[labels == k], value, _some(groups, labels == k))
            for k, value in enumerate(self.classes_)
        )
        shares = np.bincount(labels) / n
        nats, stderr = _mean(shares, self.estimates_, n)
        null, ceiling, entropy = (
            _mean_of_known(shares, [getattr(estimate, name) for estimate in self.estimates_])
            for name in ("null_nats", "ceiling_nats", "entropy_nats")
        )
        by_class = {
            f"z = {value}": estimate for value, estimate in zip(self.classes_, self.estimates_, strict=True)
        }
        first = self.estimates_[0]
        estimate = assemble_estimate(
            MeasuredNats(nats, stderr),
            method=f"{first.method} given classes",
            kind=first.kind,
            null=None if null is None else MeasuredNats(null, None),
            entropy=entropy,
            further_warnings=_warnings_of_parts(by_class),
            n_train=sum(estimate.n_train for estimate in self.estimates_),
            n_select=sum(estimate.n_select for estimate in self.estimates_),
            n_report=sum(estimate.n_report for estimate in self.estimates_),
            seconds=time.perf_counter() - started,
            settings=self.estimator.settings()
            | {"bits_by_class": {name: estimate.bits for name, estimate in by_class.items()}},
        )
        # Which class is near its ceiling is said by that class's own reading, and not by the mean's.
        self.estimate_ = replace(estimate, ceiling_nats=ceiling)
        return self

    def estimate(self, x: ArrayLike, y: ArrayLike, z: ArrayLike, groups: ArrayLike | None = None) -> Estimate:
        """Fit, and return the estimate."""
        return self.fit(x, y, z, groups).estimate_

    def _within(self, x: NDArray[Any], y: NDArray[Any], value: Any, told: dict[str, Any]) -> Estimate:
        try:
            return clone(self.estimator).fit(x, y, **told).estimate_
        except InputError as error:
            raise InputError(f"among the {len(x)} rows with z = {value}: {error}") from None


def _some(groups: ArrayLike | None, rows: NDArray[np.bool_]) -> dict[str, Any]:
    """Give what an estimator is told of the groups of some rows; nothing where there are none."""
    return {} if groups is None else {"groups": as_groups(groups, len(rows))[rows]}


def kind_of_difference(minuend: Kind, subtrahend: Kind) -> Kind:
    """Say what a difference of two readings is, by what is proven of each.

    Examples
    --------
    >>> kind_of_difference("lower bound", "upper bound")
    'lower bound'
    >>> kind_of_difference("lower bound", "lower bound")
    'point estimate'
    """
    opposite: dict[tuple[Kind, Kind], Kind] = {
        ("lower bound", "upper bound"): "lower bound",
        ("upper bound", "lower bound"): "upper bound",
    }
    return opposite.get((minuend, subtrahend), "point estimate")


def _stderr_of_difference(both: MIEstimator, given: MIEstimator) -> tuple[float | None, bool]:
    """Give the standard error in nats, None where a part has none, and whether rows were paired for it."""
    first, second = both.estimate_.stderr_nats, given.estimate_.stderr_nats
    if first is None or second is None:
        return None, False
    if not isinstance(both, CrossFittedEstimator) or not isinstance(given, CrossFittedEstimator):
        return first + second, False
    rows_first, rows_second = (np.hstack([fold.pairs.x for fold in part.folds_]) for part in (both, given))
    if not np.array_equal(rows_first, rows_second):
        return first + second, False
    psi_first, psi_second = both.influence_, given.influence_
    n = len(psi_first)
    # What a standard error holds beyond its influence values has no row to be paired by.
    own = sum(
        max(error**2 - float(psi @ psi) / n**2, 0.0)
        for error, psi in ((first, psi_first), (second, psi_second))
    )
    return float(np.sqrt(np.square(psi_first - psi_second).sum() / n**2 + own)), True


def _mean(shares: NDArray[np.float64], estimates: Sequence[Estimate], n: int) -> tuple[float, float | None]:
    """Mean reading over classes, and its standard error where every class has one."""
    readings = np.array([estimate.nats for estimate in estimates])
    nats = float(shares @ readings)
    errors = [estimate.stderr_nats for estimate in estimates]
    known = [error for error in errors if error is not None]
    if len(known) < len(errors):
        return nats, None
    of_terms = float(np.square(shares * known).sum())
    of_shares = float(shares @ np.square(readings - nats)) / n
    return nats, float(np.sqrt(of_terms + of_shares))


def _mean_of_known(shares: NDArray[np.float64], values: Sequence[float | None]) -> float | None:
    """Mean over classes where every class has a value."""
    known = [value for value in values if value is not None]
    return float(shares @ known) if len(known) == len(values) else None


def _warnings_of_parts(parts: Mapping[str, Estimate]) -> tuple[EstimateWarning, ...]:
    """Give the warnings of the parts that hold for the whole, each word once."""
    found: tuple[EstimateWarning, ...] = ()
    for word in WORDS_OF_PARTS:
        raised = [
            (name, warning)
            for name, part in parts.items()
            for warning in part.warnings
            if warning.word == word
        ]
        if raised:
            name, first = raised[0]
            others = f" (and {len(raised) - 1} more)" if len(raised) > 1 else ""
            found += (EstimateWarning(word, f"{name}{others}: {first.sentence}", first.remedy),)
    return found
