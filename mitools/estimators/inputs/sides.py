"""What one of the two arrays is taken for: labels, symbols or numbers."""

from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from mitools.core.errors import InputError
from mitools.core.names import check_name
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

FEWEST_IDS = 30
"""Different whole numbers below which their frequencies cannot say whether their order means anything."""

ID_CORRELATION = 0.2
"""Correlation of the frequencies of neighbouring whole numbers below which these have no order in common."""

ID_DISPERSION = 2.0
"""Variance over mean of the frequencies of whole numbers from which some are clearly more common than others:
it is about 1 where all are equally likely."""

SideKind = Literal["labels", "symbols", "numbers"]
SIDE_KINDS = get_args(SideKind)
"""What a side can be taken for."""


class Side(NamedTuple):
    """What one of the two arrays was taken for.

    Attributes
    ----------
    kind
        ``labels``: names, or whole numbers in one column of an integer or boolean type, with at least five
        rows each on average. ``symbols``: one column of floats with at most sqrt(n) different values, or of
        whole numbers that look like ids: some are far more common than others, and their neighbours are not.
        ``numbers``: everything else.
    values
        Labels 0..C-1, shape (n,), or rows, shape (n, d).
    classes
        What the labels stand for, shape (C,); None of numbers.
    because
        Why it was taken for that, in words.
    told
        Whether the caller said so.
    """

    kind: SideKind
    values: NDArray[Any]
    classes: NDArray[Any] | None
    because: str
    told: bool = False

    @property
    def is_discrete(self) -> bool:
        """Whether the values are counted and not measured."""
        return self.kind != "numbers"

    @property
    def original(self) -> NDArray[Any]:
        """The values as they were given, shape (n,) of labels and symbols and (n, d) of numbers."""
        return self.values if self.classes is None else self.classes[self.values]

    @property
    def lonely(self) -> int:
        """How many labels or symbols have one row; 0 of numbers."""
        return 0 if self.classes is None else int(np.count_nonzero(np.bincount(self.values) == 1))

    @property
    def may_be_numbers(self) -> bool:
        """Whether they are no names, and the caller has not said what they are."""
        return not self.told and (self.classes is None or self.classes.dtype.kind != "U")

    def as_numbers(self, because: str) -> "Side":
        """Take labels or symbols that are no names for the numbers they are."""
        return Side("numbers", self.original.reshape(len(self.values), -1), None, because)

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


def take_side(values: ArrayLike, name: str, taken_as: str | None = None) -> Side:
    """Take an array for what the caller says it is, or else for what it looks like.

    Parameters
    ----------
    values, name
        The values, and what messages call them.
    taken_as
        ``labels``, ``symbols`` or ``numbers``; see :class:`Side` for the rule when None.

    Raises
    ------
    InputError
        When the values are not what the caller says, or neither names nor real, finite numbers.
    """
    if taken_as is None:
        return recognise_side(values, name)
    check_name(f"kind of {name}", taken_as, SIDE_KINDS)
    array, because = as_array(values, name), f"{name}_as says so"
    names = array.dtype.kind == "U" and bool(array.size)
    if taken_as == "numbers":
        if names:
            raise InputError(f"{name} holds names, which are no numbers; take it for labels")
        rows = as_rows(array, name, centring=None)
        return Side("numbers", array.reshape(rows.shape), None, because, told=True)
    if taken_as == "labels" or names:
        return Side("labels", *_classes(array, name), because, told=True)
    rows = as_rows(array, name, centring=None)
    if rows.shape[1] > 1:
        raise InputError(f"{name} has {rows.shape[1]} columns, and symbols are one a row; give one column")
    return Side("symbols", *_distinct(array), because, told=True)


def recognise_side(values: ArrayLike, name: str) -> Side:
    """Say what an array holds; see :class:`Side` for the rule.

    Raises
    ------
    InputError
        When the values are neither names nor real, finite numbers, or have no rows.
    """
    array = as_array(values, name)
    if array.dtype.kind == "U" and array.size:
        return Side("labels", *_classes(array, name), "they are names")
    rows = as_rows(array, name, centring=None)
    if rows.shape[1] > 1:
        return Side("numbers", array.reshape(rows.shape), None, f"there are {rows.shape[1]} columns")
    found, counts = np.unique(array, return_counts=True)
    if array.dtype.kind in "iub":
        of = f"{len(found)} whole numbers"
        if ROWS_PER_LABEL * len(found) <= len(rows):
            because = f"{of} occur {ROWS_PER_LABEL} times each or more on average"
            return Side("labels", *_classes(array, name), because)
        if _look_like_ids(counts):
            because = f"of {of} some are far more common than their neighbours, as ids are"
            return Side("symbols", *_distinct(array), because)
        because = f"{of} occur fewer than {ROWS_PER_LABEL} times each on average"
        return Side("numbers", array.reshape(rows.shape), None, because)
    if array.dtype.kind == "f" and len(found) <= np.sqrt(len(rows)):
        return Side("symbols", *_distinct(array), f"{len(found)} different values recur")
    return Side("numbers", array.reshape(rows.shape), None, "most values are different")


def _look_like_ids(counts: NDArray[np.int64]) -> bool:
    """Whether some whole numbers are far more common than others, and their neighbours are not.

    Counts, ages and rounded values have a smooth histogram: the neighbours of a common value are common.
    """
    if len(counts) < FEWEST_IDS or counts.var() < ID_DISPERSION * counts.mean():
        return False
    ranks = rankdata(counts)
    return float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1]) < ID_CORRELATION


def _classes(array: NDArray[Any], name: str) -> tuple[NDArray[np.int64], NDArray[Any]]:
    classes, places = as_classes(array, name)
    return places, classes


def _distinct(array: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[Any]]:
    classes, places = np.unique(array, return_inverse=True)
    return places.ravel().astype(np.int64), classes
