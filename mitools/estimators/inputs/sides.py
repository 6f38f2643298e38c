"""What one of the two arrays is taken for: labels, symbols or numbers."""

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.estimators.inputs.validation import (
    as_array,
    as_classes,
    as_rows,
    as_table,
    place_among,
    require_columns,
)

ROWS_PER_LABEL = 5
"""Rows a whole number must have on average to be taken for a label and not for a quantity."""

SideKind = Literal["labels", "symbols", "numbers"]


class Side(NamedTuple):
    """What one of the two arrays was taken for.

    Attributes
    ----------
    kind
        ``labels``: names, or whole numbers in one column of an integer or boolean type, with at least five
        rows each on average. ``symbols``: one column of floats with at most sqrt(n) different values.
        ``numbers``: everything else.
    values
        Labels 0..C-1, shape (n,), or rows, shape (n, d).
    classes
        What the labels stand for, shape (C,); None of numbers.
    """

    kind: SideKind
    values: NDArray[Any]
    classes: NDArray[Any] | None

    @property
    def is_discrete(self) -> bool:
        """Whether the values are counted and not measured."""
        return self.kind != "numbers"

    def without_values(self) -> "Side":
        """Give what new values are to be taken for, without those of the fit."""
        return self._replace(values=self.values[:0])

    def of_new(self, values: ArrayLike, name: str, same_numbers: bool) -> NDArray[Any]:
        """Take new values for what the side was: labels, shape (n,), or rows, shape (n, d).

        Parameters
        ----------
        values, name
            The values, and what messages call them.
        same_numbers
            Whether a label must be one of the fit's, and get the number that it had there.

        Raises
        ------
        InputError
            When the values are malformed, or not like those of the fit.
        """
        if self.classes is None:
            rows = as_table(values, name, centring=None)
            columns = self.values.shape[1]
            return as_array(values, name).reshape(len(require_columns(rows, columns, name)), columns)
        labels = as_array(values, name).reshape(-1)
        if same_numbers:
            return place_among(labels, self.classes, name)
        return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def recognise_side(values: ArrayLike, name: str) -> Side:
    """Say what an array holds; see :class:`Side` for the rule.

    Raises
    ------
    InputError
        When the values are neither names nor real, finite numbers, or have no rows.
    """
    array = as_array(values, name)
    if array.dtype.kind == "U" and array.size:
        return _labels(array, name)
    rows = as_rows(array, name, centring=None)
    if rows.shape[1] == 1:
        distinct = len(np.unique(array))
        if array.dtype.kind in "iub" and ROWS_PER_LABEL * distinct <= len(rows):
            return _labels(array, name)
        if array.dtype.kind == "f" and distinct <= np.sqrt(len(rows)):
            classes, places = np.unique(array, return_inverse=True)
            return Side("symbols", places.ravel().astype(np.int64), classes)
    return Side("numbers", array.reshape(rows.shape), None)


def _labels(array: NDArray[Any], name: str) -> Side:
    classes, places = as_classes(array, name)
    return Side("labels", places, classes)
