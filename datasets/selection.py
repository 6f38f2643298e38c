"""Which items of a data set are used, and whether there are enough of them."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import nearest
from mitools.datasets.base import Item, LabelledData, MultimodalData, modalities_of
from mitools.datasets.targets import targets_of


def groups_of(data: LabelledData) -> NDArray[Any] | None:
    """Give the group of every item, shape (n,), where a data set knows it: numbers or names."""
    return getattr(data, "groups", None)


def item_files_of(data: LabelledData) -> Sequence[str] | None:
    """Give the file of every item by its path, n of them, where items have files of their own."""
    found: Sequence[str] | None = getattr(data, "item_files", None)
    return found


def segments_of(data: LabelledData) -> Sequence[str]:
    """Name the classes of the segmentation, in the order of their numbers; none where data have none."""
    return getattr(data, "segments", ())


class Selection:
    """Some items of another data set; meets :class:`mitools.datasets.base.LabelledData`.

    Parameters
    ----------
    data
        The data set selected from.
    indices
        Shape (m,), positions in `data`.
    labels
        Shape (m,), the labels the items have here.
    classes
        The class names these labels stand for.

    Attributes
    ----------
    groups
        Shape (m,), those of `data`; None where it has none.
    test_items
        Shape (m,), whether an item is of the test part of `data`; None where it has no parts.
    targets
        Those of `data`; None where every item has a class.
    """

    def __init__(
        self,
        data: LabelledData,
        indices: NDArray[np.int64],
        labels: NDArray[np.int64],
        classes: Sequence[str],
    ) -> None:
        self.name = data.name
        self.classes = list(classes)
        self.labels = labels
        which = hashlib.sha256(indices.tobytes() + labels.tobytes()).hexdigest()
        self.digest = digest_text("selection", data.digest, which, *classes)
        self.data = data
        self.indices = indices
        groups = groups_of(data)
        self.groups = None if groups is None else groups[indices]
        targets = targets_of(data)
        self.targets = None if targets is None else targets.at(indices)
        test_items = getattr(data, "test_items", None)
        self.test_items = None if test_items is None else test_items[indices]

    def __len__(self) -> int:
        """Count the items."""
        return len(self.indices)

    def __getitem__(self, index: int) -> tuple[Item, int]:
        """Read one item and its label."""
        return self.data[int(self.indices[index])][0], int(self.labels[index])

    @property
    def item_files(self) -> list[str] | None:
        """The file of every item, by its path; None where items have no files of their own."""
        files = item_files_of(self.data)
        return None if files is None else [files[int(place)] for place in self.indices]

    @property
    def modalities(self) -> tuple[str, ...]:
        """What the data have beside ``image``."""
        return modalities_of(self.data)[1:]

    @property
    def segments(self) -> Sequence[str]:
        """The classes of the segmentation, where the data have one."""
        return segments_of(self.data)

    def modality(self, index: int, name: str) -> NDArray[np.float32] | NDArray[np.uint8] | None:
        """Read one modality of one item; None where this item lacks it.

        Raises
        ------
        InputError
            When the data have no such modality.
        """
        if not isinstance(self.data, MultimodalData):
            raise InputError(f"{self.name} has images alone, and no modality {name!r}")
        return self.data.modality(int(self.indices[index]), name)


def take_evenly(data: LabelledData, limit: int) -> LabelledData:
    """Keep `limit` items, evenly spaced over the items in order of class.

    Every class keeps its share of the items to within one, and the items kept are spread over the class
    rather than its first ones. With no more than `limit` items the data set itself is returned.

    Raises
    ------
    InputError
        When `limit` is smaller than the number of classes.
    """
    n = len(data)
    if limit >= n:
        return data
    if limit < len(data.classes):
        raise InputError(
            f"limit={limit} would leave classes of {data.name} empty; it has {len(data.classes)} classes"
        )
    positions = (2 * np.arange(limit, dtype=np.int64) + 1) * n // (2 * limit)
    indices = np.sort(np.argsort(data.labels, kind="stable")[positions])
    return Selection(data, indices, data.labels[indices], data.classes)


def keep_classes(data: LabelledData, names: Sequence[str]) -> LabelledData:
    """Keep the items of the named classes; labels are renumbered in the order of `names`.

    Raises
    ------
    InputError
        When a name is no class of the data, or comes twice.
    """
    known = list(data.classes)
    for name in names:
        if name not in known:
            raise InputError(f"{data.name} has no class {name!r}; accepted: {nearest(name, known)}")
    if len(set(names)) < len(names):
        raise InputError(f"classes={','.join(names)} names a class twice")
    renumbered = np.full(len(known), -1, dtype=np.int64)
    renumbered[[known.index(name) for name in names]] = np.arange(len(names))
    labels = renumbered[data.labels]
    indices = np.flatnonzero(labels >= 0)
    return Selection(data, indices, labels[indices], names)


def leave_out(data: LabelledData, names: Sequence[str]) -> LabelledData:
    """Leave out the items whose label stands for no class, such as ``-1`` or ``unknown``.

    Raises
    ------
    InputError
        When a name is no label of the data, or no class is left.
    """
    unknown = [name for name in names if name not in data.classes]
    if unknown:
        raise InputError(
            f"ignore={unknown[0]}: {data.name} has no such label; nearest:"
            f" {nearest(unknown[0], data.classes)}"
        )
    kept = [name for name in data.classes if name not in names]
    if not kept:
        raise InputError(f"ignore={','.join(names)} leaves nothing of {data.name}; leave one out")
    return keep_classes(data, kept)


def require_classes(data: LabelledData, at_least_per_class: int) -> None:
    """Check that there are two classes or more, each with enough items.

    Raises
    ------
    InputError
        When there is a single class, or a class has fewer than `at_least_per_class` items.
    """
    targets = targets_of(data)
    if targets is not None:
        raise InputError(
            f"{data.name} has {targets.kind} targets ({', '.join(targets.names[:3])}) and no classes; mitools"
            " audit reads them, all else needs classes: name them with label= or target=class"
        )
    if len(data.classes) < 2:
        only = f" ({data.classes[0]!r})" if data.classes else ""
        raise InputError(
            f"{data.name} has {len(data.classes)} class{only}; information about the class needs two or more"
        )
    counts = np.bincount(data.labels, minlength=len(data.classes))
    short = int(np.argmin(counts))
    if counts[short] < at_least_per_class:
        images = "image" if counts[short] == 1 else "images"
        raise InputError(
            f"{data.name}: class {data.classes[short]!r} has {counts[short]} {images} and needs at least "
            f"{at_least_per_class}; add images or leave the class out (classes=...)"
        )


def items_at(data: LabelledData, indices: Sequence[int]) -> Iterator[Item]:
    """Give items in order, without their labels: made together where the data make batches.

    Images that are drawn, not read, take a tenth of the time so.

    Parameters
    ----------
    data
        Any data set; a selection is read from what it selects from.
    indices
        Numbers of the items, a batch of them: all are made at once.
    """
    while isinstance(data, Selection):
        indices = [int(data.indices[index]) for index in indices]
        data = data.data
    together = getattr(data, "__getitems__", None)
    pairs = (data[index] for index in indices) if together is None else together(indices)
    return (item for item, _ in pairs)
