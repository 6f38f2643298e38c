"""What fitted networks say of items that they were not fitted to: Estimates, pooled over the folds."""

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from mitools.core.estimate import Estimate, Interval, Kind
from mitools.estimators.assemble import MeasuredNats, assemble_estimate
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.reading import Reading, pooled, strangers
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.registry import make_estimator
from mitools.estimators.warnings import two_sided
from mitools.shared_information.fit import FittedViews, ReadViews
from mitools.shared_information.half_images import half_of
from mitools.shared_information.more_images import Doubled, label_up_to, rise_warnings, shared_up_to
from mitools.shared_information.pair_critic import PairCritic
from mitools.shared_information.settings import ViewSettings

LABEL_METHODS = ("label_information", "class_posterior")
"""How I(v;y) is read: Barber-Agakov's bound, which regimes are judged by, and the certificate of same-class
pairs beside it."""


ON_EMBEDDINGS = {"folds": 1, "hidden": (128,), "max_steps": 1000}
"""Settings of critics that are fitted to embeddings of held-out items: these are compared already, and every
fold of the views has critics of its own."""


class ReadFolds(NamedTuple):
    """The networks of folds, and what they make of the items that these hold out.

    Attributes
    ----------
    fits
        Of each fold.
    read
        What they make of *report*.
    parts
        What they were fitted to, and *report*.
    """

    fits: list[FittedViews]
    read: list[ReadViews]
    parts: list[Parts]

    def append(self, fit: FittedViews, parts: Parts) -> None:
        """Add a fold: its networks read what it holds out."""
        self.fits.append(fit)
        self.read.append(fit.read(parts.report))
        self.parts.append(parts)

    @property
    def first(self) -> "ReadFolds":
        """The first fold alone."""
        return ReadFolds(self.fits[:1], self.read[:1], self.parts[:1])


class SharedReading(NamedTuple):
    """What two views share.

    Attributes
    ----------
    estimates
        One a method.
    up_to
        For each, the upper end of what is not excluded, in nats: see :func:`.shared_up_to`; None where no end
        is told.
    """

    estimates: list[Estimate]
    up_to: list[float | None]


class LabelReading(NamedTuple):
    """What a view says of the label.

    Attributes
    ----------
    estimates
        One a method of :data:`LABEL_METHODS`; the first is what regimes are judged by.
    up_to
        For each, the upper end of what is not excluded, in nats: see :func:`.label_up_to`.
    reading
        Of the first, with the influence of every item.
    doubled
        The same of the first fold's items, by half of the images and by all; None where half are too few.
    """

    estimates: list[Estimate]
    up_to: list[float]
    reading: Reading
    doubled: Doubled | None


def read_shared(
    whole: ReadFolds, half: ReadFolds | None, settings: ViewSettings, started: float
) -> SharedReading:
    """Read I(v1;v2) on every fold's held-out items, by every method.

    Parameters
    ----------
    whole
        Every fold, fitted to all images but those held out.
    half
        The first fold, fitted to half of these; None where half are too few.
    settings
        Names the methods.
    started
        When the measurement began, by :func:`time.perf_counter`.
    """
    found = SharedReading([], [])
    for method in settings.methods:
        if method == "infonce":
            estimate, up_to = _read_own_critic(whole, half, settings, started)
        else:
            estimate, up_to = _read_embeddings(method, whole, settings, started), None
        found.estimates.append(estimate)
        found.up_to.append(up_to)
    return found


def _read_embeddings(method: str, whole: ReadFolds, settings: ViewSettings, started: float) -> Estimate:
    estimates = []
    for views, parts in zip(whole.read, whole.parts, strict=True):
        # Groups are those of the images: what is looked for in rows was looked for in these.
        x, y = (rows.cpu().numpy() for rows in views.embedded)
        estimator = make_estimator(method, settings.seed, settings.device)
        known = estimator.get_params(deep=False)
        estimator.set_params(**{key: value for key, value in ON_EMBEDDINGS.items() if key in known})
        estimates.append(estimator.estimate(x, y, parts.groups_of(parts.report)))
    return mean_of_folds(estimates, started)


def _read_own_critic(
    whole: ReadFolds, half: ReadFolds | None, settings: ViewSettings, started: float
) -> tuple[Estimate, float | None]:
    """Read InfoNCE by the critic that the networks were fitted as: nothing is fitted to what is reported."""
    nulls = []
    for number, (fit, views) in enumerate(zip(whole.fits, whole.read, strict=True)):
        assert fit.critic is not None
        x, y = views.scored_rows
        permuted = np.random.default_rng([settings.seed, 3, number]).permutation(len(y))
        nulls.append(_infonce_of(fit.critic, x, y[torch.from_numpy(permuted)], None))
    reading = _own_reading(whole)
    doubled = None if half is None else Doubled(_own_reading(half), _own_reading(whole.first))
    pairs = min(len(parts.report) for parts in whole.parts)
    estimate = assemble_estimate(
        reading,
        method="infonce",
        kind="lower bound",
        null=pooled(nulls),
        ceiling=math.log(pairs),
        still_rising=any(fit.still_rising for fit in whole.fits),
        further_warnings=rise_warnings(doubled),
        **_record(whole, started),
    )
    return estimate, shared_up_to(reading, doubled, min(map(_fewest_compared, whole.parts)))


def _fewest_compared(parts: Parts) -> int:
    """Count the pairs that one is compared with, itself among them, where these are fewest."""
    groups = parts.groups_of(parts.report)
    if groups is None:
        return len(parts.report)
    return 1 + int(strangers(torch.from_numpy(groups)).min())


def _own_reading(folds: ReadFolds) -> Reading:
    readings = []
    for fit, views, parts in zip(*folds, strict=True):
        assert fit.critic is not None
        x, y = views.scored_rows
        readings.append(_infonce_of(fit.critic, x, y, parts.groups_of(parts.report)))
    return pooled(readings)


def _infonce_of(
    critic: PairCritic, x: torch.Tensor, y: torch.Tensor, groups: NDArray[np.int64] | None
) -> Reading:
    known = None if groups is None else torch.from_numpy(groups).to(x.device)
    reading = read_infonce(critic, x, y, groups=known)
    return reading.by_group(None if groups is None else np.unique(groups, return_inverse=True)[1])


def read_label(
    whole: ReadFolds,
    half: ReadFolds | None,
    view: int,
    settings: ViewSettings,
    entropy_limit: float,
    started: float,
) -> LabelReading:
    """Read I(v;y) off what a view's network makes of the labels of held-out items, calibrated among these.

    Readings have the influence of every item in an order that is the same for all views, and for half of the
    images, of which the calibration has half of the items as well.

    Parameters
    ----------
    whole, half, settings, started
        As for :func:`read_shared`.
    view
        Which: 0 or 1.
    entropy_limit
        No information about the label lies above it, in nats.
    """
    fitted = [
        ClassPosterior(seed=settings.seed).fit(rows, labels, groups=groups)
        for rows, labels, groups in _logits(whole, view)
    ]
    by_half = None if half is None else _calibrated_by_half(fitted[0], half, view, settings.seed)
    doubled = {
        method: None if by_half is None else Doubled(_pooled([by_half], method), _pooled(fitted[:1], method))
        for method in LABEL_METHODS
    }
    first = LABEL_METHODS[0]
    found = LabelReading([], [], _pooled(fitted, first), doubled[first])
    for method in LABEL_METHODS:
        reading = _pooled(fitted, method)
        of_folds = [
            one.label_information_ if method == "label_information" else one.estimate_ for one in fitted
        ]
        nulls = [estimate.null_nats for estimate in of_folds if estimate.null_nats is not None]
        estimate = assemble_estimate(
            reading,
            method=method,
            kind="lower bound",
            null=MeasuredNats(float(np.mean(nulls)), None) if nulls else None,
            entropy=of_folds[0].entropy_nats,
            still_rising=any(fit.still_rising for fit in whole.fits),
            further_warnings=rise_warnings(doubled[method]),
            **_record(whole, started),
        )
        found.estimates.append(estimate)
        found.up_to.append(label_up_to(reading, doubled[method], entropy_limit))
    return found


def _logits(
    folds: ReadFolds, view: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.int64], NDArray[np.int64] | None]]:
    """Give for every fold the logits, labels and groups of its held-out items."""
    for fit, views, parts in zip(*folds, strict=True):
        labels = fit.data.labels.cpu().numpy()[parts.report]
        yield views.logits[view].cpu().numpy(), labels, parts.groups_of(parts.report)


def _calibrated_by_half(
    whole: ClassPosterior, half: ReadFolds, view: int, seed: int
) -> ClassPosterior | None:
    """Read the same items by a network of half of the images, calibrated by half as many items."""
    (only_fold,) = _logits(half, view)
    rows, labels, _ = only_fold
    parts = [half_of(fold.parts, labels, seed) for fold in whole.folds_]
    kept = [one for one in parts if one is not None]
    return ClassPosterior(seed=seed).fit(rows, labels, parts=kept) if len(kept) == len(parts) else None


def _pooled(fitted: Sequence[ClassPosterior], method: str) -> Reading:
    return pooled([fold.report[method] for one in fitted for fold in one.folds_])


def mean_of_folds(estimates: Sequence[Estimate], started: float) -> Estimate:
    """Average the estimates of disjoint folds, each made on its own items.

    Sampling errors shrink, as folds err apart. What an interval allows for beyond them, such as a bias that
    falls with the number of items, is the same in all folds and stays; and where one fold has no interval,
    the mean has none. Its kind is what is proven of every fold, and its method names all that folds were read
    by.

    Examples
    --------
    >>> from mitools.core.estimate import Estimate
    >>> halves = [Estimate("mine", "lower bound", nats, stderr_nats=0.1) for nats in (1.0, 2.0)]
    >>> mean = mean_of_folds(halves, started=0.0)
    >>> mean.nats, round(mean.stderr_nats, 4)
    (1.5, 0.0707)
    """
    nats = float(np.mean([estimate.nats for estimate in estimates]))
    errors = [estimate.stderr_nats for estimate in estimates]
    stderr = None if None in errors else _error_of_mean(estimates)
    ceilings = [estimate.ceiling_nats for estimate in estimates if estimate.ceiling_nats is not None]
    nulls = [estimate.null_nats for estimate in estimates if estimate.null_nats is not None]
    said = {warning.word: warning for estimate in estimates for warning in estimate.warnings}
    # What chooses a method by the rows may choose another in every fold.
    read_by = dict.fromkeys(estimate.settings.get("chosen", estimate.method) for estimate in estimates)
    return replace(
        estimates[0],
        method=estimates[0].method if len(read_by) == 1 else "_and_".join(read_by),
        kind=_weakest_kind({estimate.kind for estimate in estimates}),
        nats=nats,
        stderr_nats=stderr,
        interval_nats=_interval_of_mean(nats, estimates),
        ceiling_nats=min(ceilings) if ceilings else None,
        null_nats=float(np.mean(nulls)) if nulls else None,
        n_report=sum(estimate.n_report for estimate in estimates),
        seconds=time.perf_counter() - started,
        warnings=tuple(said.values()),
    )


def _error_of_mean(estimates: Sequence[Estimate]) -> float:
    """Give the standard error of a mean of folds; a fold without one has its error in its interval alone."""
    return float(np.linalg.norm([estimate.stderr_nats or 0.0 for estimate in estimates])) / len(estimates)


def _interval_of_mean(nats: float, estimates: Sequence[Estimate]) -> Interval | None:
    """Give the normal interval of the folds' sampling errors, widened by what folds reach beyond theirs."""
    below, above = [], []
    for estimate in estimates:
        if estimate.interval_nats is None:
            return None
        low, high, _ = estimate.interval_nats
        own = two_sided(estimate.nats, estimate.stderr_nats or 0.0)
        below.append(max(0.0, own.low - low))
        above.append(max(0.0, high - own.high))
    found = two_sided(nats, _error_of_mean(estimates))
    return found._replace(low=found.low - float(np.mean(below)), high=found.high + float(np.mean(above)))


def _weakest_kind(kinds: set[Kind]) -> Kind:
    """Give what a mean of such numbers is: a bound where all are bounds of one side."""
    if len(kinds) == 1:
        return next(iter(kinds))
    return (
        "asymptotic lower bound" if kinds <= {"lower bound", "asymptotic lower bound"} else "point estimate"
    )


def _record(folds: ReadFolds, started: float) -> dict[str, Any]:
    """Say what an estimate of all folds is made from."""
    return {
        "n_train": min(len(parts.train) for parts in folds.parts),
        "n_select": min(len(parts.select) for parts in folds.parts),
        "n_report": sum(len(parts.report) for parts in folds.parts),
        "seconds": time.perf_counter() - started,
        "settings": {"folds": len(folds.parts), "steps": [fit.steps for fit in folds.fits]},
    }
