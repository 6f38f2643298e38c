"""Tolerance: how alike items of one class are."""

import torch
from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.estimators.inputs.validation import as_labels, same_length
from mitools.metrics.sphere import BLOCK_ROWS, Features, unit_rows


def tolerance(features: Features, labels: ArrayLike) -> float:
    """Mean cosine similarity of two different items of one class; higher is better.

    Every same-class pair weighs the same, so large classes count for more. Computed from class sums on the
    CPU in O(n d): ``sum over i != j in c of <x_i, x_j> = ||sum_c x||^2 - sum_c ||x||^2``.

    Parameters
    ----------
    features
        Shape (n, d), L2-normalised here. A row of zeros stays at the origin and has cosine 0 with every row.
    labels
        Shape (n,).

    Returns
    -------
    float
        Between -1 and 1; ``1 - alignment / 2`` for alignment (alpha 2) over the same pairs.

    Raises
    ------
    InputError
        When no class has two items, the lengths differ, or values are not finite.

    References
    ----------
    Wang and Liu, "Understanding the Behaviour of Contrastive Loss", CVPR 2021; their mean runs over all
    pairs, which is :func:`tolerance_all_pairs`. Lee et al. tabulate it over same-class pairs, as here.
    """
    total, pairs, _ = _same_class_cosine(features, labels)
    if pairs == 0:
        raise InputError("tolerance compares items of one class, but no class has two items")
    return total / pairs


def tolerance_all_pairs(features: Features, labels: ArrayLike) -> float:
    """Mean over all pairs i != j of cosine similarity times "same class"; higher is better.

    The definition of Wang and Liu, with the indicator inside the mean. It grows with the share of
    same-class pairs (about one over the number of classes), so it compares encoders, never data sets.

    Parameters
    ----------
    features, labels
        As for :func:`tolerance`.

    Raises
    ------
    InputError
        When there are fewer than two rows, the lengths differ, or values are not finite.

    References
    ----------
    Wang and Liu, "Understanding the Behaviour of Contrastive Loss", CVPR 2021.
    """
    total, _, n = _same_class_cosine(features, labels)
    if n < 2:
        raise InputError("tolerance compares pairs of rows; give at least two rows")
    return total / (n * (n - 1))


def _same_class_cosine(features: Features, labels: ArrayLike) -> tuple[float, int, int]:
    """Sum of cosines over ordered same-class pairs i != j, the number of such pairs, and n."""
    index = torch.from_numpy(as_labels(labels))
    n, d = len(features), features.shape[-1]
    same_length(n, len(index), "features", "labels")
    counts = torch.bincount(index)
    sums = torch.zeros(len(counts), d, dtype=torch.float64)
    squares = 0.0
    for start in range(0, n, BLOCK_ROWS):
        block = slice(start, start + BLOCK_ROWS)
        unit = unit_rows(features[block]).double()
        sums.index_add_(0, index[block], unit)
        squares += float(unit.square().sum())
    return float(sums.square().sum()) - squares, int((counts * (counts - 1)).sum()), n
