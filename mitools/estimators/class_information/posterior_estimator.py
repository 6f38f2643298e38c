"""What estimators of class information share: the readings of a posterior, and its answers on new rows."""

from abc import abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.calibrated_posterior import CalibratedPosterior
from mitools.estimators.class_information.class_pairs import read_class_pairs, read_label_information
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.validation import as_known_classes, as_table, require_columns, same_length


class PosteriorEstimator(MIEstimator):
    """An estimator of class information, whose classifier can be asked about new rows.

    Attributes
    ----------
    classes_
        Shape (C,): the classes, as they were given, in order.
    posterior_
        The calibrated classifier.
    """

    seed: int
    classes_: NDArray[Any]
    posterior_: CalibratedPosterior

    def predict_proba(self, x: ArrayLike | RowTable) -> NDArray[np.float32]:
        """Give the calibrated class probabilities of new rows, under the class distribution that is meant.

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
        return self.posterior_.predict_proba(self._new_features(x))

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
        """Read new rows and their labels by the fitted classifier, in nats."""
        features, labels = self._new_features(x), as_known_classes(y, self.classes_)
        same_length(len(features), len(labels), "features", "labels")
        counts = np.bincount(labels, minlength=len(self.classes_))
        if counts.min() < 2:
            few = self.classes_[counts.argmin()].item()
            raise InputError(
                f"class {few!r} has {counts.min()} of the new rows, but two of every class are needed; give"
                " more"
            )
        items, rng = np.arange(len(labels)), np.random.default_rng([self.seed, 1])
        h_c = entropy(self.posterior_.prior_)
        return read_posterior(self.posterior_, features, labels, items, h_c, rng)[self._read_as()].nats

    @abstractmethod
    def _read_as(self) -> str:
        """Name the reading that the estimate is."""


def read_posterior(
    posterior: CalibratedPosterior,
    features: RowTable,
    labels: NDArray[np.int64],
    items: NDArray[np.int64],
    entropy_nats: float,
    rng: np.random.Generator,
) -> dict[str, Reading]:
    """Take every reading on some items, by method.

    Parameters
    ----------
    posterior
        Fitted to other items.
    features, labels
        Of all items: shapes (n, d) and (n,), labels 0..C-1.
    items
        Those that are read: two of every class at least.
    entropy_nats
        H(C).
    rng
        Deals the items of large classes into blocks.

    Returns
    -------
    dict
        ``class_posterior``, ``class_posterior_nwj`` and ``label_information``.
    """
    q, prior = posterior.predict_proba(features.at(items)), posterior.prior_
    pairs = read_class_pairs(q, labels[items], prior, rng)
    return {
        "class_posterior": pairs.donsker_varadhan,
        "class_posterior_nwj": pairs.nwj,
        "label_information": read_label_information(q, labels[items], prior, entropy_nats),
    }
