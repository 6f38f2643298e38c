"""Contrastive multiview coding: InfoNCE in both directions, summed over pairs of views."""

from collections.abc import Sequence

import torch
from torch import Tensor

from mitools.training.losses.infonce import infonce


def two_views(x: Tensor, y: Tensor, temperature: float = 0.07) -> Tensor:
    """Contrast two views in both directions (Tian et al. 2020, Eqs. 2 to 4), within the batch.

    An anchor's K - 1 negatives are the other items in the other view. K items, log K minus half of this is
    InfoNCE's lower bound of the mutual information of the two views, the mean of both directions.

    Parameters
    ----------
    x, y
        Shape (K, d) each, row i of one paired with row i of the other; normalised here.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats; 2 log K where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> round(float(two_views(torch.ones(8, 2), torch.ones(8, 2)).exp()), 3)
    64.0
    """
    return infonce(x, y, temperature) + infonce(y, x, temperature)


def multiview(views: Sequence[Tensor], pairs: Sequence[tuple[int, int]], temperature: float = 0.07) -> Tensor:
    """Sum the two-view loss over pairs of views: the core view (Eq. 7) or the full graph (Eq. 8).

    Parameters
    ----------
    views
        Shape (K, d) each, row i of all of them of one item; normalised here.
    pairs
        Which views are contrasted, by their places: one with all others for Eq. 7, every two for Eq. 8.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats; 2 log K a pair where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> views = [torch.ones(2, 3)] * 3
    >>> round(float(multiview(views, [(0, 1), (0, 2), (1, 2)]).exp()), 3)
    64.0
    """
    return torch.stack([two_views(views[i], views[j], temperature) for i, j in pairs]).sum()
