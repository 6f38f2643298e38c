"""Logistic regression whose scores of all rows and classes are never held together."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from mitools.estimators.array_types import Doubles, Singles
from mitools.estimators.inputs.row_table import NUMBERS_NEAR

FEWEST_ROWS = 128
"""Rows of a block at the least: the gradient of all classes is added up once a block, whatever its size."""


def fit_blockwise(
    model: LogisticRegression, features: Singles, labels: NDArray[np.int64], classes: int
) -> LogisticRegression:
    """Do what the model's own ``fit`` does for three classes or more, a block of rows at a time.

    The objective, its solver and the rule for stopping are scikit-learn's; scores are worked out,
    exponentiated and summed in single precision while they are near the processor, which is faster.

    Parameters
    ----------
    model
        With an L2 penalty, and with ``coef_`` and ``intercept_`` where the fit starts from another's weights.
    features
        Shape (n, d).
    labels
        Shape (n,), 0..C-1.
    classes
        C, three or more.

    Returns
    -------
    LogisticRegression
        The model, fitted.
    """
    width = features.shape[1]
    weights = np.zeros((classes, width + 1))
    if hasattr(model, "coef_"):
        weights[:, :-1], weights[:, -1] = model.coef_, model.intercept_
    objective = _Objective(features, labels, classes, 1 / (model.C * len(labels)))
    found: Any = minimize(
        objective,
        weights.ravel(),
        method="L-BFGS-B",
        jac=True,
        options={"maxiter": model.max_iter, "maxls": 50, "gtol": model.tol, "ftol": 64 * np.finfo(float).eps},
    )
    weights = found.x.reshape(weights.shape).astype(np.float32)
    model.coef_, model.intercept_ = np.ascontiguousarray(weights[:, :-1]), weights[:, -1].copy()
    model.classes_, model.n_features_in_ = np.arange(classes), width
    model.n_iter_ = np.array([found.nit], dtype=np.int32)
    return model


class _Objective:
    """Mean cross-entropy of the rows and half the squared weights times the penalty, with the gradient."""

    def __init__(self, features: Singles, labels: NDArray[np.int64], classes: int, penalty: float) -> None:
        self.features, self.labels, self.classes, self.penalty = features, labels, classes, penalty
        width = features.shape[1]
        near = NUMBERS_NEAR // max(classes, width)
        self._rows_at_once = min(len(labels), max(near, FEWEST_ROWS))
        self._scores = np.empty((self._rows_at_once, classes), dtype=np.float32)
        self._part = np.empty((classes, width), dtype=np.float32)

    def __call__(self, flat: Doubles) -> tuple[float, Doubles]:
        n, width = self.features.shape
        weights = flat.reshape(self.classes, width + 1)
        slopes = np.ascontiguousarray(weights[:, :-1].T, dtype=np.float32)
        intercepts = weights[:, -1].astype(np.float32)
        of_slopes, of_intercepts, loss = np.zeros((self.classes, width)), np.zeros(self.classes), 0.0
        for start in range(0, n, self._rows_at_once):
            rows, own = (each[start : start + self._rows_at_once] for each in (self.features, self.labels))
            scores, places = self._scores[: len(rows)], np.arange(len(rows))
            np.matmul(rows, slopes, out=scores)
            scores += intercepts
            scores -= scores.max(axis=1, keepdims=True)
            own_scores = scores[places, own]
            sums = np.exp(scores, out=scores).sum(axis=1, keepdims=True)
            loss += float((np.log(sums[:, 0]) - own_scores).sum(dtype=np.float64))
            scores /= sums
            scores[places, own] -= 1
            of_slopes += np.matmul(scores.T, rows, out=self._part)
            of_intercepts += scores.sum(axis=0)
        gradient = np.column_stack([of_slopes, of_intercepts]) / n
        gradient[:, :-1] += self.penalty * weights[:, :-1]
        return loss / n + self.penalty / 2 * float(np.square(weights[:, :-1]).sum()), gradient.ravel()
