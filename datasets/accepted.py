"""Everything that may stand for labelled data, and how each of it is read."""

import os
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from mitools.core.errors import InputError
from mitools.core.progress import Advance, silent
from mitools.datasets.arrays import labelled_arrays, labelled_table
from mitools.datasets.base import LabelledData
from mitools.datasets.open import open_data

ACCEPTED_DATA = (
    "a spec such as 'tar:images.tar', a torch Dataset or DataLoader of (image, label), arrays or tensors"
    " (X, y), or a DataFrame with a column of labels"
)
"""For messages."""


def as_labelled_data(
    data: Any,
    *,
    label: str | Sequence[str] | None = None,
    target: str | None = None,
    workers: int | None = None,
    advance: Advance = silent,
) -> LabelledData:
    """Take whatever holds labelled items as labelled data.

    Items keep their order. Classes are numbered by their numbers, or their names in alphabetical order: as a
    folder of classes is numbered, so that the same items and labels give the same numbers from anywhere.

    Parameters
    ----------
    data
        A spec (:func:`mitools.datasets.open.open_data`); labelled data already; a torch Dataset or a
        DataLoader (:mod:`mitools.datasets.torch_items`), or a list of ``(item, label)``; ``(X, y)``
        (:func:`mitools.datasets.arrays.labelled_arrays`), where X may also be tensors ready for a network,
        or PIL images; a DataFrame (:func:`mitools.datasets.arrays.labelled_table`).
    label
        The column of labels of a DataFrame, or several.
    target
        What labels in memory are: ``class``, ``continuous`` or ``multi-label``; None to recognise it.
    workers
        Processes that read a Dataset; those of a DataLoader, or none, when None.
    advance
        Told how many items of a Dataset are read: it is read once to know its labels and its digest.

    Raises
    ------
    InputError
        When it is none of these, or cannot be read.
    """
    torch, pandas = sys.modules.get("torch"), sys.modules.get("pandas")
    if target is not None and (isinstance(data, str) or hasattr(data, "digest")):
        raise InputError(
            f"target={target!r} is for labels in memory; name it in the spec, as target={target}"
        )
    if isinstance(data, str):
        if label is not None:
            raise InputError(
                f"label={label!r} names a column of a DataFrame; name it in the spec, as label=COLUMN"
            )
        return open_data(data)
    if isinstance(data, os.PathLike):
        raise InputError(f"data is a path; say what lies there in a spec, such as 'folder:{os.fspath(data)}'")
    if pandas is not None and isinstance(data, pandas.DataFrame):
        return labelled_table(data, label, target)
    if all(hasattr(data, name) for name in ("name", "classes", "labels", "digest")):
        found: LabelledData = data
        return found
    if label is not None:
        raise InputError(f"label={label!r} names a column of a DataFrame, and data is a {_kind(data)}")
    if isinstance(data, tuple):
        if len(data) != 2:
            raise InputError(f"data is a tuple of {len(data)}; give (X, y): items and their labels")
        return _of_pair(*data, target=target, advance=advance)
    if isinstance(data, list) and not data:
        raise InputError(f"data is an empty list; give {ACCEPTED_DATA}")
    if isinstance(data, list) and len(data) == 2 and _are_columns(*data):
        raise InputError("data is a list of two; items and their labels must be a tuple (X, y)")
    if torch is not None and isinstance(data, torch.utils.data.DataLoader):
        from mitools.datasets.torch_items import read_loader

        return read_loader(data, workers=workers, advance=advance, target=target)
    is_dataset = torch is not None and isinstance(data, torch.utils.data.Dataset)
    if is_dataset or (isinstance(data, list) and data and isinstance(data[0], tuple | list)):
        from mitools.datasets.torch_items import read_dataset

        return read_dataset(data, workers=workers or 0, advance=advance, target=target)
    raise InputError(f"data is a {_kind(data)}; give {ACCEPTED_DATA}")


def _are_columns(first: Any, second: Any) -> bool:
    """Whether two members of a list look like items and their labels, and not like two (item, label)."""
    if isinstance(first, list) and len(first) == 2:
        return False
    pair = (first, second)
    return all(hasattr(one, "__len__") and not isinstance(one, str | tuple | Mapping) for one in pair)


def _of_pair(items: Any, labels: Any, target: str | None, advance: Advance) -> LabelledData:
    """Take ``(X, y)``; items that are no array of rows, pixels or texts are read one by one."""
    if isinstance(items, Mapping | str) or not hasattr(items, "__len__") or not hasattr(labels, "__len__"):
        raise InputError(f"data is ({_kind(items)}, {_kind(labels)}); give {ACCEPTED_DATA}")
    if len(items) != len(labels):
        raise InputError(f"X has {len(items)} items and y has {len(labels)} labels; they must pair up")
    if isinstance(items, list | tuple) and len(items):
        one_by_one = hasattr(items[0], "convert") or len(getattr(items[0], "shape", ())) > 1
    else:
        is_bytes = str(getattr(items, "dtype", "")).removeprefix("torch.") == "uint8"
        one_by_one = len(getattr(items, "shape", ())) > 2 and not is_bytes
    if not one_by_one:
        return labelled_arrays(items, labels, target)
    from mitools.core.arrays import as_array
    from mitools.datasets.torch_items import read_dataset

    pairs = _Pairs(items, as_array(labels, "labels"))
    return read_dataset(pairs, name="arrays", advance=advance, target=target)


class _Pairs:
    """Items and labels side by side."""

    def __init__(self, items: Any, labels: Any) -> None:
        self.items, self.labels = items, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self.items[index], self.labels[index]


def _kind(value: Any) -> str:
    return type(value).__name__
