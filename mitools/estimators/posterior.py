"""A calibrated class posterior p(c|x): fitted on train, chosen and calibrated on select."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from mitools.errors import InputError
from mitools.estimators.arrays import location_and_scale
from mitools.estimators.cautions import LEARNT_FROM

INVERSE_PENALTIES = tuple(10.0**k for k in range(-5, 3))
"""Values of scikit-learn's C, from the strongest regularisation on."""

LARGEST_SHARPNESS = 16.0

SMALLEST_PROBABILITY = 1e-12
"""Stands for the zeros that votes of neighbours and trees give."""


class _Calibration(NamedTuple):
    """A sharpness, its cross-entropy on select in nats, and whether that beats the prior's beyond chance."""

    sharpness: float
    loss: float
    learnt: bool


class CalibratedPosterior(BaseEstimator):
    """Class probabilities that can be believed, from any scikit-learn classifier.

    The default classifier is multinomial logistic regression. Its regularisation is chosen on *select* by
    walking from the strongest value on, each fit starting from the last, until something has been learnt
    and the calibrated cross-entropy rises again; so it holds for fewer items than dimensions, and also
    where what tells the classes apart is small beside what they share.

    Every classifier sees standardised features. Its probabilities are then calibrated on *select* by one
    number, the sharpness b (an inverse temperature), and moved to the prior pi that is meant:
    ``p(c|x) ~ pi_c (p_fit(c|x) / p_fit(c))^b``. At b = 0 that is pi itself. Last, pi is mixed in with
    weight 1 / (n_select + 2): what n_select items never showed wrong cannot be known to be rarer.

    Parameters
    ----------
    classifier
        With ``fit`` and ``predict_proba``; the default when None.
    seed
        For classifiers that draw random numbers.
    inverse_penalties
        Values of scikit-learn's C that the default classifier tries, from the strongest regularisation on.

    Attributes
    ----------
    inverse_penalty_
        The chosen C, or None with a classifier of the caller's.
    sharpness_
        The calibrated b.
    prior_
        Shape (C,).
    """

    def __init__(
        self,
        classifier: ClassifierMixin | None = None,
        seed: int = 0,
        inverse_penalties: Sequence[float] = INVERSE_PENALTIES,
    ) -> None:
        self.classifier = classifier
        self.seed = seed
        self.inverse_penalties = inverse_penalties

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
            When the classifier gives no probabilities, or not one for every class.
        """
        self.prior_ = prior
        self.mean_, self.scale_ = location_and_scale(train)
        self._log_odds_shift = np.log(np.bincount(train_labels, minlength=len(prior)) / len(train_labels))
        self._floor = 1 / (len(select_labels) + 2)
        # Weights that restore the prior, whatever the class counts in select.
        weights = (prior / np.bincount(select_labels, minlength=len(prior)))[select_labels]
        train, select = self._standardised(train), self._standardised(select)
        if self.classifier is not None:
            if not hasattr(self.classifier, "predict_proba"):
                raise InputError(
                    f"{type(self.classifier).__name__} gives no class probabilities; take a classifier with"
                    " predict_proba, or wrap it in CalibratedClassifierCV"
                )
            self.inverse_penalty_ = None
            self.fitted_ = _seeded(self.classifier, self.seed).fit(train, train_labels)
            self.sharpness_ = self._calibrate(self.fitted_, select, select_labels, weights).sharpness
            return self

        best, model = None, None
        for inverse_penalty in self.inverse_penalties:
            model = _logistic(train, train_labels, inverse_penalty, start=model)
            found = self._calibrate(model, select, select_labels, weights)
            if best is None or found.loss < best.loss:
                best, self.fitted_, self.inverse_penalty_ = found, model, inverse_penalty
                self.sharpness_ = found.sharpness
            elif best.learnt:
                break
        return self

    def predict(self, features: NDArray[np.float32]) -> NDArray[np.int64]:
        """Give the classifier's own decisions, shape (n,): those of a linear probe, by default."""
        return np.asarray(self.fitted_.predict(self._standardised(features)), dtype=np.int64)

    def predict_proba(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the calibrated posterior under the prior that is meant, shape (n, C)."""
        evidence = self._evidence(self.fitted_, self._standardised(features))
        log_p = log_softmax(np.float32(self.sharpness_) * evidence + np.log(self.prior_), axis=1)
        return ((1 - self._floor) * np.exp(log_p) + self._floor * self.prior_).astype(np.float32)

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
            log_p = np.log(np.clip(model.predict_proba(standardised), SMALLEST_PROBABILITY, None))
            if not np.isfinite(log_p).all():
                raise InputError(f"{type(model).__name__} gives probabilities that are not finite")
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
    ) -> _Calibration:
        """Find the sharpness with the least cross-entropy on select."""
        evidence, log_prior = self._evidence(model, select), np.log(self.prior_).astype(np.float32)
        rows, prior_own = np.arange(len(labels)), self.prior_[labels]

        def log_own(sharpness: float) -> NDArray[np.float64]:
            own = log_softmax(np.float32(sharpness) * evidence + log_prior, axis=1)[rows, labels]
            return np.log((1 - self._floor) * np.exp(own) + self._floor * prior_own)

        found = minimize_scalar(
            lambda sharpness: -float(weights @ log_own(sharpness)),
            bounds=(0.0, LARGEST_SHARPNESS),
            method="bounded",
            options={"xatol": 1e-3},
        )
        # The lower end is the prior without any evidence: where there is nothing to learn, it wins.
        blind = log_own(0.0)
        gain = log_own(float(found.x)) - blind
        mean_gain = float(weights @ gain)
        if mean_gain <= 0:
            return _Calibration(0.0, -float(weights @ blind), learnt=False)
        stderr = float(np.linalg.norm(weights * (gain - mean_gain)))
        return _Calibration(float(found.x), float(found.fun), learnt=mean_gain > LEARNT_FROM * stderr)


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
