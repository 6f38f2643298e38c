"""What features say of several labels an item: of each by the certificate, and of all together by a bound."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.datasets.targets import Targets
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.class_information.certificate_folds import CROSS_FIT_BELOW_ITEMS
from mitools.estimators.inputs.folds import CROSS_FIT_FOLDS, chosen_folds, cross_fit_parts
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.pointwise_information import pointwise_of_labels
from mitools.estimators.warnings import two_sided
from mitools.measures.settings import MeasureSettings
from mitools.measures.targets.reading import OneTarget, TargetReading
from mitools.measures.targets.row_groups import found_groups, grouped_as
from mitools.measures.targets.trained_critic import critic_of_targets

FEWEST_PER_COMBINATION = 5
"""Items a combination of labels, in the mean, below which the dependence of the labels is overestimated."""

FEWEST_OF_A_LABEL = 2 * CROSS_FIT_FOLDS


class _OneLabel(NamedTuple):
    """What the certificate of one label leaves for the bound of all.

    Attributes
    ----------
    read
        What the tables have of it.
    nats
        Shape (n,): ``log q(y|h) / p(y)`` of every reported item, in the order of the items.
    unseen
        A standard error for what the items do not show.
    """

    read: OneTarget
    nats: NDArray[np.float64]
    unseen: float


def read_labels(
    rows: NDArray[Any], targets: Targets, split: Parts | None, groups: NDArray[np.int64] | None,
    settings: MeasureSettings, critic: bool,
) -> TargetReading:  # fmt: skip
    """Certify I(H;Y_k) of every label, and bound I(H;Y_1..Y_K) from below.

    The sum of the labels' information is no bound for all together: two labels that say the same are counted
    twice. With binary classifiers ``q_k``, ``H(Y|H) <= sum_k E[-log q_k(y_k|h)]``, so that

        I(H;Y_1..Y_K) >= sum_k (H(Y_k) - CE_k) - (sum_k H(Y_k) - H(Y_1..Y_K)),

    the sum less the total correlation of the labels (Watanabe 1960), which needs no features. The joint
    entropy is that of the combinations counted, which errs low, and so does the bound.

    Parameters
    ----------
    rows, targets, split, groups, settings, critic
        As for :func:`mitools.measures.targets.continuous.read_continuous`, the targets 0 or 1.

    Returns
    -------
    TargetReading
        ``i_target``: the bound above; ``i_target_infonce``, another; ``mean_average_precision``, and
        ``mean_prevalence``, which a guess reaches. Of each label ``i_target``
        (``I(H;Y_k) >= H(Y_k) - CE_k``), ``i_class``, ``average_precision`` and ``prevalence``. Labels with
        fewer than ten items, or groups, that have them, or have them not, are left out.

    Raises
    ------
    InputError
        When no label has enough items.
    """
    groups, dependent = found_groups(rows, targets.values, groups, settings.seed, split)
    splits, left_out = {}, {}
    for name, column in zip(targets.names, targets.values.T, strict=True):
        labels = column.astype(np.int64)
        found = _splits(labels, split, groups, settings.seed)
        if found is None:
            which = "items" if groups is None else "groups"
            left_out[name] = f"fewer than {FEWEST_OF_A_LABEL} {which} have it, or have it not"
        else:
            splits[name] = (labels, found)
    if not splits:
        raise InputError(
            f"no label of {', '.join(targets.names[:3])} has {FEWEST_OF_A_LABEL} items with it and without"
        )
    each = [_read_label(name, rows, labels, parts, settings) for name, (labels, parts) in splits.items()]
    table = np.stack([labels for labels, _ in splits.values()], axis=1)
    items = np.sort(np.concatenate([parts.report for parts in next(iter(splits.values()))[1]]))
    together, influence = _all_together(each, table, items, groups, settings)
    estimates = {"i_target": replace(together, warnings=together.warnings + dependent)}
    if critic:
        own = None if split is not None else groups
        estimates["i_target_infonce"] = critic_of_targets(
            rows, table.astype(np.float64), split, own, settings
        )
    metrics = {
        f"mean_{name}": float(np.mean([one.read.metrics[name] for one in each]))
        for name in ("average_precision", "prevalence")
    }
    return TargetReading(estimates, metrics, influence, [one.read for one in each], left_out)


def _splits(
    labels: NDArray[np.int64], split: Parts | None, groups: NDArray[np.int64] | None, seed: int
) -> list[Parts] | None:
    """Split evenly over a label, or take the part that is given; None of a label that is too rare."""
    n = len(labels)
    if split is not None or n >= CROSS_FIT_BELOW_ITEMS:
        # One split for all labels, so that all of them report the same items.
        parts = split or cross_fit_parts(n, None, 1, seed, groups)[0]
        parts_of = (parts.train, parts.select, parts.report)
        counts = [np.bincount(labels[items], minlength=2).min() for items in parts_of]
        return [parts] if min(counts) >= 2 and sum(counts) >= FEWEST_OF_A_LABEL else None
    if np.bincount(labels, minlength=2).min() < FEWEST_OF_A_LABEL:
        return None
    if chosen_folds(n, labels, groups, CROSS_FIT_BELOW_ITEMS) < CROSS_FIT_FOLDS:
        return None
    return cross_fit_parts(n, labels, CROSS_FIT_FOLDS, seed, groups)


def _read_label(
    name: str,
    rows: NDArray[Any],
    labels: NDArray[np.int64],
    parts: Sequence[Parts],
    settings: MeasureSettings,
) -> _OneLabel:
    fitted = ClassPosterior(seed=settings.seed).fit(rows, labels, list(parts))
    found = pointwise_of_labels(fitted, rows, labels)
    order = np.argsort(found.rows, kind="stable")
    nats, own = found.nats[order], labels[found.rows[order]]
    share = np.bincount(labels, minlength=2) / len(labels)
    of_own = np.exp(nats) * share[own]
    probability = np.where(own == 1, of_own, 1 - of_own)
    known = Reading.of(fitted.label_information_, nats - nats.mean())
    read = OneTarget(
        name,
        {"i_target": fitted.label_information_, "i_class": fitted.dv_estimate_},
        {
            "average_precision": float(average_precision_score(own, probability)),
            "prevalence": float(own.mean()),
        },
    )
    return _OneLabel(read, nats, known.unseen)


def _all_together(
    each: Sequence[_OneLabel],
    table: NDArray[np.int64],
    items: NDArray[np.int64],
    groups: NDArray[np.int64] | None,
    settings: MeasureSettings,
) -> tuple[Estimate, NDArray[np.float64]]:
    """Bound what all labels share with the features: the estimate, and the influence of items or groups."""
    combinations, counts = _combinations(table)
    n = len(table)
    shares = table.mean(axis=0)
    log_apart = np.where(table == 1, np.log(shares), np.log1p(-shares)).sum(axis=1)
    # What labels say of each other, item by item: its mean is their total correlation.
    dependence = (np.log(counts[combinations] / n) - log_apart)[items]
    values = np.sum([one.nats for one in each], axis=0) - dependence
    nats = float(values.mean())
    reading = Reading(nats, values - nats, sum(one.unseen for one in each)).by_group(
        None if groups is None else np.unique(groups[items], return_inverse=True)[1]
    )
    entropy = float(-(counts / n * np.log(counts / n)).sum())
    of_labels = [one.read.estimates["i_target"] for one in each]
    correlation = float(dependence.mean())
    null = sum(one.null_nats or 0.0 for one in of_labels) - correlation
    interval = two_sided(nats, reading.stderr)
    return (
        Estimate(
            "labels_less_dependence",
            "lower bound",
            nats,
            reading.stderr,
            interval,
            entropy_nats=entropy,
            null_nats=null,
            n_train=of_labels[0].n_train,
            n_select=of_labels[0].n_select,
            n_report=len(items),
            seconds=sum(one.seconds for one in of_labels),
            settings={
                "seed": settings.seed,
                "labels": len(each),
                "combinations": len(counts),
                "grouped_as": grouped_as(groups),
                "sum_of_labels_nats": sum(one.nats for one in of_labels),
                "total_correlation_nats": correlation,
            },
            warnings=tuple(_warnings(interval.low, n, len(counts))),
        ),
        reading.influence,
    )


def _combinations(table: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the number of every item's combination, shape (n,), and how often each occurs."""
    _, number, counts = np.unique(table, axis=0, return_inverse=True, return_counts=True)
    return number.reshape(-1), counts


def _warnings(low: float, n: int, combinations: int) -> list[EstimateWarning]:
    found = []
    if n < FEWEST_PER_COMBINATION * combinations:
        found.append(
            EstimateWarning(
                "undersampled",
                f"{combinations:,} combinations of labels among {n:,} items: their dependence is"
                " overestimated, and the bound of all labels together is low by as much",
                "look at the labels one by one, or name fewer",
            )
        )
    if low <= 0:
        found.append(
            EstimateWarning(
                "indistinguishable_from_zero",
                "the interval of all labels together does not lie above 0",
                "look at the labels one by one, or add items",
            )
        )
    return found
