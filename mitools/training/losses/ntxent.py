"""NT-Xent of two views: positives against the rest of the batch, or against another data set."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from mitools.estimators.bounds.nt_xent import nt_xent


def ntxent(x: Tensor, y: Tensor, temperature: float = 0.5) -> Tensor:
    """NT-Xent of two views (Chen et al. 2020; Lee et al. 2023, Definition II.1).

    With two augmentations of an image as x and y this is SimCLR's loss, and bounds the mutual information
    of the augmented pair. With two images of one class it is L_class, and bounds I_class, whose truth is at
    most H(C).

    Parameters
    ----------
    x, y
        Shape (K, d) each, row i of one paired with row i of the other; normalised here.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats; log(2K - 1) where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> round(float(ntxent(torch.ones(4, 2), torch.ones(4, 2)).exp()), 3)
    7.0
    """
    return math.log(2 * len(x) - 1) - ntxent_nats(x, y, temperature)


def ntxent_nats(x: Tensor, y: Tensor, temperature: float = 0.5) -> Tensor:
    """Give log(2K - 1) minus the loss (Definition II.2): an *asymptotic* lower bound, at most log(2K - 1).

    On the batch that a step trains on it is in-sample, and so no estimate to report.

    Parameters
    ----------
    x, y, temperature
        As for :func:`ntxent`.
    """
    x, y = functional.normalize(x, dim=1), functional.normalize(y, dim=1)
    xy, xx, yy = (a @ b.T / temperature for a, b in ((x, y), (x, x), (y, y)))
    return nt_xent(xy, xx, yy)


def ntxent_with_negatives(x: Tensor, y: Tensor, negatives: Tensor, temperature: float = 0.5) -> Tensor:
    """NT-Xent whose negatives come from elsewhere: another data set, or noise (Lee et al. 2023, Appendix C).

    That is noise-contrastive estimation, and bounds no mutual information of x and y.

    Parameters
    ----------
    x, y
        Shape (K, d) each, row i of one paired with row i of the other; normalised here.
    negatives
        Shape (M, d): the negatives of both x and y of every pair; normalised here.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats; log(M + 1) where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> round(float(ntxent_with_negatives(torch.ones(4, 2), torch.ones(4, 2), torch.ones(8, 2)).exp()), 3)
    9.0
    """
    x, y, negatives = (functional.normalize(rows, dim=1) for rows in (x, y, negatives))
    positive = (x * y).sum(dim=1, keepdim=True) / temperature
    losses = [
        torch.cat([positive, anchor @ negatives.T / temperature], dim=1).logsumexp(dim=1) - positive[:, 0]
        for anchor in (x, y)
    ]
    return torch.stack(losses).mean()
