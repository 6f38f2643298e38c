"""Which items know each other: the frames of a clip, the slides of a patient, the crops of an image."""

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.arrays import as_array
from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.readers.columns import TABLE_ENDINGS, column_names, column_values, read_columns
from mitools.datasets.readers.npy import read_array
from mitools.datasets.selection import Selection

COLUMN_NAMES = ("groups", "group")
"""The column of a table of groups, where it has several."""


class Grouped(Selection):
    """All items of another data set, and the group of each.

    Parameters
    ----------
    data
        n labelled items.
    groups
        Shape (n,): whole numbers or names, alike for items that know each other.

    Raises
    ------
    InputError
        When there are more or fewer groups than items.
    """

    def __init__(self, data: LabelledData, groups: NDArray[Any]) -> None:
        if groups.shape != (len(data),):
            raise InputError(
                f"groups has shape {groups.shape} and {data.name} has {len(data)} items; give one an item"
            )
        super().__init__(data, np.arange(len(data)), data.labels, data.classes)
        # The items are the same, and so are their features.
        self.digest = data.digest
        self.groups = groups


def with_groups(data: LabelledData, groups: Any) -> Grouped:
    """Say which items of a data set know each other.

    Parameters
    ----------
    data
        n labelled items.
    groups
        Shape (n,): an array, list, Series or tensor; or the path of a file that :func:`read_groups` reads.

    Raises
    ------
    InputError
        When it cannot be read, or is of another length.
    """
    if isinstance(groups, str | PathLike):
        return Grouped(data, read_groups(Path(groups)))
    return Grouped(data, as_array(groups, "groups"))


def open_groups(spec: Spec, value: str) -> NDArray[Any]:
    """Read the groups that a data spec names: a file of its own, or a column of the data's file.

    Parameters
    ----------
    spec
        Of the data.
    value
        The path of a ``.npy``, ``.csv`` or ``.parquet`` file; or a column of the table that a ``text:`` or
        ``features:`` spec names.

    Returns
    -------
    NDArray[Any]
        Shape (n,), in the order of the data's items.

    Raises
    ------
    InputError
        When there is no such file or column.
    """
    path = Path(value)
    if path.suffix in (".npy", *TABLE_ENDINGS):
        return read_groups(path)
    if spec.source in ("text", "features") and Path(spec.name).suffix in TABLE_ENDINGS:
        table = Path(spec.name)
        return np.array(column_values(table, read_columns(table, [value]), value))
    raise InputError(
        f"groups={value}: neither a .npy, .csv or .parquet file nor a column of the data's table; write one"
        " group an item into a file"
    )


def read_groups(path: Path) -> NDArray[Any]:
    """Read one group an item: a ``.npy`` array, or a table with one column or one called ``group``.

    Raises
    ------
    InputError
        When the file cannot be read, or several columns could be meant.
    """
    if path.suffix not in TABLE_ENDINGS:
        return read_array(path)
    names = column_names(path)
    named = names if len(names) == 1 else [name for name in names if name in COLUMN_NAMES]
    if len(named) != 1:
        raise InputError(f"{path} has columns {', '.join(names)}; call the one of the groups 'group'")
    return np.array(column_values(path, read_columns(path, named), named[0]))
