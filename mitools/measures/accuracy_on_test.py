"""Linear accuracy on items of their own, such as the official test part of a data set."""

from collections.abc import Sequence
from typing import Any

from scipy.stats import binomtest

from mitools.core.errors import InputError
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.estimators.inputs.groups import Groups
from mitools.features.extract import Features
from mitools.measures.item_split import groups_record
from mitools.metrics.knn import knn_accuracy
from mitools.metrics.probe import linear_probe_on_test
from mitools.metrics.protocols.sgd_linear import sgd_linear_on_test

TEST_ACCURACY = "linear_test_acc"
"""The column; ``_low`` and ``_high`` are its interval, and ``n_test`` counts the items."""

SGD_ACCURACY = "sgd_test_acc"
"""The column of a classifier trained by SGD, with ``_low`` and ``_high``."""


def kept_test_accuracy(
    store: ResultStore, train: Features, test: Features, seed: int, groups: Groups | None, task: Any = None
) -> Values:
    """Fit a linear classifier to all items of one data set, and read it on those of another.

    Parameters
    ----------
    store
        Where results are kept.
    train, test
        Features by one encoder; labels count alike in both.
    seed
        Of the training items that pick the regularisation.
    groups
        Shape (n_train,): which training items depend on each other.
    task
        Whose labels these are, where they are not the data's own.

    Returns
    -------
    dict
        :data:`TEST_ACCURACY` with ``_low`` and ``_high``, ``n_test``, and the ``seconds`` it took.

    Raises
    ------
    InputError
        As :func:`mitools.metrics.probe.linear_probe_on_test`.
    """

    def compute() -> Values:
        right = linear_probe_on_test(
            train.values[:, 0], train.labels, test.values[:, 0], test.labels, seed, groups
        )
        return {"right": int(right.sum()), "n": len(right)}

    on = {"train": train.key, "test": test.key, "task": task, "seed": seed}
    values = store.cell("linear test", on | groups_record(groups), compute)
    columns = accuracy_columns(TEST_ACCURACY, values["right"], values["n"])
    return {**columns, "n_test": values["n"], "seconds": values["seconds"]}


def kept_sgd_accuracy(
    store: ResultStore, train: Features, test: Features, schedule: str, seed: int, device: str = "cpu"
) -> Values:
    """Train a linear classifier by SGD on the items of one data set, and read it on those of another.

    Parameters
    ----------
    store, train, test
        As for :func:`kept_test_accuracy`.
    schedule
        A name of :data:`mitools.metrics.protocols.sgd_linear.SCHEDULES`.
    seed
        Of the first weights and the order of items.
    device
        Where to train.

    Returns
    -------
    dict
        :data:`SGD_ACCURACY` with ``_low`` and ``_high``, and the ``seconds`` it took.

    Raises
    ------
    InputError
        As :func:`mitools.metrics.protocols.sgd_linear.sgd_linear_on_test`.
    """

    def compute() -> Values:
        right = sgd_linear_on_test(
            train.values[:, 0], train.labels, test.values[:, 0], test.labels, schedule, seed, device
        )
        return {"right": int(right.sum()), "n": len(right)}

    on = {"train": train.key, "test": test.key, "schedule": schedule, "seed": seed}
    values = store.cell("sgd test", on, compute)
    return {**accuracy_columns(SGD_ACCURACY, values["right"], values["n"]), "seconds": values["seconds"]}


def kept_nearest_accuracy(
    store: ResultStore, train: Features, test: Features, neighbours: Sequence[int], task: Any = None
) -> Values:
    """Classify the items of one data set by the vote of their nearest ones of another.

    Parameters
    ----------
    store, train, test, task
        As for :func:`kept_test_accuracy`.
    neighbours
        Numbers K of neighbours.

    Returns
    -------
    dict
        For every K ``knnK_test_acc`` with ``_low`` and ``_high``, and the ``seconds`` it took.

    Raises
    ------
    InputError
        As :func:`mitools.metrics.knn.knn_accuracy`.
    """

    def compute() -> Values:
        found = knn_accuracy(train.values[:, 0], train.labels, test.values[:, 0], test.labels, neighbours)
        return {str(k): round(share * len(test.labels)) for k, share in found.items()}

    on = {"train": train.key, "test": test.key, "task": task, "neighbours": list(neighbours)}
    values = store.cell("nearest test", on, compute)
    columns: Values = {"seconds": values["seconds"]}
    for k in neighbours:
        columns |= accuracy_columns(f"knn{k}_test_acc", values[str(k)], len(test.labels))
    return columns


def require_test_part(data: LabelledData, test: LabelledData) -> None:
    """Refuse a test part of other classes, or one that is the data themselves.

    Raises
    ------
    InputError
        With what to name instead.
    """
    if list(test.classes) != list(data.classes):
        raise InputError(
            f"the test data {test.name} have other classes than {data.name}; name both with classes="
        )
    if test.digest == data.digest:
        raise InputError(f"the test data are {data.name} themselves; name other items")


def accuracy_columns(name: str, right: int, n: int) -> dict[str, float]:
    """Lay out an accuracy as ``NAME``, and Wilson's interval for n independent trials around it."""
    low, high = binomtest(right, n).proportion_ci(method="wilson")
    return {name: right / n, f"{name}_low": float(low), f"{name}_high": float(high)}
