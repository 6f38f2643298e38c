"""The split of a data set that audits, studies and planes share: over its classes, and by its groups."""

from typing import Any

from mitools.core.files import digest_text
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import groups_of
from mitools.estimators.inputs.groups import Groups, as_groups
from mitools.estimators.inputs.splits import Parts, split


def split_items(data: LabelledData, seed: int) -> Parts:
    """Split the items of a data set evenly over its classes; those of one group stay together.

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
    return split(len(data), data.labels, seed, item_groups(data))


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
