"""What a choice is, and what every choice is made with: readings of the same pairs, kept by name."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import Estimate, EstimateWarning
from mitools.estimators.base import MIEstimator
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts

FEWEST_ROWS_TO_HOLD_OUT = 200
"""Rows below which none is held out: a fifth of them would say too little."""

STDERRS_OF_CLEARLY_MORE = 2.0
"""Standard errors by which one reading must exceed another to be preferred for it."""

AnyEstimator = TypeVar("AnyEstimator", bound=MIEstimator)


class Choice(NamedTuple):
    """A fitted estimator, why it was chosen, and what other readings of the pairs add to it.

    Attributes
    ----------
    estimator
        After its fit.
    because
        Why it was chosen, in words.
    warnings
        What the other readings tell of the pairs.
    down_to, up_to
        Nats that the interval must reach, as nothing excludes them; None where its own ends are enough.
    without_interval
        Whether no interval can be told.
    """

    estimator: MIEstimator
    because: str
    warnings: tuple[EstimateWarning, ...] = ()
    down_to: float | None = None
    up_to: float | None = None
    without_interval: bool = False

    def estimate(self) -> Estimate:
        """Give the chosen reading, its interval as wide as the other readings ask for."""
        found = self.estimator.estimate_
        interval = found.interval_nats
        if interval is not None:
            low = interval.low if self.down_to is None else min(interval.low, self.down_to)
            high = interval.high if self.up_to is None else max(interval.high, self.up_to)
            interval = None if self.without_interval else interval._replace(low=low, high=high)
        # The first warning of every word.
        told = {warning.word: warning for warning in reversed(found.warnings + self.warnings)}
        return replace(found, interval_nats=interval, warnings=tuple(told.values())[::-1])


@dataclass
class Readings:
    """Fits estimators to one set of pairs, and keeps what they read.

    Attributes
    ----------
    seed, max_steps, device
        Of the estimators; the last two of those that train networks.
    groups
        Shape (n,): which rows depend on each other; None where every row stands alone.
    parts
        The split that was given for what is trained; None where the seed draws it.
    dependent
        How the rows depend on each other, which is not looked for again.
    considered
        The estimates so far, by name.
    """

    seed: int
    max_steps: int
    device: str
    groups: Groups | None
    parts: Parts | None
    dependent: tuple[EstimateWarning, ...] = ()
    considered: dict[str, Estimate] = field(default_factory=dict)

    def fit(
        self, estimator: AnyEstimator, x: NDArray[Any], y: NDArray[Any], name: str | None = None
    ) -> AnyEstimator:
        """Fit an estimator that holds nothing out, and keep its estimate, by its method if it has no name."""
        given = {} if self.groups is None else {"groups": self.groups}
        return self._keep(estimator.fit(x, y, **given), name)

    def fit_on_parts(
        self, estimator: AnyEstimator, x: NDArray[Any], y: NDArray[Any], name: str | None = None
    ) -> AnyEstimator:
        """Fit an estimator that trains on some rows and reports on others, and keep its estimate."""
        given: Mapping[str, Any] = {"parts": self.parts}
        if self.parts is None and self.groups is not None:
            given = {"groups": self.groups}
        if isinstance(estimator, PosteriorEstimator):
            given = {**given, "dependent": self.dependent}
        return self._keep(estimator.fit(x, y, **given), name)

    def _keep(self, fitted: AnyEstimator, name: str | None) -> AnyEstimator:
        self.considered[name or fitted.estimate_.method] = fitted.estimate_
        return fitted


def error_of(found: Estimate) -> float:
    """Give the standard error of a reading in nats, 0 where it has none."""
    return found.stderr_nats or 0.0


def joint_error(found: Estimate, other: Estimate) -> float:
    """Give the standard error of the difference of two readings, taken for independent."""
    return float(np.hypot(error_of(found), error_of(other)))


def clearly_exceeds(found: Estimate, other: Estimate) -> bool:
    """Whether a reading is greater than another, and than its own null, by more than chance."""
    noise = STDERRS_OF_CLEARLY_MORE * joint_error(found, other)
    return found.nats - max(other.nats, 0.0) > noise + max(found.null_nats or 0.0, 0.0)
