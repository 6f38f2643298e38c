"""Noise-contrastive estimation of which row belongs to an anchor, instead of a softmax over all rows."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def nce(
    queries: Tensor, keys: Tensor, noise: Tensor, log_z: Tensor, items: int, temperature: float = 0.07
) -> Tensor:
    """Tell each anchor's key from noise (Tian et al. 2020, Eqs. 10 and 11; Gutmann & Hyvaerinen 2010).

    ``P(D = 1 | v) = p(v) / (p(v) + m / N)`` with ``p(v) = exp(cosine / temperature) / Z``. The noise term is
    summed over the m noise rows, as NCE has it and as the paper's code does; Eq. 11 as printed has its mean.

    Parameters
    ----------
    queries
        Shape (K, d), the anchors; normalised here.
    keys
        Shape (K, d): row i is the right answer of anchor i; normalised here.
    noise
        Shape (m, d), drawn from all N rows with equal probability, the right answer not left out;
        normalised here.
    log_z
        A scalar: the logarithm of the constant Z; see :func:`log_partition`.
    items
        N, how many rows there are to choose from.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats: the mean over anchors.

    Examples
    --------
    Where the model gives every row 1 / N, one noise row is as probable as the key:

    >>> rows = torch.ones(2, 3)
    >>> log_z = log_partition(rows, rows, rows[:1], items=5)
    >>> round(float(nce(rows, rows, rows[:1], log_z, items=5).exp()), 3)
    4.0
    """
    positive, negative = _scores(queries, keys, noise, temperature)
    # log of p(v) / (m / N): the log-odds that v is data.
    shift = log_z + math.log(len(noise) / items)
    data = functional.logsigmoid(positive - shift)
    as_noise = functional.logsigmoid(shift - negative).sum(dim=1)
    return -(data + as_noise).mean()


def log_partition(
    queries: Tensor, keys: Tensor, noise: Tensor, items: int, temperature: float = 0.07
) -> Tensor:
    """Estimate log Z of :func:`nce` on one batch: N times the mean of exp(cosine / temperature).

    The mean is over all anchors, each with its key and all noise rows, as the paper's code has it.

    Parameters
    ----------
    queries, keys, noise, items, temperature
        As for :func:`nce`.

    Returns
    -------
    Tensor
        A scalar.
    """
    positive, negative = _scores(queries, keys, noise, temperature)
    scores = torch.cat([positive[:, None], negative], dim=1)
    return scores.flatten().logsumexp(dim=0) - math.log(scores.numel()) + math.log(items)


def _scores(queries: Tensor, keys: Tensor, noise: Tensor, temperature: float) -> tuple[Tensor, Tensor]:
    """Shape (K,) of anchors with their keys, and (K, m) with the noise."""
    queries, keys, noise = (functional.normalize(rows, dim=1) for rows in (queries, keys, noise))
    return (queries * keys).sum(dim=1) / temperature, queries @ noise.T / temperature
