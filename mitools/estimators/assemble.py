"""From a reading to an Estimate: its interval, its null and its warnings, put together in one place."""

from collections.abc import Mapping
from typing import Any, NamedTuple, Protocol

from mitools.core.estimate import Estimate, EstimateWarning, Interval, Kind
from mitools.estimators.warnings import INTERVAL_CONFIDENCE, find_warnings, two_sided


class Measured(Protocol):
    """A number and its standard error in nats, such as :class:`.Reading`; None where it has no error."""

    @property
    def nats(self) -> float:
        """The number."""
        ...

    @property
    def stderr(self) -> float | None:
        """Its standard error."""
        ...


class MeasuredNats(NamedTuple):
    """A number and its standard error, in nats, where no reading holds them."""

    nats: float
    stderr: float | None


def assemble_estimate(
    reading: Measured,
    *,
    method: str,
    kind: Kind,
    null: Measured | None = None,
    ceiling: float | None = None,
    pairs_raise_ceiling: bool = True,
    entropy: float | None = None,
    train_nats: float | None = None,
    shortfall: float = 0.0,
    excess: float = 0.0,
    still_rising: bool = False,
    further_warnings: tuple[EstimateWarning, ...] = (),
    n_train: int = 0,
    n_select: int = 0,
    n_report: int,
    seconds: float,
    settings: Mapping[str, Any],
) -> Estimate:
    """Make the Estimate of a reading: with the normal interval of its error, and the warnings it deserves.

    Parameters
    ----------
    reading
        On *report*. Without a standard error it gets no interval, and no warning but the further ones.
    method, kind
        As the estimate has them.
    null
        The same method on permuted pairs. None where there is none: the interval is then compared with 0.
    ceiling, entropy
        What the method can at most return here, and what no truth exceeds, in nats, where known.
    pairs_raise_ceiling
        Whether twice as many pairs would raise the ceiling.
    train_nats
        The same reading on training items, where some were trained on.
    shortfall
        Nats by which what was trained is thought to fall short of the best: the interval reaches so much
        higher.
    excess
        Nats by which the reading is thought to exceed the truth: the interval reaches so much lower.
    still_rising
        Whether fitting ended because its steps did, before *select* had settled.
    further_warnings
        Those that the method alone can raise; they come last.
    n_train, n_select, n_report, seconds, settings
        As the estimate has them.

    Examples
    --------
    >>> estimate = assemble_estimate(
    ...     MeasuredNats(0.5, 0.1), method="infonce", kind="lower bound", ceiling=0.52, n_report=2, seconds=0,
    ...     settings={},
    ... )
    >>> round(estimate.interval_nats.low, 3), [warning.word for warning in estimate.warnings]
    (0.304, ['saturated'])
    """
    interval, found = None, tuple[EstimateWarning, ...]()
    if reading.stderr is not None:
        interval = two_sided(reading.nats, reading.stderr)
        interval = interval._replace(low=interval.low - excess, high=interval.high + shortfall)
        found = find_warnings(
            interval,
            reading.nats,
            null=_interval_of_null(null),
            ceiling=ceiling,
            pairs_raise_ceiling=pairs_raise_ceiling,
            entropy=entropy,
            train_nats=train_nats,
            still_rising=still_rising,
        )
    return Estimate(
        method=method,
        kind=kind,
        nats=reading.nats,
        stderr_nats=reading.stderr,
        interval_nats=interval,
        ceiling_nats=ceiling,
        entropy_nats=entropy,
        null_nats=None if null is None else null.nats,
        n_train=n_train,
        n_select=n_select,
        n_report=n_report,
        seconds=seconds,
        settings=settings,
        warnings=found + further_warnings,
    )


def _interval_of_null(null: Measured | None) -> Interval:
    if null is None:
        return Interval(0.0, 0.0, INTERVAL_CONFIDENCE)
    return two_sided(null.nats, 0.0 if null.stderr is None else null.stderr)
