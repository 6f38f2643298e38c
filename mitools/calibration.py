"""What do estimators read on the user's own features where the truth is known."""

import inspect
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.progress import Advance
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.known_information.binary_composites import flip_probability
from mitools.datasets.readers.features import FeatureRows
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.donsker_varadhan import read_donsker_varadhan
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.splits import as_many_as_report, split
from mitools.estimators.pairs import permuted_within
from mitools.estimators.registry import ESTIMATORS, make_estimator
from mitools.measures.item_split import groups_record
from mitools.pairing.composites import REPORT, CompositePool, composite_pool, named_classes

CERTIFICATE = "class_posterior"
"""The one method that compares rows with labels and still reads composites; see :func:`certify`."""

GIGABYTES_AT_MOST = 8.0
"""Memory that the composites of one true value may take."""


@dataclass(frozen=True)
class CalibrationSettings:
    """What a calibration is asked for, beside features and methods.

    Attributes
    ----------
    bits
        Bits of a composite, and so rows of features side by side.
    truths
        The true values, in bits, each at most `bits`.
    n
        Composites; as many as the two classes have rows when None, as in an audit of them.
    components
        Principal components, of the training rows' making, that stand for a row; all of its dimensions
        when None.
    classes
        Names of the two classes that show 0 and 1; the two with most rows when None.
    seed
        Of the splits, the composites and the estimators.
    device
        Where neural critics are fitted.
    """

    bits: int = 10
    truths: tuple[float, ...] = (2.0, 4.0, 6.0, 8.0)
    n: int | None = None
    components: int | None = None
    classes: tuple[str, str] | None = None
    seed: int = 0
    device: str = "cpu"


class CalibrationPoint(NamedTuple):
    """A method's estimate at one true value."""

    truth_bits: float
    estimate: Estimate


@dataclass(frozen=True)
class Calibration:
    """The readings of every method, and the methods that failed with the reason.

    Attributes
    ----------
    data
        Name of the features.
    classes
        The classes that show 0 and 1.
    bits, n, dimensions
        Of a composite, of composites in all, and of a composite's x (or y).
    truth_is_limit
        Whether some row is found in both classes, so that true values are only limits of the truth.
    points
        In the order in which methods and true values were asked for.
    failures
        Reason by method.
    """

    data: str
    classes: tuple[str, str]
    bits: int
    n: int
    dimensions: int
    truth_is_limit: bool
    points: Mapping[str, Sequence[CalibrationPoint]]
    failures: Mapping[str, str]


def run_calibration(
    data: FeatureRows,
    methods: Sequence[str],
    *,
    out: Path,
    settings: CalibrationSettings | None = None,
    groups: ArrayLike | None = None,
    advance: Advance | None = None,
) -> Calibration:
    """Make composites of known mutual information from labelled features, and read them by every method.

    Bits are drawn and sent through a binary symmetric channel; x shows every bit sent, and y every bit
    received, by a random row of its class (Lee & Rhee 2024), so they share
    ``bits (1 - H2(flip))``. What is trained sees other rows on *train*, *select* and *report*
    (:class:`mitools.pairing.composites.CompositePool`), on one split, even where it would cross-fit by
    itself; what trains nothing reads composites of all rows.

    Parameters
    ----------
    data
        Labelled features.
    methods
        Names of :data:`mitools.estimators.registry.ESTIMATORS` that compare rows with rows, and
        ``class_posterior``, the audit's certificate, as :func:`certify` reads composites.
    out
        Folder under which every reading is kept; a calibration that was stopped goes on from there.
    settings
        See :class:`CalibrationSettings`.
    groups
        Shape (rows,): rows that depend on each other, which are shown in one part alone.
    advance
        Called with what is being done, how much of it is done, and how much there is.

    Raises
    ------
    InputError
        When a method or class is unknown, a truth is out of range, there are too few rows or composites
        to split, the composites would not fit in memory, or no method could be read. One method's error
        is kept in ``failures`` while others succeed.
    """
    settings = settings or CalibrationSettings()
    estimators = {name: _estimator(name, settings) for name in dict.fromkeys(methods)}
    flips = {truth: flip_probability(settings.bits, truth) for truth in settings.truths}
    if not estimators or not flips:
        raise InputError("a calibration needs a method and a true value at least")
    classes = named_classes(data, settings.classes)
    named = None if groups is None else as_groups(groups, len(data))
    pool = composite_pool(data, settings.bits, settings.n, settings.components, classes, settings.seed, named)
    _check_size(pool)
    on: Values = {
        "features": data.digest,
        "classes": classes,
        "bits": settings.bits,
        "n": pool.n,
        "components": settings.components,
        "seed": settings.seed,
        **groups_record(named),
    }
    store = ResultStore(out / "cells")
    points: dict[str, list[CalibrationPoint]] = {name: [] for name in estimators}
    failures: dict[str, str] = {}
    wanted = [(truth, name) for truth in flips for name in estimators]
    for done, (truth, name) in enumerate(wanted):
        if name in failures:
            continue
        if advance is not None:
            advance(f"{name} at {truth:g} bit{'s' if truth != 1 else ''}", done, len(wanted))
        estimator = estimators[name]
        request = on | {"method": name, "truth_bits": truth, "settings": estimator.settings()}
        try:
            cell = store.cell("calibration", request, partial(_measure, name, estimator, pool, flips[truth]))
        except InputError as error:
            failures[name] = str(error)
            del points[name]
        else:
            points[name].append(CalibrationPoint(truth, Estimate.from_dict(cell["estimate"])))
    if not points:
        raise InputError("; ".join(f"{name}: {reason}" for name, reason in failures.items()))
    return Calibration(
        data=data.name,
        classes=classes,
        bits=settings.bits,
        n=pool.n,
        dimensions=pool.dimensions,
        truth_is_limit=pool.truth_is_limit,
        points=points,
        failures=failures,
    )


def certify(pool: CompositePool, flip: float) -> Estimate:
    """Read composites by what a linear classifier says of their rows: a lower bound without training.

    With ``s = p(1|row) - p(0|row)`` of the calibrated posterior, fitted to training rows, the log density
    ratio of two composites is ``sum_k log(1 + (1 - 2 flip) s(x_k) s(y_k))``: a bit sent and a bit received,
    written as -1 or 1, have the joint probability ``(1 + (1 - 2 flip) b b') / 4``. Donsker-Varadhan reads it
    on composites of report rows, the same that other methods report on. What it falls short by is what a
    linear classifier cannot tell of rows it has not seen.

    Parameters
    ----------
    pool
        Rows of two classes.
    flip
        Probability with which a bit is flipped.
    """
    started = time.perf_counter()
    rows, labels, items = pool.rows, pool.labels, pool.item_parts
    n = len(pool.parts.report)
    rng = np.random.default_rng([pool.seed, 4])

    def fitted(labels: NDArray[np.int64], penalties: Sequence[float]) -> CalibratedPosterior:
        train, select = items.train, items.select
        return CalibratedPosterior(seed=pool.seed, inverse_penalties=penalties).fit(
            rows[train], labels[train], rows[select], labels[select], np.full(2, 0.5)
        )

    def read(posterior: CalibratedPosterior, shown: NDArray[np.int64]) -> Reading:
        lean = posterior.predict_proba(rows) @ np.array([-1, 1], dtype=np.float32)
        chosen = pool.choose(shown, flip, n, REPORT)
        x, y = torch.from_numpy(lean[chosen.x_items]), torch.from_numpy(lean[chosen.y_items])
        return read_donsker_varadhan(partial(_log_ratio, flip), x, y)

    posterior = fitted(labels, INVERSE_PENALTIES)
    shuffled = permuted_within(labels, items, rng)
    penalty = posterior.inverse_penalty_
    # With the same regularisation: a search for what is not there would walk to its costly end.
    blind = fitted(shuffled, INVERSE_PENALTIES if penalty is None else (penalty,))
    report, null = read(posterior, items.report), read(blind, items.report)
    train = read(posterior, as_many_as_report(items, labels, rng))
    return assemble_estimate(
        report,
        method=CERTIFICATE,
        kind="lower bound",
        null=null,
        entropy=pool.bits * LOG2,
        train_nats=train.nats,
        n_train=len(items.train),
        n_select=len(items.select),
        n_report=len(items.report),
        seconds=time.perf_counter() - started,
        settings={"pairs": n, "inverse_penalty": posterior.inverse_penalty_, "seed": pool.seed},
    )


def _estimator(name: str, settings: CalibrationSettings) -> MIEstimator:
    estimator = make_estimator(name, settings.seed, settings.device)
    if ESTIMATORS[name].needs_labels and name != CERTIFICATE:
        raise InputError(f"{name} compares rows with labels, and composites are rows alone; leave it out")
    return estimator


def _measure(name: str, estimator: MIEstimator, pool: CompositePool, flip: float) -> Values:
    """Read the composites of one flip probability by one method: a cell."""
    if name == CERTIFICATE:
        estimate = certify(pool, flip)
    elif "parts" in inspect.signature(estimator.fit).parameters:
        fit: Any = estimator.fit
        estimate = fit(*pool.held_out(flip), parts=pool.parts).estimate_
    else:
        estimate = estimator.fit(*pool.together(flip)).estimate_
    if pool.groups is None:
        known = {warning.word for warning in estimate.warnings}
        further = tuple(one for one in pool.dependence if one.word not in known)
        estimate = replace(estimate, warnings=estimate.warnings + further)
    return {"estimate": estimate.to_dict()}


def _check_size(pool: CompositePool) -> None:
    """Refuse too few rows or composites to split, and too many to hold, before anything is read."""
    gigabytes = 2 * pool.n * pool.dimensions * np.float32().nbytes / 1e9
    if gigabytes > GIGABYTES_AT_MOST:
        raise InputError(
            f"{pool.n:,} composites of {pool.dimensions:,} dimensions take {gigabytes:.0f} GB; ask for fewer"
            " composites, or for some principal components of each row"
        )
    split(pool.n)
    split(len(pool.labels), pool.labels)


def _log_ratio(flip: float, x: Tensor, y: Tensor) -> Tensor:
    """Score what a classifier says of the rows of composites, shapes (n, bits) and (m, bits)."""
    scores = x.new_zeros(len(x), len(y))
    for of_x, of_y in zip(x.T, y.T, strict=True):
        scores += torch.log1p((1 - 2 * flip) * torch.outer(of_x, of_y))
    return scores
