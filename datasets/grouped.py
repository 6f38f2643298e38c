"""Which items depend on each other: the frames of a clip, the slides of a patient, the crops of an image."""

import re
import warnings
from collections.abc import Sequence
from os import PathLike
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.arrays import as_array
from mitools.core.errors import DataNote, InputError
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.images.tables import IMAGE_COLUMNS
from mitools.datasets.official_parts import tell_groups_of_both, test_part_of
from mitools.datasets.readers.columns import (
    TABLE_ENDINGS,
    as_they_are,
    column_names,
    column_values,
    read_columns,
    text_columns,
)
from mitools.datasets.readers.npy import read_array
from mitools.datasets.selection import Selection, item_files_of

COLUMN_NAMES = ("groups", "group")
"""The column of a table of groups, where it has several."""


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_WHOLE = re.compile(r"(-?(?:0|[1-9]\d*))(?:\.0*)?", re.ASCII)

_SEVERAL = -1
"""Stands for the row of an ending that several paths of a table have."""


class Grouped(Selection):
    """All items of another data set, and the group of each.

    Parameters
    ----------
    data
        n labelled items.
    groups
        Shape (n,): whole numbers or names, alike for items that depend on each other. Whole numbers that were
        written as 1.0 are 1.

    Raises
    ------
    InputError
        When there are more or fewer groups than items, or one number is written in two ways.
    """

    groups: NDArray[Any]

    def __init__(self, data: LabelledData, groups: NDArray[Any]) -> None:
        if groups.shape != (len(data),):
            raise InputError(
                f"groups has shape {groups.shape} and {data.name} has {len(data)} items; give one an item"
            )
        super().__init__(data, np.arange(len(data)), data.labels, data.classes)
        # The items are the same, and so are their features.
        self.digest = data.digest
        self.groups = _without_point(groups, data.name)


def with_groups(data: LabelledData, groups: Any) -> Grouped:
    """Say which items of a data set depend on each other.

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
        named = read_groups(Path(groups), item_files_of(data))
    else:
        named = as_array(groups, "groups")
    grouped, test = Grouped(data, named), test_part_of(data)
    if test is not None:
        tell_groups_of_both(grouped.groups[~test], grouped.groups[test], data.name)
    return grouped


def _without_point(groups: NDArray[Any], name: str) -> NDArray[Any]:
    """Read whole numbers that a program has written as 1.0, as it does beside empty cells."""
    if groups.dtype.kind == "f" and (groups == np.round(groups)).all() and (np.abs(groups) <= 2.0**53).all():
        return groups.astype(np.int64)
    if groups.dtype.kind not in "UO":
        return groups
    texts = np.unique(groups).tolist()
    number = {text: found for text in texts if (found := _WHOLE.fullmatch(str(text)))}
    if len(number) < len(texts) or not any("." in str(text) for text in texts):
        return groups
    whole: dict[str, str] = {}
    for text, found in number.items():
        value = "0" if found[1] == "-0" else found[1]
        other = whole.setdefault(value, text)
        if other != text:
            raise InputError(
                f"{name}: groups hold {str(other)!r} and {str(text)!r}, which may be one group or two; write"
                " every number in one way"
            )
    value_of = {text: value for value, text in whole.items()}
    return np.array([value_of[text] for text in groups])


def open_groups(spec: Spec, value: str, files: Sequence[str] | None = None) -> NDArray[Any]:
    """Read the groups that a data spec names: a file of its own, or a column of the data's file.

    Parameters
    ----------
    spec
        Of the data.
    value
        The path of a ``.npy``, ``.csv`` or ``.parquet`` file; or a column of the table that a ``text:`` or
        ``features:`` spec names.
    files
        As :func:`read_groups` takes them.

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
        return read_groups(path, files)
    if spec.source in ("text", "features") and Path(spec.name).suffix in TABLE_ENDINGS:
        table = Path(spec.name)
        return as_they_are(column_values(table, read_columns(table, [value]), value))
    raise InputError(
        f"groups={value}: neither a .npy, .csv or .parquet file nor a column of the data's table; write one"
        " group an item into a file"
    )


def read_groups(path: Path, files: Sequence[str] | None = None) -> NDArray[Any]:
    """Read one group an item: a ``.npy`` array, or a table with one column or one called ``group``.

    Groups are in the order of the items; or, where items have files and the table has a column of paths
    (texts called ``path``, ``file``, ``image`` and the like), found by these, in whatever order the rows are.
    Where items have no files, a note tells that paths are not read.

    Parameters
    ----------
    path
        Of the array or table.
    files
        The file of every item, where items have files of their own.

    Raises
    ------
    InputError
        When the file cannot be read, several columns could be meant, or paths do not name the items' files.
    """
    if path.suffix not in TABLE_ENDINGS:
        return read_array(path)
    names = column_names(path)
    named = names if len(names) == 1 else [name for name in names if name in COLUMN_NAMES]
    if len(named) != 1:
        raise InputError(f"{path} has columns {', '.join(names)}; call the one of the groups 'group'")
    texts = text_columns(path)
    may_be_paths = [name for name in IMAGE_COLUMNS if name in texts and name not in named]
    table = read_columns(path, [*may_be_paths, named[0]])
    groups = as_they_are(column_values(path, table, named[0]))
    of_paths = next((name for name in may_be_paths if _is_of_paths(table[name].to_pylist())), None)
    if of_paths is None:
        return groups
    if files is None:
        warnings.warn(
            DataNote(
                f"{path}: items here have no files of their own, so rows are taken in order, and column"
                f" {of_paths!r} is not read; sort the rows as the items are"
            ),
            stacklevel=2,
        )
        return groups
    return groups[_rows_of(files, column_values(path, table, of_paths), path)]


def _is_of_paths(values: Sequence[str | None]) -> bool:
    """Tell a column of paths from one of numbers, which come as text from a CSV file."""
    return any(one and not _NUMBER.fullmatch(one.strip()) for one in values)


def _rows_of(files: Sequence[str], paths: Sequence[str], where: Path) -> list[int]:
    """Find the row of every file in a table of paths, whose first folders may be missing or be others."""
    listed = [PurePosixPath(path.replace("\\", "/")) for path in paths]
    row = {path.as_posix(): place for place, path in enumerate(listed)}
    if len(row) < len(paths):
        raise InputError(f"{where}: lists a path twice; list every file once")
    split = [PurePosixPath(file).parts for file in files]
    shared = _shared_folders(split)
    ending: dict[str, int] | None = None  # made where a path is not the end of a file's: it takes memory
    found: dict[int, str] = {}
    for file, parts in zip(files, split, strict=True):
        ends = ["/".join(parts[start:]).replace("//", "/") for start in range(len(parts))]
        place = next((row[end] for end in ends if end in row), None)
        if place is None:
            # All below the folder that all files share tells a file, and one folder at the least.
            own = max(2, len(parts) - shared)
            ending = _by_ending(listed) if ending is None else ending
            place = next((ending[end] for end in ends[: len(ends) - own + 1] if end in ending), None)
        if place is None:
            raise InputError(
                f"{where}: lists no {'/'.join(parts[-own:])}, as the data name {file}; list every file of the"
                " data by a path that ends so"
            )
        if place == _SEVERAL:
            raise InputError(f"{where}: several paths may be {file}; write them as the data do")
        if place in found:
            raise InputError(
                f"{where}: {paths[place]!r} may be {found[place]} or {file}; write more of the path"
            )
        found[place] = file
    return list(found)


def _shared_folders(split: Sequence[tuple[str, ...]]) -> int:
    """Count the first parts that the paths of all files share, their names left aside."""
    first, last = min(split), max(split)
    pairs = enumerate(zip(first, last, strict=False))
    return next((k for k, (one, other) in pairs if one != other), len(first) - 1)


def _by_ending(listed: Sequence[PurePosixPath]) -> dict[str, int]:
    """Give the row of every ending of two parts and more of the paths of a table, or `_SEVERAL`."""
    ending: dict[str, int] = {}
    for place, path in enumerate(listed):
        for start in range(len(path.parts) - 1):
            end = "/".join(path.parts[start:]).replace("//", "/")
            ending[end] = _SEVERAL if end in ending else place
    return ending
