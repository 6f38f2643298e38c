"""How many labels a linear classifier on frozen features needs."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from mitools.core.errors import InputError

MOST_ITERATIONS = 500


class LabelledRows(NamedTuple):
    """Features, shape (n, d), and their labels, shape (n,)."""

    rows: NDArray[np.floating]
    labels: NDArray[np.int64]


def few_label_accuracy(
    pool: LabelledRows, test: LabelledRows, labels_a_class: Sequence[int], draws: int, seed: int = 0
) -> dict[int, float]:
    """Fit linear classifiers to few labels a class, and read them on other items.

    Features are brought to mean 0 and variance 1 over the pool, which needs no labels; the classifier is
    logistic regression with scikit-learn's penalty of 1, as few labels leave none to choose it by.

    Parameters
    ----------
    pool
        Of which the labelled items are drawn.
    test
        What the classifiers are read on.
    labels_a_class
        How many labels of every class.
    draws
        How many times the labelled items are drawn anew.
    seed
        Of the draws.

    Returns
    -------
    dict
        By the number of labels the mean share of `test` that is right.

    Raises
    ------
    InputError
        When the pool has too few items of a class.

    Examples
    --------
    >>> labels = np.arange(200) % 2
    >>> rows = np.eye(2)[labels]
    >>> few_label_accuracy(LabelledRows(rows, labels), LabelledRows(rows, labels), [1], draws=2)
    {1: 1.0}
    """
    counts = np.bincount(pool.labels, minlength=int(test.labels.max()) + 1)
    if counts.min() < max(labels_a_class):
        raise InputError(
            f"the pool has {counts.min()} items of class {counts.argmin()}, and {max(labels_a_class)} labels"
            " a class are asked for; give a larger pool"
        )
    mean, deviation = pool.rows.mean(axis=0), pool.rows.std(axis=0) + 1e-8
    rows, tested = ((part.rows - mean) / deviation for part in (pool, test))
    found = {}
    for count in labels_a_class:
        rng = np.random.default_rng([seed, count])
        right = []
        for _ in range(draws):
            chosen = _draw(pool.labels, count, rng)
            classifier = LogisticRegression(max_iter=MOST_ITERATIONS).fit(rows[chosen], pool.labels[chosen])
            right.append((classifier.predict(tested) == test.labels).mean())
        found[count] = float(np.mean(right))
    return found


def _draw(labels: NDArray[np.int64], count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw so many items of every class."""
    shuffled = rng.permutation(len(labels))
    by_class = shuffled[np.argsort(labels[shuffled], kind="stable")]
    starts = np.searchsorted(labels[by_class], np.unique(labels))
    chosen: NDArray[np.int64] = by_class[(starts[:, None] + np.arange(count)).ravel()]
    return chosen
