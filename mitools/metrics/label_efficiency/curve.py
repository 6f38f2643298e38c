"""The loss-data curve: what a linear probe that has seen so many labels loses on others."""

import math
import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import log_softmax, logsumexp

from mitools.backends.threads import blas_threads
from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import as_labels, as_rows, location_and_scale, same_length

INVERSE_PENALTIES = (1e-3, 1e-1, 10.0)
"""Values of scikit-learn's C that are tried side by side."""

FIRST_BLOCK_A_CLASS = 2
"""Labels a class, on average, in the first training set; every further one is twice as large."""


class LossDataCurve(NamedTuple):
    """What a probe loses on new items, and what it pays for its training labels, by their number.

    Attributes
    ----------
    sizes
        Shape (k,): numbers of training labels, from 0 on, the last one of all.
    loss_nats
        Shape (k,): mean cross-entropy on report items. At 0 labels it is log C.
    code_nats
        Shape (k - 1,): what the labels between two sizes cost, coded by the probe of the first.
    entropy_nats
        H(C) of the report items.
    """

    sizes: NDArray[np.int64]
    loss_nats: NDArray[np.float64]
    code_nats: NDArray[np.float64]
    entropy_nats: float


def loss_data_curve(
    features: ArrayLike,
    labels: ArrayLike,
    report: ArrayLike,
    report_labels: ArrayLike,
    seed: int = 0,
) -> LossDataCurve:
    """Fit a linear probe to training sets that double, and read each on the next block and on *report*.

    The probe is a Bayes mixture of logistic regressions of three penalties, weighted by what each has paid
    for the labels so far: no label is used for a choice that has not been paid for, so that the block losses
    are a code. A probability of ``1 / (m + 2)`` is spread over all classes after m labels, since a class may
    come that has not been seen.

    Parameters
    ----------
    features, labels
        Shapes (n, d) and (n,): the training items, in any order.
    report, report_labels
        Shapes (m, d) and (m,): items that no probe is fitted to.
    seed
        Of the order of the training items.

    Raises
    ------
    InputError
        When the input is malformed, or there are fewer training items than one block.

    References
    ----------
    Blier and Ollivier, "The Description Length of Deep Learning Models", NeurIPS 2018, Eq. 3; Whitney, Song,
    Brandfonbrener, Altosaar and Cho, "Evaluating representations by the complexity of learning low-loss
    predictors", 2020, section 3.
    """
    rows, report_rows = as_rows(features, "features"), as_rows(report, "report")
    both = as_labels(np.concatenate([np.asarray(labels), np.asarray(report_labels)]))
    index, truth = both[: len(rows)], both[len(rows) :]
    same_length(len(rows), len(both) - len(report_rows), "features", "labels")
    classes = int(both.max()) + 1
    first = FIRST_BLOCK_A_CLASS * classes
    if len(rows) <= first:
        raise InputError(f"{len(rows)} training items of {classes} classes; more than {first} are needed")
    mean, scale = location_and_scale(rows)
    order = np.random.default_rng(seed).permutation(len(rows))
    rows, index, report_rows = ((rows - mean) / scale)[order], index[order], (report_rows - mean) / scale
    doubled = [first * 2**k for k in range(math.ceil(math.log2(len(rows) / first)))]
    sizes = [0, *doubled, len(rows)]
    log_weights = np.full(len(INVERSE_PENALTIES), -math.log(len(INVERSE_PENALTIES)))
    losses, codes = [math.log(classes)], [first * math.log(classes)]
    for size, stop in zip(sizes[1:], [*sizes[2:], sizes[-1]], strict=True):
        probes = [_Probe.fit(rows[:size], index[:size], classes, c) for c in INVERSE_PENALTIES]
        own = np.stack([probe.log_p(report_rows, truth) for probe in probes])
        losses.append(-float(logsumexp(own + log_weights[:, None], axis=0).mean()))
        if stop > size:
            paid = np.stack([probe.log_p(rows[size:stop], index[size:stop]) for probe in probes]).sum(axis=1)
            codes.append(-float(logsumexp(log_weights + paid)))
            log_weights = log_weights + paid + codes[-1]
    return LossDataCurve(
        np.array(sizes),
        np.array(losses),
        np.array(codes),
        entropy(np.bincount(truth, minlength=classes) / len(truth)),
    )


class _Probe(NamedTuple):
    """A logistic regression, and how much of its probability every class gets in any case."""

    weights: NDArray[np.float64]
    intercept: NDArray[np.float64]
    seen: NDArray[np.int64]
    classes: int
    floor: float

    @classmethod
    def fit(
        cls, rows: NDArray[np.float32], labels: NDArray[np.int64], classes: int, inverse_penalty: float
    ) -> "_Probe":
        """Fit logistic regression to the labels seen so far.

        Parameters
        ----------
        rows
            Shape (m, d): features, scaled.
        labels
            Shape (m,): class numbers; some classes may be missing.
        classes
            Number of all classes.
        inverse_penalty
            scikit-learn's ``C``.

        Returns
        -------
        _Probe
            Its floor is ``1 / (m + 2)``; where one class alone was seen, it predicts that one.
        """
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        seen, floor = np.unique(labels), 1 / (len(labels) + 2)
        if len(seen) == 1:
            return cls(np.zeros((1, rows.shape[1])), np.zeros(1), seen, classes, floor)
        with blas_threads(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # an unfinished probe is a probe still
            model = LogisticRegression(C=inverse_penalty, max_iter=100).fit(rows, labels)
        weights, intercept = model.coef_, model.intercept_
        if len(seen) == 2:
            weights, intercept = np.vstack([-weights, weights]) / 2, np.hstack([-intercept, intercept]) / 2
        return cls(weights, intercept, seen, classes, floor)

    def log_p(self, rows: NDArray[np.float32], labels: NDArray[np.int64]) -> NDArray[np.float64]:
        """Log probability of each row's label, shape (n,)."""
        log_seen = log_softmax(rows @ self.weights.T + self.intercept, axis=1)
        place = np.searchsorted(self.seen, labels).clip(max=len(self.seen) - 1)
        known = self.seen[place] == labels
        p = np.where(known, np.exp(log_seen[np.arange(len(labels)), place]), 0.0)
        return np.log((1 - self.floor) * p + self.floor / self.classes)
