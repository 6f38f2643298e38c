"""The split of a data set that audits, studies and planes share: over its classes, and by its groups."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.datasets.base import LabelledData
from mitools.datasets.official_parts import test_part_of
from mitools.datasets.selection import groups_of
from mitools.estimators.inputs.groups import Groups, as_groups
from mitools.estimators.inputs.splits import Parts, split

_PAIR = 2  # items of a class that the test part needs, to form a pair


def split_items(data: LabelledData, seed: int) -> Parts:
    """Split the items of a data set evenly over its classes; those of one group stay together.

    Of data that come in a training and a test part (``train=A&test=B``), the test part reports.

    Parameters
    ----------
    data
        n labelled items, and their groups where it knows them.
    seed
        Of the shuffle.

    Raises
    ------
    InputError
        When a class is too small to split, or lies in too few groups.
    """
    groups, test = item_groups(data), test_part_of(data)
    if test is None:
        return split(len(data), data.labels, seed, groups)
    return _of_official_parts(data, test, seed, groups)


def training_items(data: LabelledData, seed: int) -> NDArray[np.int64]:
    """Give the items that encoders are fitted to which need it.

    Raises
    ------
    InputError
        As :func:`split_items`.
    """
    return split_items(data, seed).train


def _of_official_parts(
    data: LabelledData, test: NDArray[np.bool_], seed: int, groups: Groups | None
) -> Parts:
    """Train and select among the items of the training part; report on those of the test part."""
    counts = np.bincount(data.labels[test], minlength=len(data.classes))
    if counts.min() < _PAIR:
        few = data.classes[int(counts.argmin())]
        raise InputError(
            f"{data.name}: class {few!r} has {counts.min()} items in the test part and needs {_PAIR}; leave"
            " it out (classes=...)"
        )
    known = np.flatnonzero(~test)
    # Numbered anew: no number may stand for a group of the test part alone.
    own = None if groups is None else np.unique(groups[known], return_inverse=True)[1]
    inner = split(len(known), data.labels[known], seed, own)
    fitted = np.sort(np.concatenate([inner.train, inner.report]))
    return Parts(known[fitted], known[inner.select], np.flatnonzero(test), groups)


def item_groups(data: LabelledData) -> Groups | None:
    """Count the groups of a data set from 0, shape (n,); None where every item stands alone.

    Raises
    ------
    InputError
        When they are no numbers or names, or all items are of one group.
    """
    groups = groups_of(data)
    return None if groups is None else as_groups(groups, len(data))


def groups_record(groups: Groups | None) -> dict[str, Any]:
    """Name the groups that a number depends on, as JSON values; nothing where there are none."""
    return {} if groups is None else {"groups": digest_text("groups", groups.tobytes().hex())}
