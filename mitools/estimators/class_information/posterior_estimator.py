"""What estimators of class information share: the readings of a posterior, and its answers on new rows."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.class_information.certificate_folds import CertificateFold
from mitools.estimators.class_information.class_pairs import read_class_pairs, read_label_information
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.validation import as_known_classes, as_table, require_columns, same_length


class PosteriorEstimator(MIEstimator):
    """An estimator of class information, whose classifier can be asked about new rows.

    Attributes
    ----------
    classes_
        Shape (C,): the classes, as they were given, in order.
    folds_
        The split, the classifier and the readings of every fold.
    posterior_
        The calibrated classifier of the first fold.
    """

    seed: int
    classes_: NDArray[Any]
    folds_: Sequence[CertificateFold]
    posterior_: CalibratedPosterior

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

    @abstractmethod
    def _read_as(self) -> str:
        """Name the reading that the estimate is."""


def read_posterior(
    posterior: CalibratedPosterior,
    features: RowTable,
    labels: NDArray[np.int64],
    parts: Parts,
    items: NDArray[np.int64],
    rng: np.random.Generator,
) -> dict[str, Reading]:
    """Take every reading on some items, by method.

    Parameters
    ----------
    posterior
        Fitted to other items.
    features, labels
        Of all items: shapes (n, d) and (n,), labels 0..C-1.
    parts
        The split, with the groups of all items, where these know each other.
    items
        Those that are read: two of every class at least, and of two groups.
    rng
        Deals the items of large classes into blocks.

    Returns
    -------
    dict
        ``class_posterior``, ``class_posterior_nwj`` and ``label_information``.
    """
    q, prior = posterior.predict_proba(features.at(items)), posterior.prior_
    groups = parts.groups_of(items)
    pairs = read_class_pairs(q, labels[items], prior, rng, groups)
    return {
        "class_posterior": pairs.donsker_varadhan,
        "class_posterior_nwj": pairs.nwj,
        "label_information": read_label_information(q, labels[items], prior, entropy(prior), groups),
    }
