"""The certificate: class information of a representation by a critic that needs no training of its own."""

import time
from collections.abc import Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from mitools.backends.seeding import derive_seed
from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.core.names import check_name
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.class_information.calibrated_posterior import INVERSE_PENALTIES, CalibratedPosterior
from mitools.estimators.class_information.certificate_folds import CertificateFold, certificate_splits
from mitools.estimators.class_information.classifier_choice import (
    LINEAR,
    ClassifierChoice,
    choose_classifier,
)
from mitools.estimators.class_information.posterior_estimator import PosteriorEstimator, read_posterior
from mitools.estimators.dependence.copies import copies_of
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.inputs.groups import as_groups
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts, as_many_as_report
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
    folds
        1: one split. k: cross-fitting, so that every item is reported once, by a classifier that never saw
        it. None: 5 below :data:`CROSS_FIT_BELOW_ITEMS` items with 10 of every class, else (and for a given
        split) 1. The regularisation is searched in the first fold and shared; the null has one fold.
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
        Shape (n_report,), nats, of the chosen reading, fold after fold: pairs of encoders on one split
        compare by it. With groups, shape (G,): the influence of each.
    accuracy_
        The classifiers' own decisions on *report* (unweighted), a linear probe by default.
    folds_
        The split, the classifier and the readings of every fold.
    posterior_, classes_
        The calibrated classifier of the first fold, and the classes; :meth:`predict_proba` and
        :meth:`predict` ask that of every fold, and take the mean.
    parts_
        The split of the first fold.

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
        folds: int | None = None,
    ) -> None:
        self.classifier = classifier
        self.prior = prior
        self.reading = reading
        self.seed = seed
        self.folds = folds

    def fit(
        self,
        x: ArrayLike | RowTable,
        y: ArrayLike,
        parts: Parts | Sequence[Parts] | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Certify how much class information the rows carry.

        Rows are read a bounded part at a time, so that a mapped file may be larger than memory.

        Parameters
        ----------
        x
            Shape (n, d): features, one row an item.
        y
            Shape (n,): class labels.
        parts
            The split of the items, or one for each fold; drawn by the seed, evenly over the classes, when
            None.
        groups
            Shape (n,): which rows know each other (one image's, one patient's, one clip's), so that none of a
            group is held out from the others, and errors are those of groups. Splits that are given have
            their own. When None, rows that are exact copies are a group, and near copies and serial order are
            looked for and told.

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
        splits = self._splits(features, labels, parts, groups)
        # What was said to belong together is not looked for.
        told = groups is None and (parts is None or splits[0].groups is None)
        dependent = dependence_warnings(features, labels, self.seed) if told else ()
        choice = None
        if isinstance(self.classifier, str):
            check_name("classifier", self.classifier, ("auto",))
            choice = choose_classifier(features, labels, splits[0], prior, self.seed)
        folds, null = self._fit_folds(features, labels, prior, splits, choice)
        first = folds[0]
        posterior = first.posterior
        record = self.settings() | {
            "classifier": _name(self.classifier) if choice is None else choice.name,
            "folds": len(folds),
            "groups": None if splits[0].groups is None else int(splits[0].groups.max()) + 1,
            "inverse_penalty": posterior.inverse_penalty_,
            "sharpness": posterior.sharpness_,
            "classes": len(prior),
            "fitted_as": posterior.fitted_as_,
            "n_fitted": posterior.n_fitted_,
        }
        if choice is not None:
            record["select_gains_bits"] = choice.gains_bits

        def estimate(method: str) -> Estimate:
            reading = pooled([fold.report[method] for fold in folds])
            low = one_sided_low(reading.nats, reading.stderr)
            return assemble_estimate(
                reading,
                method=method,
                kind="lower bound",
                null=null[method],
                entropy=entropy(prior),
                train_nats=pooled([fold.train[method] for fold in folds]).nats,
                further_warnings=dependent,
                n_train=min(len(fold.parts.train) for fold in folds),
                n_select=min(len(fold.parts.select) for fold in folds),
                n_report=sum(len(fold.parts.report) for fold in folds),
                seconds=time.perf_counter() - started,
                settings=record | {"one_sided_low_bits": nats_to_bits(low)},
            )

        estimates = {method: estimate(method) for method in first.report}
        self.folds_, self.classes_ = folds, classes
        self.parts_, self.posterior_ = first.parts, first.posterior
        self.dv_estimate_ = estimates["class_posterior"]
        self.nwj_estimate_ = estimates["class_posterior_nwj"]
        self.label_information_ = estimates["label_information"]
        self.estimate_ = estimates[chosen]
        reading = pooled([fold.report[chosen] for fold in folds])
        self.one_sided_low_nats_ = one_sided_low(reading.nats, reading.stderr)
        self.influence_ = reading.influence
        self.accuracy_ = sum(fold.right for fold in folds) / sum(len(fold.parts.report) for fold in folds)
        return self

    def _splits(
        self,
        features: RowTable,
        labels: NDArray[np.int64],
        parts: Parts | Sequence[Parts] | None,
        groups: ArrayLike | None,
    ) -> Sequence[Parts]:
        if parts is not None:
            given = [parts] if isinstance(parts, Parts) else parts
            if groups is not None:
                raise InputError("a split that is given has its own groups; give groups or parts, not both")
            if self.folds not in (None, len(given)):
                raise InputError(f"folds is {self.folds}, but {len(given)} splits are given; leave folds out")
            return given
        named = copies_of(features, labels) if groups is None else as_groups(groups, len(labels))
        return certificate_splits(labels, self.seed, named, self.folds)

    def _fit_folds(
        self,
        features: RowTable,
        labels: NDArray[np.int64],
        prior: NDArray[np.float64],
        splits: Sequence[Parts],
        choice: ClassifierChoice | None,
    ) -> tuple[list[CertificateFold], dict[str, Reading]]:
        """Fit and read every fold, and in the first labels that are permuted within its parts.

        The classifier is chosen and its regularisation searched in the first fold, and both hold for all and
        for the null: a search for what is not there would walk to its costly end.
        """
        classifier = self.classifier if choice is None else choice.posterior.classifier
        folds: list[CertificateFold] = []
        null: dict[str, Reading] = {}
        penalties: Sequence[float] = INVERSE_PENALTIES
        for k, parts in enumerate(splits):
            rng = np.random.default_rng([self.seed if k == 0 else derive_seed(self.seed, k), 1])
            permuted = permuted_within(labels, parts, rng) if k == 0 else None
            if k == 0 and choice is not None:
                posterior = choice.posterior
            else:
                posterior = self._posterior(classifier, features, labels, prior, parts, penalties)
            if posterior.inverse_penalty_ is not None:
                penalties = (posterior.inverse_penalty_,)
            report = read_posterior(posterior, features, labels, parts, parts.report, rng)
            if permuted is not None:
                blind = self._posterior(classifier, features, permuted, prior, parts, penalties)
                null = read_posterior(blind, features, permuted, parts, parts.report, rng)
            on_train = as_many_as_report(parts, labels, rng)
            train = read_posterior(posterior, features, labels, parts, on_train, rng)
            decided = posterior.predict(features.at(parts.report))
            right = int((decided == labels[parts.report]).sum())
            folds.append(CertificateFold(parts, posterior, report, train, right))
        return folds, null

    def _posterior(
        self,
        classifier: ClassifierMixin | None,
        features: RowTable,
        labels: NDArray[np.int64],
        prior: NDArray[np.float64],
        parts: Parts,
        penalties: Sequence[float],
    ) -> CalibratedPosterior:
        fit, select = parts.train, parts.select
        return CalibratedPosterior(classifier, self.seed, penalties).fit(
            features.at(fit),
            labels[fit],
            features.at(select),
            labels[select],
            prior,
            parts.groups_of(select),
        )

    def _read_as(self) -> str:
        check_name("reading", self.reading, _METHOD_OF_READING)
        return _METHOD_OF_READING[self.reading]


def _name(classifier: ClassifierMixin | str | None) -> str:
    return LINEAR if classifier is None else repr(classifier)


class LabelInformation(PosteriorEstimator):
    """How much the representation says about the label: Barber-Agakov, ``I(H;C) >= H(C) - CE``.

    Parameters
    ----------
    classifier, prior, seed, folds
        As for :class:`ClassPosterior`.

    Attributes
    ----------
    estimate_
        The bound on *report* (Barber & Agakov 2003).
    posterior_, classes_
        As for :class:`ClassPosterior`.
    """

    def __init__(
        self,
        classifier: ClassifierMixin | str | None = None,
        prior: Prior = "empirical",
        seed: int = 0,
        folds: int | None = None,
    ) -> None:
        self.classifier = classifier
        self.prior = prior
        self.seed = seed
        self.folds = folds

    def fit(
        self,
        x: ArrayLike | RowTable,
        y: ArrayLike,
        parts: Parts | Sequence[Parts] | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Bound I(H;C) from features, shape (n, d), and labels, shape (n,).

        Raises
        ------
        InputError
            As for :meth:`ClassPosterior.fit`.
        """
        certificate = ClassPosterior(self.classifier, self.prior, seed=self.seed, folds=self.folds)
        certificate.fit(x, y, parts, groups)
        self.estimate_ = certificate.label_information_
        self.folds_, self.classes_ = certificate.folds_, certificate.classes_
        self.posterior_ = certificate.posterior_
        return self

    def _read_as(self) -> str:
        return "label_information"
