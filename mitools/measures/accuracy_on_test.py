"""Linear accuracy on items of their own, such as the official test part of a data set."""

from typing import Any

from scipy.stats import binomtest

from mitools.core.errors import InputError
from mitools.core.result_store import ResultStore, Values
from mitools.datasets.base import LabelledData
from mitools.estimators.inputs.groups import Groups
from mitools.features.extract import Features
from mitools.measures.item_split import groups_record
from mitools.metrics.probe import linear_probe_on_test

TEST_ACCURACY = "linear_test_acc"
"""The column; ``_low`` and ``_high`` are its interval, and ``n_test`` counts the items."""


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
        Shape (n_train,): which training items know each other.
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
