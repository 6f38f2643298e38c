"""Targets that are no classes: continuous ones, and several labels an item."""

import warnings
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import DataNote, InputError

TargetKind = Literal["continuous", "multi-label"]

TARGET_CHOICES = ("class", "continuous", "multi-label")
"""What ``target=`` may say that the labels of a data set are."""

ONE_CLASS = "any"
"""What the one class of data with other targets is called."""

CLASSES_AT_MOST = 20
"""Texts such as ``1.5`` are taken for names of classes where no more than so many of them differ."""

_ZERO_OR_ONE = frozenset({"0", "1", "0.0", "1.0", "false", "true"})
_BINARY = {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "false": 0, "true": 1, "no": 0, "yes": 1}

Values = Sequence[Any] | NDArray[Any]
Column = tuple[str, Values]


class Targets(NamedTuple):
    """What the items of a data set are to be compared with, where that is not one class each.

    Attributes
    ----------
    kind
        ``continuous``: numbers; ``multi-label``: labels that an item has or has not.
    names
        k names.
    values
        Shape (n, k), float64; 0 or 1 of labels.
    """

    kind: TargetKind
    names: tuple[str, ...]
    values: NDArray[np.float64]

    def at(self, items: NDArray[np.int64]) -> "Targets":
        """Give those of some items, by their places."""
        return self._replace(values=self.values[items])


def targets_of(data: Any) -> Targets | None:
    """Give the targets of a data set; None where every item has a class."""
    found: Targets | None = getattr(data, "targets", None)
    return found


def one_class(n: int) -> tuple[list[str], NDArray[np.int64]]:
    """Give the classes and labels of n items that have other targets: one class of all."""
    return [ONE_CLASS], np.zeros(n, dtype=np.int64)


def require_choice(asked: str | None) -> None:
    """Refuse a word that is none of :data:`TARGET_CHOICES`.

    Raises
    ------
    InputError
        With the words that are.
    """
    if asked is not None and asked not in TARGET_CHOICES:
        raise InputError(f"target={asked} is none of {', '.join(TARGET_CHOICES)}")


def read_targets(columns: Sequence[Column], asked: str | None, where: str) -> Targets | None:
    """Read continuous targets or several labels an item; None where the columns hold one class an item.

    Numbers with fractions are continuous targets: of a column of numbers whatever they are, of texts where
    more than :data:`CLASSES_AT_MOST` of them differ. Lists, and rows of 0 and 1 that are not one-hot, are
    labels of which an item may have several. What is recognised so is told (:class:`.DataNote`).

    Parameters
    ----------
    columns
        The name and the values of each, one an item; values of shape (n, k) are k columns.
    asked
        One of :data:`TARGET_CHOICES`; None to recognise it.
    where
        For messages.

    Raises
    ------
    InputError
        When values are not what is asked for, a number is missing or not finite, or a target does not vary.

    Examples
    --------
    >>> read_targets([("cat", [0, 1, 1]), ("dog", [1, 1, 0])], "multi-label", "pets").values.tolist()
    [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    >>> read_targets([("tags", ["cat|dog", "dog", "", "cat"])], "multi-label", "pets").names
    ('cat', 'dog')
    """
    require_choice(asked)
    columns = [(name, _one_row_an_item(values)) for name, values in columns]
    kind = asked or _recognised(columns)
    if kind is None or kind == "class":
        return None
    names, values = (_numbers if kind == "continuous" else _labels)(columns, where)
    constant = next((name for name, column in zip(names, values.T, strict=True) if np.ptp(column) == 0), None)
    if constant is not None:
        raise InputError(f"{where}: target {constant!r} is the same for all items; leave it out")
    if asked is None:
        shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
        verb, other = ("is", "class") if kind == "continuous" else ("are", "continuous")
        said = f"{where}: {shown} {verb if len(names) == 1 else 'are'} read as {_WORDS[kind]}"
        warnings.warn(DataNote(f"{said}; say otherwise with target={other}"), stacklevel=2)
    return Targets("continuous" if kind == "continuous" else "multi-label", tuple(names), values)


_WORDS = {"continuous": "continuous", "multi-label": "several labels an item"}


def classes_by_value(values: Values) -> list[Any]:
    """Name classes after numbers with fractions, where these are said to be classes.

    Examples
    --------
    >>> classes_by_value([0.5, 1.0]), classes_by_value([3.0, 1.0])
    (['0.5', '1.0'], [3.0, 1.0])
    """
    fractions = any(isinstance(value, float | np.floating) and value != round(value) for value in values)
    return [repr(float(value)) if fractions else value for value in values]


def _recognised(columns: Sequence[Column]) -> str | None:
    if any(_is_table(values) for _, values in columns):
        return _recognised_table(
            np.concatenate([np.asarray(one, float).reshape(len(one), -1) for _, one in columns], axis=1)
        )
    if len(columns) == 1 and any(isinstance(value, list | tuple) for value in columns[0][1]):
        return "multi-label"
    return "continuous" if all(_are_fractions(values) for _, values in columns) else None


def _recognised_table(values: NDArray[np.float64]) -> str | None:
    binary = bool(((values == 0) | (values == 1)).all())
    if values.shape[1] < 2 or (binary and (values.sum(axis=1) == 1).all()):
        return None
    if binary:
        return "multi-label"
    # Whole numbers side by side may be anything.
    return "continuous" if np.isfinite(values).all() and (values != np.round(values)).any() else None


def _one_row_an_item(values: Values) -> Values:
    """Take shapes (n, 1) and (1, n) for (n,)."""
    if isinstance(values, np.ndarray) and values.ndim == 2 and 1 in values.shape:
        return values.reshape(-1)
    return values


def _is_table(values: Values) -> bool:
    return isinstance(values, np.ndarray) and values.ndim == 2


def _are_fractions(values: Values) -> bool:
    """Whether all are numbers and some have fractions; of texts, many different ones."""
    array = values if isinstance(values, np.ndarray) else np.asarray(values, dtype=object)
    kinds = {type(value) for value in array.ravel().tolist()}
    if not kinds or not kinds <= {str, int, float}:
        return False
    try:
        numbers = array.astype(np.float64).ravel()
    except (ValueError, OverflowError):
        return False
    if not np.isfinite(numbers).all() or (numbers == np.round(numbers)).all():
        return False
    return str not in kinds or len(np.unique(numbers)) > CLASSES_AT_MOST


def _numbers(columns: Sequence[Column], where: str) -> tuple[list[str], NDArray[np.float64]]:
    names, parts = [], []
    for name, values in columns:
        try:
            part = np.asarray(values, dtype=np.float64).reshape(len(values), -1)
        except (ValueError, TypeError):
            wrong = next((row for row, value in enumerate(values) if not _is_number(value)), 0)
            raise InputError(
                f"{where}: column {name!r} holds {values[wrong]!r} in row {wrong}; a continuous target is a"
                " number for every item"
            ) from None
        if not np.isfinite(part).all():
            row = int(np.argmin(np.isfinite(part).all(axis=1)))
            raise InputError(f"{where}: {name!r} is not finite in row {row}; drop such rows")
        names += _numbered_names(name, part.shape[1])
        parts.append(part)
    return names, np.concatenate(parts, axis=1)


def _labels(columns: Sequence[Column], where: str) -> tuple[list[str], NDArray[np.float64]]:
    if len(columns) == 1 and not _is_table(columns[0][1]):
        return _tags(*columns[0], where)
    names, parts = [], []
    for name, values in columns:
        part = np.asarray(values, dtype=object)
        part = part.reshape(len(part), -1)
        known = [_BINARY.get(str(value).strip().lower()) for value in part.ravel().tolist()]
        if None in known:
            place = known.index(None)
            raise InputError(
                f"{where}: column {name!r} holds {part.ravel()[place]!r} in row {place // part.shape[1]}; a"
                " label of several is 0 or 1 for every item"
            )
        names += _numbered_names(name, part.shape[1])
        parts.append(np.array(known, dtype=np.float64).reshape(part.shape))
    return names, np.concatenate(parts, axis=1)


def _tags(name: str, values: Values, where: str) -> tuple[list[str], NDArray[np.float64]]:
    """Read one column of lists: of 0 and 1, all equally long; of the names or numbers of labels; or texts."""
    lists = [_parted(value, name, row, where) for row, value in enumerate(values)]
    lengths = {len(one) for one in lists}
    flat = [value for one in lists for value in one]
    if len(lengths) == 1 and max(lengths) > 1 and {str(value).lower() for value in flat} <= _ZERO_OR_ONE:
        size = max(lengths)
        table = np.array([_BINARY[str(value).lower()] for value in flat], dtype=np.float64)
        return _numbered_names(name, size), table.reshape(-1, size)
    numeric = all(isinstance(value, int | np.integer) for value in flat)
    there = sorted(set(flat)) if numeric else sorted({str(value) for value in flat})
    if not there:
        raise InputError(f"{where}: no item has a label in column {name!r}")
    number = {value: k for k, value in enumerate(there)}
    table = np.zeros((len(lists), len(there)))
    rows = np.repeat(np.arange(len(lists)), [len(one) for one in lists])
    table[rows, [number[value if numeric else str(value)] for value in flat]] = 1
    return [str(value) for value in there], table


def _parted(value: Any, name: str, row: int, where: str) -> list[Any]:
    if isinstance(value, list | tuple | np.ndarray):
        return list(value)
    if isinstance(value, str):
        return [part.strip() for part in value.replace(";", "|").split("|") if part.strip()]
    raise InputError(
        f"{where}: column {name!r} holds {value!r} in row {row}; several labels are a list, or a text with |"
        " between them; of one column a label name them all: label=a|b"
    )


def _numbered_names(name: str, count: int) -> list[str]:
    return [name] if count == 1 else [f"{name}[{k}]" for k in range(count)]


def _is_number(value: Any) -> bool:
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True
