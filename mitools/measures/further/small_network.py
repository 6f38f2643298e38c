"""A network of one hidden layer as a classifier of scikit-learn, stopped by its loss on rows held out."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.neural_network import MLPClassifier

from mitools.core.errors import InputError

HELD_OUT = 0.1
"""Share of the rows that say when to stop."""

RATE = 3e-3
"""Of Adam."""

EPOCHS, PATIENCE, LEAST_GAIN = 200, 10, 1e-3
"""Passes at the most. After so many without a loss that is lower by this many nats, no more is gained."""


class SmallNetwork(ClassifierMixin, BaseEstimator):
    """A network of one hidden layer, taken after the epoch of the least cross-entropy on rows held out.

    scikit-learn's own stops by accuracy. Where classes are told apart early, that is long before the network
    is sure of them, and an information is read off how sure it is. The rows held out are a random part: of
    rows that depend on each other some are fitted to, so that it stops late, and reads less.

    Parameters
    ----------
    hidden
        Units.
    random_state
        Seed of the rows held out, the first weights and the batches.

    Attributes
    ----------
    classes_
        The labels, sorted.

    Examples
    --------
    >>> corners = np.random.default_rng(0).integers(0, 2, (400, 2))
    >>> network = SmallNetwork(16, random_state=0).fit(2.0 * corners - 1, corners.sum(axis=1) % 2)
    >>> network.predict_proba([[1, -1]]).round(1).tolist()
    [[0.0, 1.0]]
    """

    def __init__(self, hidden: int, random_state: int | None = None) -> None:
        self.hidden = hidden
        self.random_state = random_state

    def fit(self, rows: NDArray[Any], labels: NDArray[np.int64]) -> Self:
        """Fit to rows, shape (n, d), and their labels.

        Raises
        ------
        InputError
            When there are fewer than two rows, or no loss is finite.
        """
        if len(rows) < 2:
            raise InputError("a network needs two rows or more to fit to; one is held out")
        self.classes_, own = np.unique(labels, return_inverse=True)
        order = np.random.default_rng(self.random_state).permutation(len(rows))
        held, fitted = np.split(order, [max(1, int(HELD_OUT * len(rows)))])
        self._network = MLPClassifier((self.hidden,), random_state=self.random_state, learning_rate_init=RATE)
        least, waited = np.inf, 0
        best: list[list[NDArray[np.float64]]] = []
        for _ in range(EPOCHS):
            self._network.partial_fit(rows[fitted], own[fitted], classes=np.arange(len(self.classes_)))
            p = self._network.predict_proba(rows[held])[np.arange(len(held)), own[held]]
            loss = -float(np.log(np.maximum(p, np.finfo(p.dtype).tiny)).mean())
            waited = 0 if loss < least - LEAST_GAIN else waited + 1
            if loss < least:
                weights = self._network.coefs_, self._network.intercepts_
                least, best = loss, [[one.copy() for one in group] for group in weights]
            if waited == PATIENCE:
                break
        if not best:
            raise InputError("the network's loss is not finite; bring the features to a smaller scale")
        self._network.coefs_, self._network.intercepts_ = best
        return self

    def predict_proba(self, rows: NDArray[Any]) -> NDArray[np.float64]:
        """Give class probabilities, shape (n, C)."""
        return np.asarray(self._network.predict_proba(rows))

    def predict(self, rows: NDArray[Any]) -> NDArray[Any]:
        """Give the likeliest class of every row."""
        return np.asarray(self.classes_[self.predict_proba(rows).argmax(axis=1)])
