"""The certificate: class information of a representation by a critic that needs no training of its own."""

import time
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior
from mitools.estimators.class_information.classifier_choice import LINEAR, choose_classifier
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator, read_posterior
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts, as_many_as_report, split
from mitools.estimators.inputs.validation import (
    as_classes,
    as_table,
    same_length,
)
from mitools.estimators.pairs import permuted_within
from mitools.estimators.warnings import one_sided_low

_METHOD_OF_READING = {"dv": "class_posterior", "nwj": "class_posterior_nwj"}


class ClassPosterior(PosteriorEstimator):
    """Certified same-class information: Donsker-Varadhan with the class-posterior critic.

    For views X and Y drawn independently from one class C ~ pi,
    ``p(x, y) / p(x) p(y) = sum_c p(c|x) p(c|y) / pi_c``. A calibrated classifier fitted on *train* gives
    the critic; on *report* the bound's normaliser is summed over all pairs. So there is no log K
    ceiling, the variance is that of two U-statistics, and the value is a lower bound on I_class(X;Y),
    itself at most H(C) (Lee et al., Proposition III.1).

    Parameters
    ----------
    classifier
        Any scikit-learn classifier with ``predict_proba``; regularised logistic regression when None; the
        family that *select* prefers with ``auto``
        (:func:`mitools.estimators.class_information.classifier_choice.choose_classifier`).
    prior
        ``empirical``, ``uniform``, or C probabilities: the class distribution that is meant.
    reading
        ``dv`` for ``estimate_``, or ``nwj``, which is lower but unbiased on a sample.
    seed
        Of the split and of the permuted labels of the null.

    Attributes
    ----------
    estimate_
        The chosen reading of I_class.
    nwj_estimate_, dv_estimate_
        Both readings.
    label_information_
        Barber-Agakov's bound on I(H;C) from the same classifier.
    one_sided_low_nats_
        The limit below which the truth lies in at most 5% of repetitions.
    influence_
        Shape (n_report,), nats, of the chosen reading: pairs of encoders on one split compare by it.
    accuracy_
        The classifier's own decisions on *report* (unweighted), a linear probe by default.
    posterior_, classes_
        The calibrated classifier, and the classes; :meth:`predict_proba` and :meth:`predict` ask it.
    parts_
        The split.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 2, 1000)
    >>> features = labels[:, None] + 0.1 * rng.standard_normal((1000, 3))
    >>> estimate = ClassPosterior().estimate(features, labels)
    >>> estimate.kind, bool(0.9 < estimate.bits <= 1)
    ('lower bound', True)
    """

    def __init__(
        self,
        classifier: ClassifierMixin | str | None = None,
        prior: Prior = "empirical",
        reading: str = "dv",
        seed: int = 0,
    ) -> None:
        self.classifier = classifier
        self.prior = prior
        self.reading = reading
        self.seed = seed

    def fit(self, x: ArrayLike | RowTable, y: ArrayLike, parts: Parts | None = None) -> Self:
        """Certify how much class information the rows carry.

        Rows are read a bounded part at a time, so that a mapped file may be larger than memory.

        Parameters
        ----------
        x
            Shape (n, d): features, one row an item.
        y
            Shape (n,): class labels.
        parts
            The split of the items; drawn by the seed, evenly over the classes, when None.

        Raises
        ------
        InputError
            When the input is malformed, has one class, or a class is too small to split.
        """
        started = time.perf_counter()
        chosen = self._read_as()
        features, (classes, labels) = as_table(x, "features"), as_classes(y)
        same_length(len(features), len(labels), "features", "labels")
        prior = class_prior(labels, self.prior)
        self.parts_ = parts = split(len(labels), labels, self.seed) if parts is None else parts
        rng = np.random.default_rng([self.seed, 1])

        h_c = entropy(prior)

        choice = None
        if isinstance(self.classifier, str):
            check_name("classifier", self.classifier, ("auto",))
            choice = choose_classifier(features, labels, parts, prior, self.seed)
        classifier = self.classifier if choice is None else choice.posterior.classifier

        def fit_posterior(
            labels: NDArray[np.int64], inverse_penalties: Sequence[float]
        ) -> CalibratedPosterior:
            fit, select = parts.train, parts.select
            return CalibratedPosterior(classifier, self.seed, inverse_penalties).fit(
                features.at(fit), labels[fit], features.at(select), labels[select], prior
            )

        posterior = fit_posterior(labels, INVERSE_PENALTIES) if choice is None else choice.posterior
        permuted = permuted_within(labels, parts, rng)
        # With the same regularisation: a search for what is not there would walk to its costly end.
        penalty = posterior.inverse_penalty_
        blind = fit_posterior(permuted, INVERSE_PENALTIES if penalty is None else (penalty,))

        report = read_posterior(posterior, features, labels, parts.report, h_c, rng)
        null = read_posterior(blind, features, permuted, parts.report, h_c, rng)
        train = read_posterior(posterior, features, labels, as_many_as_report(parts, labels, rng), h_c, rng)
        record = self.settings() | {
            "classifier": _name(self.classifier) if choice is None else choice.name,
            "inverse_penalty": posterior.inverse_penalty_,
            "sharpness": posterior.sharpness_,
            "classes": len(prior),
            "fitted_as": posterior.fitted_as_,
            "n_fitted": posterior.n_fitted_,
        }
        if choice is not None:
            record["select_gains_bits"] = choice.gains_bits

        def estimate(method: str) -> Estimate:
            reading = report[method]
            low = one_sided_low(reading.nats, reading.stderr)
            return assemble_estimate(
                reading,
                method=method,
                kind="lower bound",
                null=null[method],
                entropy=h_c,
                train_nats=train[method].nats,
                n_train=len(parts.train),
                n_select=len(parts.select),
                n_report=len(parts.report),
                seconds=time.perf_counter() - started,
                settings=record | {"one_sided_low_bits": nats_to_bits(low)},
            )

        estimates = {method: estimate(method) for method in report}
        self.posterior_, self.classes_ = posterior, classes
        self.dv_estimate_ = estimates["class_posterior"]
        self.nwj_estimate_ = estimates["class_posterior_nwj"]
        self.label_information_ = estimates["label_information"]
        self.estimate_ = estimates[chosen]
        self.one_sided_low_nats_ = one_sided_low(report[chosen].nats, report[chosen].stderr)
        self.influence_ = report[chosen].influence
        decided = posterior.predict(features.at(parts.report))
        self.accuracy_ = float((decided == labels[parts.report]).mean())
        return self

    def _read_as(self) -> str:
        check_name("reading", self.reading, _METHOD_OF_READING)
        return _METHOD_OF_READING[self.reading]


def _name(classifier: ClassifierMixin | str | None) -> str:
    return LINEAR if classifier is None else repr(classifier)


class LabelInformation(PosteriorEstimator):
    """How much the representation says about the label: Barber-Agakov, ``I(H;C) >= H(C) - CE``.

    Parameters
    ----------
    classifier, prior, seed
        As for :class:`ClassPosterior`.

    Attributes
    ----------
    estimate_
        The bound on *report* (Barber & Agakov 2003).
    posterior_, classes_
        As for :class:`ClassPosterior`.
    """

    def __init__(
        self, classifier: ClassifierMixin | str | None = None, prior: Prior = "empirical", seed: int = 0
    ) -> None:
        self.classifier = classifier
        self.prior = prior
        self.seed = seed

    def fit(self, x: ArrayLike, y: ArrayLike, parts: Parts | None = None) -> Self:
        """Bound I(H;C) from features, shape (n, d), and labels, shape (n,).

        Raises
        ------
        InputError
            As for :meth:`ClassPosterior.fit`.
        """
        certificate = ClassPosterior(self.classifier, self.prior, seed=self.seed).fit(x, y, parts)
        self.estimate_ = certificate.label_information_
        self.posterior_, self.classes_ = certificate.posterior_, certificate.classes_
        return self

    def _read_as(self) -> str:
        return "label_information"
