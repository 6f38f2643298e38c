"""What estimators of class information share: their fit, their readings, and their answers on new rows."""

import time
from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import ClassifierMixin

from mitools.core.entropy import entropy, nats_to_bits
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning
from mitools.core.names import check_name
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import pooled
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.class_information.certificate_folds import (
    certificate_splits,
    fit_folds,
    read_posterior,
)
from mitools.estimators.class_information.classifier_choice import LINEAR, choose_classifier
from mitools.estimators.dependence.copies import copy_groups
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.class_prior import Prior, class_prior
from mitools.estimators.inputs.groups import Groups, as_groups, group_count
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.validation import (
    as_classes,
    as_known_classes,
    as_table,
    require_columns,
    same_length,
)
from mitools.estimators.warnings import one_sided_low


class PosteriorEstimator(MIEstimator):
    """An estimator of class information by a calibrated classifier, which can be asked about new rows.

    Parameters
    ----------
    classifier
        Any scikit-learn classifier with ``predict_proba``; regularised logistic regression when None; the
        family that *select* prefers with ``auto``
        (:func:`mitools.estimators.class_information.classifier_choice.choose_classifier`).
    prior
        ``empirical``, ``uniform``, or C probabilities: the class distribution that is meant.
    seed
        Of the split and of the permuted labels of the null.
    folds
        1: one split. k: cross-fitting, so that every item is reported once, by a classifier that never saw
        it. None: 5 below :data:`.CROSS_FIT_BELOW_ITEMS` items with 10 of every class, else (and for a given
        split) 1. The regularisation is searched in the first fold and shared; the null has one fold.

    Attributes
    ----------
    estimate_
        What the estimator reads.
    dv_estimate_, nwj_estimate_, label_information_
        All that the classifier reads: the two bounds on I_class, and Barber-Agakov's on I(H;C).
    one_sided_low_nats_
        The limit below which the truth lies in at most 5% of repetitions.
    influence_
        Shape (n_report,), nats, of what the estimator reads, fold after fold: pairs of encoders on one split
        compare by it. With groups, shape (G,): the influence of each.
    accuracy_
        The classifiers' own decisions on *report* (unweighted), a linear probe by default.
    folds_
        The split, the classifier and the readings of every fold.
    posterior_, classes_
        The calibrated classifier of the first fold, and the classes, shape (C,), as they were given, in
        order; :meth:`predict_proba` and :meth:`predict` ask that of every fold, and take the mean.
    parts_
        The split of the first fold.
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
        dependent: Sequence[EstimateWarning] | None = None,
    ) -> Self:
        """Read how much class information the rows carry.

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
            Shape (n,): which rows depend on each other (one image's, one patient's, one clip's), so that none
            of a group is held out from the others, and errors are those of groups. Splits that are given have
            their own. When None, rows that are exact copies are a group, and near copies and serial order are
            looked for and told.
        dependent
            What is known of how the rows depend on each other (:func:`.dependence_warnings`), which is then
            not looked for again.

        Raises
        ------
        InputError
            When the input is malformed, has one class, or a class is too small to split.
        """
        started = time.perf_counter()
        chosen = self._read_as()
        if isinstance(self.classifier, str):
            check_name("classifier", self.classifier, ("auto",))
        features, (classes, labels) = as_table(x, "features"), as_classes(y)
        same_length(len(features), len(labels), "features", "labels")
        prior = class_prior(labels, self.prior)
        # What was said to belong together is not looked for.
        if groups is not None or (parts is not None and _first(parts).groups is not None):
            dependent = ()
        elif dependent is None:
            dependent = dependence_warnings(features, labels, self.seed)
        splits = self._splits(features, labels, parts, groups, dependent)
        classifier, record = self.classifier, self.settings() | {"classifier": _name(self.classifier)}
        if isinstance(classifier, str):
            choice = choose_classifier(features, labels, splits[0], prior, self.seed)
            classifier = choice.posterior
            record |= {"classifier": choice.name, "select_gains_bits": choice.gains_bits}
        folds, null = fit_folds(features, labels, prior, splits, classifier, self.seed)
        posterior = folds[0].posterior
        record |= {
            "folds": len(folds),
            "groups": group_count(splits[0].groups),
            "inverse_penalty": posterior.inverse_penalty_,
            "sharpness": posterior.sharpness_,
            "classes": len(prior),
            "fitted_as": posterior.fitted_as_,
            "n_fitted": posterior.n_fitted_,
        }

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
                further_warnings=tuple(dependent),
                n_train=min(len(fold.parts.train) for fold in folds),
                n_select=min(len(fold.parts.select) for fold in folds),
                n_report=sum(len(fold.parts.report) for fold in folds),
                seconds=time.perf_counter() - started,
                settings=record | {"one_sided_low_bits": nats_to_bits(low)},
            )

        self.dv_estimate_ = estimate("class_posterior")
        self.nwj_estimate_ = estimate("class_posterior_nwj")
        self.label_information_ = estimate("label_information")
        self.estimate_ = {
            "class_posterior": self.dv_estimate_,
            "class_posterior_nwj": self.nwj_estimate_,
            "label_information": self.label_information_,
        }[chosen]
        reading = pooled([fold.report[chosen] for fold in folds])
        self.one_sided_low_nats_ = one_sided_low(reading.nats, reading.stderr)
        self.influence_ = reading.influence
        self.accuracy_ = sum(fold.right for fold in folds) / sum(len(fold.parts.report) for fold in folds)
        self.folds_, self.classes_ = folds, classes
        self.parts_, self.posterior_ = folds[0].parts, posterior
        return self

    @abstractmethod
    def _read_as(self) -> str:
        """Name the reading that the estimate is."""

    def _splits(
        self,
        features: RowTable,
        labels: NDArray[np.int64],
        parts: Parts | Sequence[Parts] | None,
        groups: ArrayLike | None,
        dependent: Sequence[EstimateWarning],
    ) -> Sequence[Parts]:
        if parts is not None:
            given = [parts] if isinstance(parts, Parts) else parts
            if groups is not None:
                raise InputError("a split that is given has its own groups; give groups or parts, not both")
            if self.folds not in (None, len(given)):
                raise InputError(f"folds is {self.folds}, but {len(given)} splits are given; leave folds out")
            return given
        named: Groups | None = None
        if groups is not None:
            named = as_groups(groups, len(labels))
        elif any(warning.word == "copies" for warning in dependent):
            named = copy_groups(features)
        return certificate_splits(labels, self.seed, named, self.folds)

    def predict_proba(self, x: ArrayLike | RowTable) -> NDArray[np.float32]:
        """Give the calibrated class probabilities of new rows, under the class distribution that is meant.

        After cross-fitting, they are the mean of those of all folds.

        Parameters
        ----------
        x
            Shape (n, d): features.

        Returns
        -------
        NDArray[np.float32]
            Shape (n, C), a column for each of ``classes_``.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before :meth:`fit`.
        InputError
            When the rows are malformed, or of another dimension than those fitted to.
        """
        features = self._new_features(x)
        found = self.folds_[0].posterior.predict_proba(features)
        for fold in self.folds_[1:]:
            found += fold.posterior.predict_proba(features)
        return found / np.float32(len(self.folds_)) if len(self.folds_) > 1 else found

    def predict(self, x: ArrayLike | RowTable) -> NDArray[Any]:
        """Give the most probable class of new rows, shape (n, d): one of ``classes_`` each, shape (n,).

        It is most probable under the class distribution that is meant, and after calibration. The
        classifier's own decisions, which :attr:`ClassPosterior.accuracy_` counts, differ
        where the prior does.
        """
        return self.classes_[self.predict_proba(x).argmax(axis=1)]

    def _new_features(self, x: ArrayLike | RowTable) -> RowTable:
        table = as_table(x, "features", self.posterior_.centring_)
        return require_columns(table, len(self.posterior_.mean_), "features")

    def _read_new_rows(self, x: ArrayLike | RowTable, y: ArrayLike) -> float:
        """Read new rows and their labels by the classifier of every fold: the mean over them, in nats."""
        features, labels = self._new_features(x), as_known_classes(y, self.classes_)
        same_length(len(features), len(labels), "features", "labels")
        counts = np.bincount(labels, minlength=len(self.classes_))
        if counts.min() < 2:
            few = self.classes_[counts.argmin()].item()
            raise InputError(
                f"class {few!r} has {counts.min()} of the new rows, but two of every class are needed; give"
                " more"
            )
        none = np.empty(0, dtype=np.int64)
        everything = Parts(none, none, np.arange(len(labels)))

        def read(posterior: CalibratedPosterior) -> float:
            rng = np.random.default_rng([self.seed, 1])
            found = read_posterior(posterior, features, labels, everything, everything.report, rng)
            return found[self._read_as()].nats

        return float(np.mean([read(fold.posterior) for fold in self.folds_]))


def _first(parts: Parts | Sequence[Parts]) -> Parts:
    return parts if isinstance(parts, Parts) else parts[0]


def _name(classifier: ClassifierMixin | str | None) -> str:
    return LINEAR if classifier is None else repr(classifier)
