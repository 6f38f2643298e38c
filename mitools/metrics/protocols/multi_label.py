"""Frozen features on data of several labels an item, by linear SVMs: the protocol of VOC07 classification."""

import warnings
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import same_length
from mitools.metrics.protocols.average_precision import Rule, average_precision

COSTS = tuple(10.0**k for k in range(-7, 3))
"""Values of an SVM's C that are tried; Goyal et al. try powers of two from 2^-19 to 2^-4 as well."""

FOLDS = 3
"""Of the cross-validation of C."""

WEIGHT_OF_POSITIVES = 2.0
"""How much more an item that has the label counts in the loss than one that lacks it."""

MOST_PASSES = 2000

ROWS_AT_ONCE = 8192

Floats = NDArray[np.float64]


class MultiLabelReading(NamedTuple):
    """What SVMs read of every label.

    Attributes
    ----------
    mean_average_precision
        Over the labels.
    average_precisions, costs
        Shape (C,): on the test items; the C that cross-validation chose.
    """

    mean_average_precision: float
    average_precisions: Floats
    costs: Floats


def svm_on_test(
    train: NDArray[np.floating],
    train_targets: ArrayLike,
    test: NDArray[np.floating],
    test_targets: ArrayLike,
    rule: Rule = "eleven_points",
    costs: Sequence[float] = COSTS,
    seed: int = 0,
) -> MultiLabelReading:
    """Fit a linear SVM a label on one data set, and rank the items of another by each.

    Rows are brought to length 1. C is the one of the highest average precision in three-fold cross-validation
    on *train*, a label at a time; the SVM (squared hinge, L2) is then fitted to all of *train*.

    Parameters
    ----------
    train, test
        Shapes (n_train, d) and (n_test, d).
    train_targets, test_targets
        Shapes (n_train, C) and (n_test, C): 1 where an item has a label, 0 where it lacks it, -1 where that
        is not counted, such as VOC's "difficult": the item is left out for this label alone.
    rule
        See :func:`mitools.metrics.protocols.average_precision.average_precision`; VOC07's own by default.
    costs
        Values of C to choose from.
    seed
        Of the folds and of the solver.

    Raises
    ------
    InputError
        When shapes do not fit, values are not finite, targets are others than 1, 0 and -1, a label has fewer
        than three positive or three negative training items, or no positive test item.

    References
    ----------
    Goyal et al., "Scaling and Benchmarking Self-Supervised Visual Representation Learning", ICCV 2019; Misra
    and van der Maaten, "Self-Supervised Learning of Pretext-Invariant Representations", CVPR 2020, whom Niu
    et al. 2024 follow.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> targets = rng.integers(0, 2, (200, 3))
    >>> rows = 2 * targets - 1 + 0.1 * rng.standard_normal((200, 3))
    >>> svm_on_test(rows[:100], targets[:100], rows[100:], targets[100:]).mean_average_precision > 0.99
    True
    """
    of_train, of_test = _targets(train_targets, "train_targets"), _targets(test_targets, "test_targets")
    same_length(len(train), len(of_train), "train", "train_targets")
    same_length(len(test), len(of_test), "test", "test_targets")
    if train.shape[1:] != test.shape[1:] or of_train.shape[1] != of_test.shape[1]:
        raise InputError(
            f"train has rows of {train.shape[1:]} numbers and {of_train.shape[1]} labels, test of"
            f" {test.shape[1:]} and {of_test.shape[1]}"
        )
    rows, tested = _unit(train, "train"), _unit(test, "test")
    precisions, chosen = [], []
    for label in range(of_train.shape[1]):
        counted, read = of_train[:, label] >= 0, of_test[:, label] >= 0
        has, truth = of_train[counted, label] == 1, of_test[read, label] == 1
        _check_label(label, has, truth)
        cost = _best_cost(rows[counted], has, costs, rule, seed)
        fitted = _fitted(rows[counted], has, cost, seed)
        precisions.append(average_precision(fitted.decision_function(tested[read]), truth, rule))
        chosen.append(cost)
    return MultiLabelReading(float(np.mean(precisions)), np.array(precisions), np.array(chosen))


def _best_cost(
    rows: NDArray[np.float32], has: NDArray[np.bool_], costs: Sequence[float], rule: Rule, seed: int
) -> float:
    """Choose C by the mean average precision of held-out folds; of equal ones the smallest."""
    folds = list(StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(rows, has))
    scores = [
        np.mean(
            [
                average_precision(
                    _fitted(rows[kept], has[kept], cost, seed).decision_function(rows[held]), has[held], rule
                )
                for kept, held in folds
            ]
        )
        for cost in sorted(costs)
    ]
    return sorted(costs)[int(np.argmax(scores))]


def _fitted(rows: NDArray[np.float32], has: NDArray[np.bool_], cost: float, seed: int) -> LinearSVC:
    model = LinearSVC(
        C=cost,
        class_weight={True: WEIGHT_OF_POSITIVES, False: 1.0},
        max_iter=MOST_PASSES,
        random_state=seed,
        dual="auto",
    )
    with warnings.catch_warnings():
        # A ranking hardly changes over the last passes; a C that needs more of them is rarely the best.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(rows, has)


def _targets(targets: ArrayLike, name: str) -> NDArray[np.int64]:
    found = np.asarray(targets)
    if found.ndim != 2 or not np.isin(found, (-1, 0, 1)).all():
        raise InputError(
            f"{name} must be a table (n, labels) of 1 (has it), 0 (lacks it) and -1 (not counted), not"
            f" {found.dtype} of shape {found.shape}"
        )
    return found.astype(np.int64)


def _check_label(label: int, has: NDArray[np.bool_], truth: NDArray[np.bool_]) -> None:
    least = min(int(has.sum()), int((~has).sum()))
    if least < FOLDS:
        raise InputError(
            f"label {label}: {int(has.sum())} of {len(has)} training items have it; {FOLDS} folds need"
            f" {FOLDS} that have it and {FOLDS} that lack it, so leave the label out"
        )
    if not truth.any():
        raise InputError(f"label {label}: no test item has it; leave the label out")


def _unit(rows: NDArray[np.floating], name: str) -> NDArray[np.float32]:
    """Bring rows to length 1, a part of them at a time; a row of zeros stays."""
    unit = np.empty(rows.shape, dtype=np.float32)
    for k in range(0, len(rows), ROWS_AT_ONCE):
        part = np.asarray(rows[k : k + ROWS_AT_ONCE], dtype=np.float64)
        if not np.isfinite(part).all():
            raise InputError(f"{name} has values that are not finite")
        unit[k : k + ROWS_AT_ONCE] = part / np.maximum(np.linalg.norm(part, axis=1, keepdims=True), 1e-12)
    return unit
