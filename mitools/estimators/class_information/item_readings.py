"""What the classifier behind a certificate says of every single item."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.result_store import Values
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.estimators.inputs.validation import as_table
from mitools.estimators.pointwise_information import pointwise_of_labels

KEPT_DIGITS = 5
"""Decimals of a kept value: a hundred-thousandth of a nat."""


ITEM_FIELDS = ("items", "predicted", "label_nats")
"""What is kept of a reading, in order."""


@dataclass(frozen=True)
class ItemReadings:
    """The decision on every reported item, and what its features say of its label.

    Attributes
    ----------
    items
        Shape (n,): which item of the data; every one once after cross-fitting.
    predicted
        Shape (n,): the class that a classifier which never saw the item decides for.
    label_nats
        Shape (n,): pointwise information ``log p(c|x) / pi_c`` of the item's own class c, in nats. Below 0
        the features speak for another class. Its mean, weighted to the class distribution that is meant, is
        the label information.
    """

    items: NDArray[np.int64]
    predicted: NDArray[np.int64]
    label_nats: NDArray[np.float64]

    def to_dict(self) -> Values:
        """Give everything as JSON values, rounded to :data:`KEPT_DIGITS` decimals."""
        return {
            "items": self.items.tolist(),
            "predicted": self.predicted.tolist(),
            "label_nats": np.round(self.label_nats, KEPT_DIGITS).tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Sequence[Any]]) -> Self:
        """Read everything back from :meth:`to_dict`."""
        items, predicted = (np.array(values[name], dtype=np.int64) for name in ("items", "predicted"))
        return cls(items, predicted, np.array(values["label_nats"], dtype=np.float64))


def item_readings(fitted: ClassPosterior, features: ArrayLike, labels: ArrayLike) -> ItemReadings:
    """Read every reported item by the classifier of its own fold.

    Parameters
    ----------
    fitted
        After ``fit(features, labels)``, with labels 0..C-1.
    features, labels
        Shapes (n, d) and (n,): what it was fitted to.

    Raises
    ------
    InputError
        When these are not as many as it was fitted to.
    """
    found = pointwise_of_labels(fitted, features, labels)
    table = as_table(features, "features", fitted.posterior_.centring_)
    predicted = [fold.posterior.predict(table.at(fold.parts.report)) for fold in fitted.folds_]
    return ItemReadings(found.rows, np.concatenate(predicted), found.nats)
