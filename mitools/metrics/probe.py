"""Linear probe: what a linear classifier gets right on the report part, or on data of their own."""

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.inputs.class_prior import class_prior
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.inputs.validation import same_length


def linear_probe(features: NDArray[np.float32], labels: NDArray[np.int64], parts: Parts) -> float:
    """Accuracy of multinomial logistic regression on frozen features.

    The regularisation is picked on *select*, as for the certificate: it is the same classifier, and
    :attr:`mitools.estimators.class_information.certificate.ClassPosterior.accuracy_` is this number
    without a second fit.

    Parameters
    ----------
    features
        Shape (n, d).
    labels
        Shape (n,), 0..C-1.
    parts
        The split of the items.

    Returns
    -------
    float
        The share of *report* that is classified right.
    """
    train, select, report = parts.train, parts.select, parts.report
    rows = RowTable.of(features)
    classifier = CalibratedPosterior().fit(
        rows.at(train), labels[train], rows.at(select), labels[select], class_prior(labels)
    )
    return float((classifier.predict(rows.at(report)) == labels[report]).mean())


def linear_probe_on_test(
    train: NDArray[np.floating],
    train_labels: NDArray[np.int64],
    test: NDArray[np.floating],
    test_labels: NDArray[np.int64],
    seed: int = 0,
    groups: Groups | None = None,
) -> NDArray[np.bool_]:
    """Fit the classifier of :func:`linear_probe` to one data set and read it on another: official parts.

    15% of *train* pick the regularisation and calibrate; the classifier is fitted to all other rows of it.

    Parameters
    ----------
    train, test
        Shapes (n_train, d) and (n_test, d).
    train_labels, test_labels
        Shapes (n_train,) and (n_test,), 0..C-1; every class occurs in *train*, five times or more.
    seed
        Of the rows that pick the regularisation.
    groups
        Shape (n_train,): which rows of *train* depend on each other.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n_test,): which rows are classified right; the mean is the accuracy.

    Raises
    ------
    InputError
        When lengths or widths differ, *test* has another class, or a class of *train* is too small.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(200) % 2
    >>> rows = labels[:, None] + 0.1 * rng.standard_normal((200, 3))
    >>> float(linear_probe_on_test(rows[:100], labels[:100], rows[100:], labels[100:]).mean())
    1.0
    """
    check_train_and_test(train, train_labels, test, test_labels)
    parts = split(len(train), train_labels, seed, groups)
    fitted = np.sort(np.concatenate([parts.train, parts.report]))
    rows = RowTable.of(train)
    classifier = CalibratedPosterior(seed=seed).fit(
        rows.at(fitted),
        train_labels[fitted],
        rows.at(parts.select),
        train_labels[parts.select],
        class_prior(train_labels),
        parts.groups_of(parts.select),
    )
    return np.asarray(classifier.predict(RowTable.of(test)) == test_labels)


def check_train_and_test(
    train: NDArray[np.floating],
    train_labels: NDArray[np.int64],
    test: NDArray[np.floating],
    test_labels: NDArray[np.int64],
) -> None:
    """Refuse parts that do not go together.

    Raises
    ------
    InputError
        When lengths or widths differ, or *test* has another class.
    """
    same_length(len(train), len(train_labels), "train", "train_labels")
    same_length(len(test), len(test_labels), "test", "test_labels")
    if train.shape[1:] != test.shape[1:]:
        raise InputError(f"train has rows of {train.shape[1:]} numbers and test of {test.shape[1:]}")
    if test_labels.max(initial=0) > train_labels.max(initial=0):
        raise InputError(f"test has class {test_labels.max()}, which train lacks")
