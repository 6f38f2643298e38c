"""Retrieval: whether the nearest other item shares the class."""

import torch
from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import as_labels, same_length
from mitools.metrics.nearest_rows import nearest_rows
from mitools.metrics.sphere import BLOCK_ROWS, Device, Features, UnitRows


def recall_at_1(features: Features, labels: ArrayLike, device: Device = "cpu") -> float:
    """Share of items whose nearest other item, by cosine, has the same class; higher is better.

    An item that is alone in its class has nothing to find and is set aside as a query; it still stands
    in the way of others.

    Parameters
    ----------
    features
        Shape (n, d), L2-normalised here. A row of zeros stays at the origin and has cosine 0 with every row.
    labels
        Shape (n,).
    device
        Where to compute.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    InputError
        When no class has two items, the lengths differ, or values are not finite.

    References
    ----------
    Oh Song et al., "Deep Metric Learning via Lifted Structured Feature Embedding", CVPR 2016.
    """
    unit = UnitRows(features, device)
    label = torch.from_numpy(as_labels(labels))
    same_length(len(unit), len(label), "features", "labels")
    has_partner = torch.bincount(label)[label] > 1
    if not bool(has_partner.any()):
        raise InputError("recall_at_1 looks for items of one class, but no class has two items")
    hits = 0
    for start in range(0, len(unit), BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        rows = unit[block]
        own = torch.arange(start, start + len(rows))
        _, place = nearest_rows(rows, unit, 2)
        first, second = place.cpu().unbind(dim=1)
        # An item is not always its own first: duplicates tie with it, and may even push it off the list.
        other = torch.where(first == own, second, first)
        hits += int(((label[other] == label[block]) & has_partner[block]).sum())
    return hits / int(has_partner.sum())
