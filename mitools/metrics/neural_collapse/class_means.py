"""The class means that all signs of neural collapse are about."""

from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.validation import as_labels, as_table, same_length


class ClassMeans(NamedTuple):
    """Means of classes that all count the same, whatever their numbers of items.

    Attributes
    ----------
    table, labels
        The features (n, d), and the classes (n,), 0..C-1.
    overall
        Shape (d,): the mean of the class means.
    centred
        Shape (C, d): the class means less `overall`.
    """

    table: RowTable
    labels: NDArray[np.int64]
    overall: NDArray[np.float64]
    centred: NDArray[np.float64]

    @classmethod
    def of(cls, features: ArrayLike | RowTable, labels: ArrayLike) -> Self:
        """Average the features by class, a bounded part at a time.

        Raises
        ------
        InputError
            When the input is malformed, the lengths differ, or there is one class.
        """
        table, index = as_table(features, "features"), as_labels(labels)
        same_length(len(table), len(index), "features", "labels")
        counts = np.bincount(index)
        if len(counts) < 2:
            raise InputError("labels name one class; neural collapse is about the means of two or more")
        sums = np.zeros((len(counts), table.width))
        for places, rows in table.chunks():
            np.add.at(sums, index[places], rows.astype(np.float64))
        means = sums / counts[:, None]
        overall = means.mean(axis=0)
        return cls(table, index, overall, means - overall)

    @property
    def classes(self) -> int:
        """C."""
        return len(self.centred)
