"""InfoNCE of two views in one direction, as a loss."""

import math

from torch import Tensor
from torch.nn import functional

from mitools.estimators.bounds import infonce as bound


def infonce(x: Tensor, y: Tensor, temperature: float = 0.5) -> Tensor:
    """InfoNCE in one direction (van den Oord et al. 2018): each x against the y of the whole batch.

    Parameters
    ----------
    x, y
        Shape (K, d) each, row i of one paired with row i of the other; normalised here.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats; log K where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> round(float(infonce(torch.ones(8, 2), torch.ones(8, 2)).exp()), 3)
    8.0
    """
    return math.log(len(x)) - infonce_nats(x, y, temperature)


def infonce_nats(x: Tensor, y: Tensor, temperature: float = 0.5) -> Tensor:
    """Give log K minus the loss: a lower bound of the mutual information of x and y, at most log K.

    On the batch that a step trains on it is in-sample, and so no estimate to report.

    Parameters
    ----------
    x, y, temperature
        As for :func:`infonce`.
    """
    x, y = functional.normalize(x, dim=1), functional.normalize(y, dim=1)
    return bound.infonce(x @ y.T / temperature)
