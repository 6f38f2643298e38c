"""Which columns of a table hold images and labels, by their usual names."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import Spec
from mitools.datasets.readers.columns import named_apart, number_classes
from mitools.datasets.targets import Targets, classes_by_value, one_class, read_targets

IMAGE_COLUMNS = (
    "image", "img", "images", "image_bytes", "jpg", "png", "path", "file", "filename", "file_name",
    "filepath", "image_path", "bytes",
)  # fmt: skip
LABEL_COLUMNS = ("label", "labels", "class", "target", "fine_label", "cls", "category", "y")


def choose_column(spec: Spec, option: str, usual: Sequence[str], names: Sequence[str], where: str) -> str:
    """Take the column that an option names, or else the only one with a usual name.

    Raises
    ------
    InputError
        When there is no such column, or none or several have a usual name.
    """
    if option in spec.options:
        asked = spec.options[option]
        if asked not in names:
            raise InputError(f"{where}: no column {asked!r}; nearest: {nearest(asked, list(names))}")
        return asked
    found = [name for name in usual if name in names]
    if not found:
        raise InputError(
            f"{where}: which column is the {option}? name it as {option}=COLUMN; it has {', '.join(names)}"
        )
    if option == "label" and len(found) > 1:
        raise InputError(f"{where}: columns {' and '.join(found)} may be the label; choose with label=COLUMN")
    return found[0]


def label_columns(spec: Spec, names: Sequence[str], where: str) -> list[str]:
    """Take the columns of labels: the usual one, the one that ``label=`` names, or several, ``label=a|b``.

    Raises
    ------
    InputError
        As :func:`choose_column`.
    """
    several = spec.options.get("label", "").split("|")
    if len(several) == 1:
        return [choose_column(spec, "label", LABEL_COLUMNS, names, where)]
    missing = next((name for name in several if name not in names), None)
    if missing is not None:
        raise InputError(f"{where}: no column {missing!r}; nearest: {nearest(missing, list(names))}")
    return several


def numbered_together(
    columns: Sequence[tuple[str, Sequence[Any], Sequence[str] | None]], where: str
) -> tuple[list[str], NDArray[np.int64]]:
    """Give classes and labels of several columns: a class is a combination of their values that occurs.

    What is measured of it is information about all of the columns together.

    Parameters
    ----------
    columns
        Name, values and names of the values of each, as :func:`numbered` takes them.
    where
        For messages.

    Raises
    ------
    InputError
        As :func:`numbered`.
    """
    each = [numbered(values, where, name, names) for name, values, names in columns]
    if len(each) == 1:
        return each[0]
    present, labels = np.unique(np.stack([labels for _, labels in each], 1), axis=0, return_inverse=True)
    classes = [
        "+".join(names[int(label)] for (names, _), label in zip(each, row, strict=True)) for row in present
    ]
    # "a+b" and "c" are written as "a" and "b+c" are.
    return named_apart(classes), labels.reshape(-1).astype(np.int64)


class Labelling(NamedTuple):
    """What the items of a table are compared with.

    Attributes
    ----------
    classes, labels
        As :class:`mitools.datasets.base.LabelledData` has them.
    targets
        Continuous targets, or several labels an item; None where every item has a class.
    """

    classes: list[str]
    labels: NDArray[np.int64]
    targets: Targets | None


def labelled(
    spec: Spec, columns: Sequence[tuple[str, Sequence[Any], Sequence[str] | None]], where: str
) -> Labelling:
    """Read columns of labels as classes, or as what ``target=`` says, or what they are found to hold.

    Parameters
    ----------
    spec
        With ``target=class``, ``continuous`` or ``multi-label``, or without.
    columns, where
        As :func:`numbered_together` takes them.

    Raises
    ------
    InputError
        As :func:`numbered_together` and :func:`mitools.datasets.targets.read_targets`.
    """
    asked = spec.options.get("target")
    targets = read_targets([(name, values) for name, values, _ in columns], asked, where)
    if targets is not None:
        classes, labels = one_class(len(targets.values))
        return Labelling(classes, labels, targets)
    if asked == "class":
        columns = [(name, classes_by_value(values), names) for name, values, names in columns]
    classes, labels = numbered_together(columns, where)
    return Labelling(classes, labels, None)


def numbered(
    values: Sequence[Any], where: str, column: str, names: Sequence[str] | None = None
) -> tuple[list[str], NDArray[np.int64]]:
    """Give classes and labels of a column of names or whole numbers.

    Parameters
    ----------
    values
        One an item.
    where, column
        For messages.
    names
        What the numbers are called, where the file says so; of two that share a name the number tells.

    Raises
    ------
    InputError
        When a value is missing, or is neither a name nor a whole number.
    """
    if not len(values):
        raise InputError(f"{where}: no rows")
    wrong = next((row for row, value in enumerate(values) if not _is_label(value)), None)
    if wrong is not None:
        raise InputError(
            f"{where}: column {column!r} holds {values[wrong]!r} in row {wrong}; labels are names or whole"
            " numbers"
        )
    classes, labels = number_classes(list(values))
    if names is not None and all(name.isdecimal() and int(name) < len(names) for name in classes):
        every = named_apart([str(name) for name in names])
        classes = [every[int(name)] for name in classes]
    return classes, labels


def _is_label(value: Any) -> bool:
    if isinstance(value, str):
        return value != "" and not value.isspace()
    return isinstance(value, int | np.integer | bool | np.bool_)
