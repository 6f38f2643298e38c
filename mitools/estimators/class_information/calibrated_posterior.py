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

from mitools.backends.threads import blas_threads
from mitools.core.errors import InputError
from mitools.estimators.base import FittedAttributes
from mitools.estimators.class_information.blockwise_logistic import fit_blockwise
from mitools.estimators.class_information.minibatch_logistic import MinibatchLogistic
from mitools.estimators.inputs.groups import Groups, group_sums
from mitools.estimators.inputs.row_table import (
    NUMBERS_AT_ONCE,
    NUMBERS_IN_MEMORY,
    NUMBERS_NEAR,
    RowTable,
    spans,
)
from mitools.estimators.inputs.splits import at_most
from mitools.estimators.inputs.validation import location_and_scale
from mitools.estimators.warnings import STDERRS_ABOVE_BLIND

ArrayOrTable = NDArray[np.float32] | RowTable

INVERSE_PENALTIES = tuple(10.0**k for k in range(-5, 3))
"""Values of scikit-learn's C, from the strongest regularisation on."""

SELECT_ROWS_TO_STOP_BY = 1 << 16
"""Rows of *select*, at the most, that say when mini-batches end; all of them calibrate what was fitted."""

LARGEST_SHARPNESS = 16.0
"""Up to which a classifier's evidence is sharpened at the most."""

THREADED_PRODUCT_SIZE = 2**30
"""Multiplications in one matrix product from which on several BLAS threads are faster than one."""

SMALLEST_PROBABILITY = 1e-12
"""Stands for the zeros that votes of neighbours and trees give."""


class _Calibration(NamedTuple):
    """A sharpness, its cross-entropy on select in nats, and whether that beats the prior's beyond chance."""

    sharpness: float
    loss: float
    learnt: bool


class CalibratedPosterior(FittedAttributes, BaseEstimator):
    """Class probabilities that can be believed, from any scikit-learn classifier.

    The default classifier is multinomial logistic regression. Its regularisation is chosen on *select* by
    walking from the strongest value on, each fit starting from the last, until something has been learnt
    and the calibrated cross-entropy rises again; so it holds for fewer items than dimensions, and also
    where what separates the classes is small beside what they share.

    Every classifier sees standardised features. Its probabilities are then calibrated on *select* by one
    number, the sharpness b (an inverse temperature), and moved to the prior pi that is meant:
    ``p(c|x) ~ pi_c (p_fit(c|x) / p_fit(c))^b``. At b = 0 that is pi itself. Last, pi is mixed in with
    weight 1 / (n_select + 2): what n_select items never showed wrong cannot be known to be rarer.

    Rows are read a bounded part at a time, from memory or a mapped file. Where the training rows and their
    scores are more than 2^28 numbers, the default is fitted by mini-batches to all of them
    (:class:`mitools.estimators.class_information.minibatch_logistic.MinibatchLogistic`), and a classifier
    of the caller's to a random part of that size.

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
        The chosen C, or None with a classifier of the caller's or mini-batches.
    fitted_as_
        How the classifier was fitted: ``whole``, ``mini-batches`` or ``random part``.
    n_fitted_
        Training rows that it was fitted to.
    sharpness_
        The calibrated b.
    select_loss_
        The calibrated cross-entropy on *select*, nats.
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
        train: ArrayOrTable,
        train_labels: NDArray[np.int64],
        select: ArrayOrTable,
        select_labels: NDArray[np.int64],
        prior: NDArray[np.float64],
        select_groups: Groups | None = None,
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
        select_groups
            Shape (n_select,): which select items depend on each other. What their groups do not show beyond
            chance then counts as not learnt, and the posterior is the prior.

        Raises
        ------
        InputError
            When the classifier gives no probabilities, or not one for every class.
        """
        train = RowTable.of(train)
        self.prior_, self.centring_ = prior, train.centring
        select = self._table(select)
        self.mean_, self.scale_ = location_and_scale(train)
        self._log_odds_shift = np.log(np.bincount(train_labels, minlength=len(prior)) / len(train_labels))
        self._floor = 1 / (len(select_labels) + 2)
        self._select_groups = select_groups
        # Weights that restore the prior, whatever the class counts in select.
        weights = (prior / np.bincount(select_labels, minlength=len(prior)))[select_labels]
        fit_at_once = NUMBERS_IN_MEMORY // (train.width + len(prior))
        whole = len(train) <= fit_at_once
        self.fitted_as_, self.n_fitted_, self.inverse_penalty_ = "whole", len(train), None
        if self.classifier is not None:
            if not hasattr(self.classifier, "predict_proba"):
                raise InputError(
                    f"{type(self.classifier).__name__} gives no class probabilities; take a classifier with"
                    " predict_proba, or wrap it in CalibratedClassifierCV"
                )
            if not whole:
                some = at_most(np.arange(len(train)), fit_at_once, np.random.default_rng(self.seed))
                train, train_labels = train.at(some), train_labels[some]
                self.fitted_as_, self.n_fitted_ = "random part", len(train)
            self.fitted_ = _seeded(self.classifier, self.seed).fit(self._standardised(train), train_labels)
            self._keep(self._calibrate(self.fitted_, select, select_labels, weights))
            return self
        if not whole:
            self.fitted_as_ = "mini-batches"
            some = at_most(np.arange(len(select)), SELECT_ROWS_TO_STOP_BY, np.random.default_rng(self.seed))
            part = select.at(some), select_labels[some], weights[some]
            self.fitted_ = MinibatchLogistic(len(prior), self._standardise, self.seed).fit(
                train, train_labels, lambda model: self._loss(model, *part)
            )
            self._keep(self._calibrate(self.fitted_, select, select_labels, weights))
            return self

        best, model, rows = None, None, self._standardised(train)
        for inverse_penalty in self.inverse_penalties:
            model = _logistic(rows, train_labels, inverse_penalty, start=model)
            found = self._calibrate(model, select, select_labels, weights)
            if best is None or found.loss < best.loss:
                best, self.fitted_, self.inverse_penalty_ = found, model, inverse_penalty
                self._keep(found)
            elif best.learnt:
                break
        return self

    def _keep(self, found: _Calibration) -> None:
        self.sharpness_, self.select_loss_ = found.sharpness, found.loss

    def predict(self, features: ArrayOrTable) -> NDArray[np.int64]:
        """Give the classifier's own decisions, shape (n,): those of a linear probe, by default."""
        table = self._table(features)
        decided = np.empty(len(table), dtype=np.int64)
        for places, rows in table.chunks(len(self.prior_)):
            decided[places] = self.fitted_.predict(self._standardise(rows))
        return decided

    def predict_proba(self, features: ArrayOrTable) -> NDArray[np.float32]:
        """Give the calibrated posterior under the prior that is meant, shape (n, C)."""
        found = self._evidence(self.fitted_, self._table(features))
        log_prior = np.log(self.prior_)
        for some in spans(len(found), len(self.prior_), NUMBERS_NEAR):
            log_p = log_softmax(np.float32(self.sharpness_) * found[some] + log_prior, axis=1)
            found[some] = (1 - self._floor) * np.exp(log_p) + self._floor * self.prior_
        return found

    def _table(self, features: ArrayOrTable) -> RowTable:
        """Take a table as it is, and an array shifted as the training rows were."""
        return features if isinstance(features, RowTable) else RowTable(features, centring=self.centring_)

    def _standardise(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        shifted = rows - self.mean_
        shifted /= self.scale_
        return shifted

    def _standardised(self, table: RowTable) -> NDArray[np.float32]:
        """All rows standardised, in memory."""
        found = np.empty((len(table), table.width), dtype=np.float32)
        for places, rows in table.chunks():
            found[places] = self._standardise(rows)
        return found

    def _evidence(self, model: Any, table: RowTable) -> NDArray[np.float32]:
        """Log p_fit(c|x) / p_fit(c), shape (n, C)."""
        found = np.empty((len(table), len(self.prior_)), dtype=np.float32)
        for places, rows in table.chunks(len(self.prior_)):
            log_p = _log_probabilities(model, self._standardise(rows))
            if log_p.shape[1] != len(self.prior_):
                given, wanted = log_p.shape[1], len(self.prior_)
                raise InputError(f"the classifier gives {given} probabilities a row for {wanted} classes")
            found[places] = log_p - self._log_odds_shift
        return found

    def _loss(
        self, model: Any, select: RowTable, labels: NDArray[np.int64], weights: NDArray[np.float64]
    ) -> float:
        """Cross-entropy on select of the classifier as it is, in nats."""
        loss = 0.0
        for places, rows in select.chunks(len(self.prior_)):
            own = labels[places]
            log_p = _log_probabilities(model, self._standardise(rows))
            loss -= float(weights[places] @ log_p[np.arange(len(own)), own])
        return loss

    def _calibrate(
        self,
        model: Any,
        select: RowTable,
        labels: NDArray[np.int64],
        weights: NDArray[np.float64],
    ) -> _Calibration:
        """Find the sharpness with the least cross-entropy on select."""
        evidence, log_prior = self._evidence(model, select), np.log(self.prior_).astype(np.float32)
        prior_own = self.prior_[labels]

        def log_own(sharpness: float) -> NDArray[np.float64]:
            own = np.empty(len(labels), dtype=np.float32)
            for some in spans(len(labels), len(log_prior), NUMBERS_NEAR):
                scores = np.float32(sharpness) * evidence[some]
                scores += log_prior
                scores -= scores.max(axis=1, keepdims=True)
                own[some] = scores[np.arange(len(scores)), labels[some]]
                own[some] -= np.log(np.exp(scores, out=scores).sum(axis=1))
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
        deviations = weights * (gain - mean_gain)
        groups = self._select_groups
        stderr = float(np.linalg.norm(deviations if groups is None else group_sums(deviations, groups)))
        learnt = mean_gain > STDERRS_ABOVE_BLIND * stderr
        if groups is not None and not learnt:
            return _Calibration(0.0, -float(weights @ blind), learnt=False)
        return _Calibration(float(found.x), float(found.fun), learnt)


def _log_probabilities(model: Any, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log p_fit(c|x), shape (n, C)."""
    if isinstance(model, LogisticRegression | MinibatchLogistic):
        scores = model.decision_function(standardised)
        if scores.ndim == 1:
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        return log_softmax(scores, axis=1)
    log_p = np.log(np.clip(model.predict_proba(standardised), SMALLEST_PROBABILITY, None))
    if not np.isfinite(log_p).all():
        raise InputError(f"{type(model).__name__} gives probabilities that are not finite")
    return log_p


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
    classes = int(labels.max()) + 1
    tolerance = min(1e-4, 0.02 / classes)
    model = LogisticRegression(C=inverse_penalty, tol=tolerance, max_iter=200, warm_start=True)
    if start is not None:
        model.coef_, model.intercept_ = start.coef_, start.intercept_
    # SciPy's and NumPy's threads take turns at every step, and either wait by spinning: on small products
    # that makes a fit up to twenty times slower than one thread is.
    threads = 1 if features.size * classes < THREADED_PRODUCT_SIZE else None
    with blas_threads(threads), warnings.catch_warnings():
        # An unfinished fit is still a valid critic, and select judges it like any other.
        warnings.simplefilter("ignore", ConvergenceWarning)
        if classes > 2 and len(labels) * classes > NUMBERS_AT_ONCE:
            return fit_blockwise(model, features, labels, classes)
        return model.fit(features, labels)
