"""What fitted networks say of items that they were not fitted to: Estimates, pooled over the folds."""

import math
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mitools.core.estimate import Estimate
from mitools.estimators.assemble import MeasuredNats, assemble_estimate
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.registry import make_estimator
from mitools.estimators.warnings import two_sided
from mitools.shared_information.fit import FittedViews, ReadViews
from mitools.shared_information.pair_critic import PairCritic
from mitools.shared_information.settings import ViewSettings

LABEL_METHODS = ("label_information", "class_posterior")
"""How I(v;y) is read: Barber-Agakov's bound, which regimes are judged by, and the certificate of same-class
pairs beside it."""


ON_EMBEDDINGS = {"folds": 1, "hidden": (128,), "max_steps": 1000}
"""Settings of critics that are fitted to embeddings of held-out items: these are compared already, and every
fold of the views has critics of its own."""


def read_shared(
    fits: Sequence[FittedViews],
    read: Sequence[ReadViews],
    folds: Sequence[Parts],
    settings: ViewSettings,
    started: float,
) -> list[Estimate]:
    """Read I(v1;v2) on every fold's held-out items, by every method.

    Parameters
    ----------
    fits
        Of every fold.
    read
        What they make of the items that the fold holds out.
    folds
        Whose *report* is held out.
    settings
        Names the methods.
    started
        When the measurement began, by :func:`time.perf_counter`.
    """
    return [_read_shared_by(method, fits, read, folds, settings, started) for method in settings.methods]


def _read_shared_by(
    method: str,
    fits: Sequence[FittedViews],
    read: Sequence[ReadViews],
    folds: Sequence[Parts],
    settings: ViewSettings,
    started: float,
) -> Estimate:
    if method == "infonce":
        return _read_own_critic(fits, read, folds, settings, started)
    estimates = []
    for views, parts in zip(read, folds, strict=True):
        # Groups are those of the images: what is looked for in rows was looked for in these.
        x, y = (rows.cpu().numpy() for rows in views.embedded)
        estimator = make_estimator(method, settings.seed, settings.device)
        known = estimator.get_params(deep=False)
        estimator.set_params(**{key: value for key, value in ON_EMBEDDINGS.items() if key in known})
        estimates.append(estimator.estimate(x, y, parts.groups_of(parts.report)))
    return mean_of_folds(estimates, started)


def _read_own_critic(
    fits: Sequence[FittedViews],
    read: Sequence[ReadViews],
    folds: Sequence[Parts],
    settings: ViewSettings,
    started: float,
) -> Estimate:
    """Read InfoNCE by the critic that the networks were fitted as: nothing is fitted to what is reported."""
    readings, nulls = [], []
    for number, (fit, views, parts) in enumerate(zip(fits, read, folds, strict=True)):
        groups = parts.groups_of(parts.report)
        assert fit.critic is not None
        x, y = views.scored_rows
        permuted = np.random.default_rng([settings.seed, 3, number]).permutation(len(y))
        readings.append(_infonce_of(fit.critic, x, y, groups))
        nulls.append(_infonce_of(fit.critic, x, y[torch.from_numpy(permuted)], None))
    return assemble_estimate(
        pooled(readings),
        method="infonce",
        kind="lower bound",
        null=pooled(nulls),
        ceiling=math.log(min(len(parts.report) for parts in folds)),
        still_rising=any(fit.still_rising for fit in fits),
        **_parts_sizes(folds),
        seconds=time.perf_counter() - started,
        settings={"folds": len(folds), "steps": [fit.steps for fit in fits]},
    )


def _infonce_of(
    critic: PairCritic, x: torch.Tensor, y: torch.Tensor, groups: NDArray[np.int64] | None
) -> Reading:
    known = None if groups is None else torch.from_numpy(groups).to(x.device)
    reading = read_infonce(critic, x, y, groups=known)
    return reading.by_group(None if groups is None else np.unique(groups, return_inverse=True)[1])


def read_label(
    fits: Sequence[FittedViews],
    read: Sequence[ReadViews],
    folds: Sequence[Parts],
    view: int,
    settings: ViewSettings,
    started: float,
) -> tuple[list[Estimate], Reading]:
    """Read I(v;y) off what a view's network makes of the labels of held-out items, calibrated among these.

    Returns
    -------
    estimates
        One a method of :data:`LABEL_METHODS`.
    reading
        Of the first, with the influence of every item, in an order that is the same for all views.
    """
    fitted = []
    for fit, views, parts in zip(fits, read, folds, strict=True):
        rows = views.logits[view].cpu().numpy()
        labels = fit.data.labels.cpu().numpy()[parts.report]
        posterior = ClassPosterior(seed=settings.seed)
        fitted.append(posterior.fit(rows, labels, groups=parts.groups_of(parts.report)))
    readings = {
        method: pooled([fold.report[method] for one in fitted for fold in one.folds_])
        for method in LABEL_METHODS
    }
    estimates = []
    for method, reading in readings.items():
        of_folds = [
            one.label_information_ if method == "label_information" else one.estimate_ for one in fitted
        ]
        nulls = [estimate.null_nats for estimate in of_folds if estimate.null_nats is not None]
        estimates.append(
            assemble_estimate(
                reading,
                method=method,
                kind="lower bound",
                null=MeasuredNats(float(np.mean(nulls)), None) if nulls else None,
                entropy=of_folds[0].entropy_nats,
                **_parts_sizes(folds),
                seconds=time.perf_counter() - started,
                settings={"folds": len(folds), "steps": [fit.steps for fit in fits]},
            )
        )
    return estimates, readings["label_information"]


def mean_of_folds(estimates: Sequence[Estimate], started: float) -> Estimate:
    """Average the estimates of disjoint folds, each made on its own items.

    Examples
    --------
    >>> from mitools.core.estimate import Estimate
    >>> halves = [Estimate("mine", "lower bound", nats, stderr_nats=0.1) for nats in (1.0, 2.0)]
    >>> mean = mean_of_folds(halves, started=0.0)
    >>> mean.nats, round(mean.stderr_nats, 4)
    (1.5, 0.0707)
    """
    first = estimates[0]
    errors = [estimate.stderr_nats for estimate in estimates]
    nats = float(np.mean([estimate.nats for estimate in estimates]))
    stderr = None if None in errors else float(np.linalg.norm(np.array(errors, dtype=float)) / len(errors))
    ceilings = [estimate.ceiling_nats for estimate in estimates if estimate.ceiling_nats is not None]
    nulls = [estimate.null_nats for estimate in estimates if estimate.null_nats is not None]
    said = {warning.word: warning for estimate in estimates for warning in estimate.warnings}
    return replace(
        first,
        nats=nats,
        stderr_nats=stderr,
        interval_nats=None if stderr is None else two_sided(nats, stderr),
        ceiling_nats=min(ceilings) if ceilings else None,
        null_nats=float(np.mean(nulls)) if nulls else None,
        n_report=sum(estimate.n_report for estimate in estimates),
        seconds=time.perf_counter() - started,
        warnings=tuple(said.values()),
    )


def _parts_sizes(folds: Sequence[Parts]) -> dict[str, Any]:
    return {
        "n_train": min(len(parts.train) for parts in folds),
        "n_select": min(len(parts.select) for parts in folds),
        "n_report": sum(len(parts.report) for parts in folds),
    }
