"""Variational bounds as pure functions of a score matrix, in nats.

In every function ``scores[i, j] = f(x_i, y_j)``, shape (K, K): the diagonal holds the K pairs drawn from
the joint distribution, the rest holds pairs drawn from the product of the marginals.
"""

import math

import torch
from torch import Tensor

from mitools.errors import InputError


def infonce(scores: Tensor) -> Tensor:
    """InfoNCE (van den Oord et al. 2018; Poole et al. 2019, Eq. 10): a lower bound, at most log K.

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    k = _square(scores)
    return (scores.diagonal() - scores.logsumexp(dim=1)).mean() + math.log(k)


def nt_xent(xy: Tensor, xx: Tensor, yy: Tensor) -> Tensor:
    """NT-Xent's estimate, log(2K - 1) - L (Lee et al., Definitions II.1 and II.2).

    An *asymptotic* lower bound only: the negatives of x_i come in pairs (x_j, y_j) that are not
    exchangeable with the positive, and at finite K the value can exceed the truth.

    Parameters
    ----------
    xy, xx, yy
        Shape (K, K): the scores between the two views and within each; ``xx`` and ``yy`` leave their
        diagonals out.

    Returns
    -------
    Tensor
        A scalar, in nats; at most log(2K - 1).
    """
    k = _square(xy)
    from_x = torch.cat([xy, without_diagonal(xx)], dim=1).logsumexp(dim=1)
    from_y = torch.cat([xy.T, without_diagonal(yy)], dim=1).logsumexp(dim=1)
    return (xy.diagonal() - (from_x + from_y) / 2).mean() + math.log(2 * k - 1)


def donsker_varadhan(scores: Tensor) -> Tensor:
    """Donsker-Varadhan: E_joint[f] - log E_product[exp f] (Belghazi et al. 2018, Eq. 5).

    A lower bound for any f in expectation over the product; on a sample the logarithm of a mean reads
    high by about half its relative variance. Nothing caps it.

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return scores.diagonal().mean() - log_mean_exp_apart(scores)


def nwj(scores: Tensor) -> Tensor:
    """Nguyen-Wainwright-Jordan: E_joint[f] - E_product[exp(f - 1)] (Poole et al. 2019, Eq. 7).

    A lower bound for any f, unbiased on a sample, with a variance that grows like exp(I). Tight at
    f = 1 + log p(x, y) / p(x) p(y).

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return scores.diagonal().mean() - (log_mean_exp_apart(scores) - 1).exp()


def mine_surrogate(scores: Tensor, log_average: Tensor | None, rate: float) -> tuple[Tensor, Tensor]:
    """Return MINE's training objective: Donsker-Varadhan with the moving-average gradient correction.

    The gradient of log E[exp f] over a batch is biased; Belghazi et al. (2018, Sec. 3.2) divide by a
    moving average of E[exp f] instead. The returned value has that gradient; it is no reading of the
    mutual information, for which :func:`donsker_varadhan` serves.

    Parameters
    ----------
    scores
        Shape (K, K).
    log_average
        The logarithm of the moving average so far, or None at the first step.
    rate
        The weight of the new batch in the average.

    Returns
    -------
    objective
        A scalar to maximise.
    log_average
        The logarithm of the new moving average, without a gradient.
    """
    log_mean = log_mean_exp_apart(scores)
    now = log_mean.detach()
    if log_average is not None:
        now = torch.logaddexp(log_average + math.log1p(-rate), now + math.log(rate))
    return scores.diagonal().mean() - (log_mean - now).exp(), now


def log_mean_exp_apart(scores: Tensor) -> Tensor:
    """Logarithm of the mean of exp f over the pairs i != j."""
    k = _square(scores)
    return without_diagonal(scores).flatten().logsumexp(dim=0) - math.log(k * (k - 1))


def without_diagonal(scores: Tensor) -> Tensor:
    """Set the diagonal to minus infinity, so that a log-sum-exp leaves it out."""
    return scores.masked_fill(torch.eye(len(scores), dtype=torch.bool, device=scores.device), -torch.inf)


def _square(scores: Tensor) -> int:
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or len(scores) < 2:
        raise InputError(f"a bound reads a square score matrix of at least 2 x 2, not {tuple(scores.shape)}")
    return len(scores)
