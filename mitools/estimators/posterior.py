"""A calibrated class posterior p(c|x): fitted on train, chosen and calibrated on select."""

import warnings
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from mitools.errors import InputError

INVERSE_PENALTIES = tuple(10.0**k for k in range(-5, 3))
"""Values of scikit-learn's C that are tried in turn, from the strongest regularisation on."""

LARGEST_SHARPNESS = 16.0


class CalibratedPosterior(BaseEstimator):
    """Class probabilities that can be believed, from any scikit-learn classifier.

    The default classifier is multinomial logistic regression on standardised features. Its
    regularisation is chosen on *select* by walking from the strongest value on, each fit starting from
    the last, until the calibrated cross-entropy rises; so it holds for fewer items than dimensions, and
    where there is nothing to learn it stops at once.

    Any classifier's probabilities are then calibrated on *select* by one number, the sharpness b (an
    inverse temperature), and moved to the prior pi that is meant:
    ``p(c|x) ~ pi_c (p_fit(c|x) / p_fit(c))^b``. At b = 0 that is pi itself. Last, pi is mixed in with
    weight 1 / (n_select + 2): what n_select items never showed wrong cannot be known to be rarer.

    Parameters
    ----------
    classifier
        With ``fit`` and ``predict_proba``; the default when None.
    seed
        For classifiers that draw random numbers.

    Attributes
    ----------
    inverse_penalty_
        The chosen C, or None with a classifier of the caller's.
    sharpness_
        The calibrated b.
    prior_
        Shape (C,).
    """

    def __init__(self, classifier: ClassifierMixin | None = None, seed: int = 0) -> None:
        self.classifier = classifier
        self.seed = seed

    def fit(
        self,
        train: NDArray[np.float32],
        train_labels: NDArray[np.int64],
        select: NDArray[np.float32],
        select_labels: NDArray[np.int64],
        prior: NDArray[np.float64],
    ) -> Self:
        """Fit on *train*, then choose and calibrate on *select*.

        Parameters
        ----------
        train, select
            Shapes (n_train, d) and (n_select, d).
        train_labels, select_labels
            0..C-1; every class occurs in both.
        prior
            Shape (C,), the class distribution that is meant.

        Raises
        ------
        InputError
            When the classifier does not give a probability for every class.
        """
        self.prior_ = prior
        self.mean_ = train.mean(axis=0)
        scale = train.std(axis=0)
        self.scale_ = np.where(scale > 0, scale, 1)
        self._log_odds_shift = np.log(np.bincount(train_labels, minlength=len(prior)) / len(train_labels))
        self._floor = 1 / (len(select_labels) + 2)
        # Weights that restore the prior, whatever the class counts in select.
        weights = (prior / np.bincount(select_labels, minlength=len(prior)))[select_labels]
        train, select = self._standardised(train), self._standardised(select)
        if self.classifier is not None:
            self.inverse_penalty_ = None
            self.fitted_ = _seeded(self.classifier, self.seed).fit(train, train_labels)
            self.sharpness_, _ = self._calibrate(self.fitted_, select, select_labels, weights)
            return self

        best, start = np.inf, None
        for inverse_penalty in INVERSE_PENALTIES:
            candidate = _logistic(train, train_labels, inverse_penalty, start)
            sharpness, loss = self._calibrate(candidate, select, select_labels, weights)
            if loss >= best:
                break
            best, start = loss, candidate
            self.fitted_, self.sharpness_, self.inverse_penalty_ = candidate, sharpness, inverse_penalty
        return self

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Give the classifier's own decisions, shape (n,): those of a linear probe, by default."""
        return np.asarray(self.fitted_.predict(self._standardised(features)), dtype=np.int64)

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the calibrated posterior under the prior that is meant, shape (n, C)."""
        evidence = self._evidence(self.fitted_, self._standardised(features))
        return self._mixed(log_softmax(self.sharpness_ * evidence + np.log(self.prior_), axis=1))

    def _standardised(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        return ((features - self.mean_) / self.scale_).astype(np.float32)

    def _evidence(self, model: Any, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Log p_fit(c|x) / p_fit(c), shape (n, C)."""
        if isinstance(model, LogisticRegression):
            scores = model.decision_function(standardised)
            if scores.ndim == 1:
                scores = np.stack([np.zeros_like(scores), scores], axis=1)
            log_p = log_softmax(scores, axis=1)
        else:
            log_p = np.log(np.clip(model.predict_proba(standardised), 1e-12, None))
        if log_p.shape[1] != len(self.prior_):
            raise InputError(
                f"the classifier gives {log_p.shape[1]} probabilities a row for {len(self.prior_)} classes"
            )
        return (log_p - self._log_odds_shift).astype(np.float32)

    def _calibrate(
        self,
        model: Any,
        select: NDArray[np.float32],
        labels: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> tuple[float, float]:
        """Return the sharpness with the least cross-entropy on select, and that cross-entropy in nats."""
        evidence, log_prior = self._evidence(model, select), np.log(self.prior_).astype(np.float32)
        rows = np.arange(len(labels))

        def loss(sharpness: float) -> float:
            own = log_softmax(np.float32(sharpness) * evidence + log_prior, axis=1)[rows, labels]
            return float(
                -(weights * np.log((1 - self._floor) * np.exp(own) + self._floor * self.prior_[labels])).sum()
            )

        # The lower end is a prior without any evidence: where there is nothing to learn, it wins.
        found = minimize_scalar(
            loss, bounds=(0.0, LARGEST_SHARPNESS), method="bounded", options={"xatol": 1e-3}
        )
        return min(((float(found.x), float(found.fun)), (0.0, loss(0.0))), key=lambda pair: pair[1])

    def _mixed(self, log_p: NDArray[np.float32]) -> NDArray[np.float32]:
        return ((1 - self._floor) * np.exp(log_p) + self._floor * self.prior_).astype(np.float32)


def _seeded(classifier: Any, seed: int) -> Any:
    copied = clone(classifier)
    return copied.set_params(random_state=seed) if "random_state" in copied.get_params() else copied


def _logistic(
    features: NDArray[np.float32],
    labels: NDArray[np.int64],
    inverse_penalty: float,
    start: LogisticRegression | None,
) -> LogisticRegression:
    """Fit multinomial logistic regression from another fit's weights on."""
    # The gradient of a mean over C classes shrinks like 1 / C, and so must the tolerance on it.
    tolerance = min(1e-4, 0.02 / (labels.max() + 1))
    model = LogisticRegression(C=inverse_penalty, tol=tolerance, max_iter=200, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start.coef_, start.intercept_
    with warnings.catch_warnings():
        # An unfinished fit is still a valid critic, and select judges it like any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(features, labels)
