"""Data that come in a training and a test part, as one data set that knows which items are for testing."""

import warnings
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import DataNote, InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.base import Item, LabelledData
from mitools.datasets.selection import groups_of, item_files_of
from mitools.datasets.targets import Targets, targets_of

# The option by which a source names a part of its own; of all others a part is another path.
_OPTIONS = {"clips": "part", "hf-datasets": "split", "mnist": "part", "tar": "under", "torchvision": "split"}
_NO_FILES = frozenset({"cdp", "colorful_moving_mnist", "digits", "nyu_depth", "scenes"})


class TrainAndTest:
    """Two parts of one data set, training items first; meets :class:`mitools.datasets.base.LabelledData`.

    Attributes
    ----------
    test_items
        Shape (n,): whether an item is of the test part.
    groups
        Shape (n,): those of the parts, by part and name; one that lies in both parts is one group. None where
        the parts have none.
    targets
        Those of the parts; None where every item has a class.

    Raises
    ------
    InputError
        When the test part has a class that the training part lacks, or other targets.
    """

    def __init__(self, train: LabelledData, test: LabelledData) -> None:
        known = {name: label for label, name in enumerate(train.classes)}
        new = next((name for name in test.classes if name not in known), None)
        if new is not None:
            raise InputError(f"the test part {test.name} has a class {new!r} that {train.name} lacks")
        self.name = f"{train.name}+{test.name}"
        self.classes = list(train.classes)
        renumbered = np.array([known[name] for name in test.classes], dtype=np.int64)
        self.labels = np.concatenate([train.labels, renumbered[test.labels]])
        self.digest = digest_text("train and test", train.digest, test.digest)
        self.test_items: NDArray[np.bool_] = np.arange(len(self.labels)) >= len(train)
        self.parts = (train, test)
        self.groups: NDArray[Any] | None = None
        self.targets = _together(train, test)
        first, second = groups_of(train), groups_of(test)
        if first is not None and second is not None:
            tell_groups_of_both(first, second, self.name)
            self.groups = _groups_of_both(first, second)

    def __len__(self) -> int:
        """Count the items of both parts."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Item, int]:
        """Read one item and its label."""
        train, test = self.parts
        item = train[index][0] if index < len(train) else test[index - len(train)][0]
        return item, int(self.labels[index])

    @property
    def item_files(self) -> list[str] | None:
        """The file of every item, by its path; None where items have no files of their own."""
        first, second = (item_files_of(part) for part in self.parts)
        return None if first is None or second is None else [*first, *second]


def tell_groups_of_both(train: NDArray[Any], test: NDArray[Any], name: str) -> None:
    """Tell by a note which groups lie in both parts: what is learnt in one is known again in the other.

    Parameters
    ----------
    train, test
        Shapes (n_train,) and (n_test,): the group of every item, as a number or name.
    name
        Of the data.
    """
    both = sorted(_names(train) & _names(test))
    if both:
        named = ", ".join(map(repr, both[:3])) + (", ..." if len(both) > 3 else "")
        warnings.warn(
            DataNote(
                f"{name}: the same groups lie in the training and the test part ({len(both)}: {named}), so"
                " that the test part holds nothing new of them; leave them out of one part, or call"
                " groups that only share their number by other names"
            ),
            stacklevel=3,
        )


def _names(groups: NDArray[Any]) -> set[str]:
    return {str(one) for one in np.unique(groups)}


def _groups_of_both(train: NDArray[Any], test: NDArray[Any]) -> NDArray[Any]:
    """Name the groups of both parts by part; one that lies in both keeps one name, so no fold cuts it."""
    both = _names(train) & _names(test)
    return np.array(
        [
            f"train and test {one}" if str(one) in both else f"{part} {one}"
            for part, groups in (("train", train), ("test", test))
            for one in groups
        ]
    )


def _together(train: LabelledData, test: LabelledData) -> Targets | None:
    """Put the targets of two parts one below the other."""
    first, second = targets_of(train), targets_of(test)
    if first is None and second is None:
        return None
    if first is None or second is None or (first.kind, first.names) != (second.kind, second.names):
        raise InputError(
            f"the parts {train.name} and {test.name} have other targets than each other; say with target= and"
            " label= what both are"
        )
    return first._replace(values=np.concatenate([first.values, second.values]))


def part_specs(spec: Spec) -> tuple[Spec, Spec]:
    """Give the specs of the two parts that ``train=A&test=B`` names.

    ``A`` and ``B`` are folders inside the one of ``folder:``; parts in the words of ``mnist:``, ``clips:``,
    ``torchvision:`` and ``hf-datasets:``; folders of a ``tar:``; and the paths of all other files, beside the
    one that the spec names.

    Raises
    ------
    InputError
        When one of the two is missing, or the source has no parts.
    """
    if not {"train", "test"} <= set(spec.options):
        raise InputError(f"spec {spec.text!r}: give both parts, train= and test=")
    if spec.source in _NO_FILES:
        raise InputError(f"spec {spec.text!r}: {spec.source} has no parts; leave train= and test= out")
    options: Mapping[str, str] = {k: v for k, v in spec.options.items() if k not in ("train", "test")}
    option = _OPTIONS.get(spec.source)
    if option in options:
        raise InputError(f"spec {spec.text!r}: {option}= and train= both name a part; leave {option}= out")
    first, second = spec.options["train"], spec.options["test"]
    if option is not None:
        return (
            replace(spec, options={**options, option: first}),
            replace(spec, options={**options, option: second}),
        )
    place = Path(spec.name)
    folder = place if spec.source == "folder" or place.is_dir() else place.parent
    return (
        replace(spec, name=str(folder / first), options=options),
        replace(spec, name=str(folder / second), options=options),
    )


def test_part_of(data: LabelledData) -> NDArray[np.bool_] | None:
    """Tell which items are of the test part, shape (n,); None of data without parts."""
    return getattr(data, "test_items", None)
