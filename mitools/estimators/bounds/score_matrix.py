"""Variational bounds as pure functions of a score matrix, in nats.

In every function ``scores[i, j] = f(x_i, y_j)``, shape (K, K): the diagonal holds the K pairs drawn from
the joint distribution, the rest holds pairs drawn from the product of the marginals.
"""

import math

import torch
from torch import Tensor

from mitools.core.errors import InputError


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
    return scores.log_softmax(dim=1).diagonal().mean() + math.log(k)


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
    f = 1 + log p(x, y) / p(x) p(y). It is also f-GAN's bound for the KL divergence (Nowozin et al. 2016),
    and TUBA (Poole et al. 2019, Sec. 2.2) when f - 1 is a critic less a learned log a(y).

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


def mine_surrogate(scores: Tensor, log_average: Tensor, rate: float) -> tuple[Tensor, Tensor]:
    """Return MINE's training objective: Donsker-Varadhan with the moving-average gradient correction.

    The gradient of log E[exp f] over a batch is biased; Belghazi et al. (2018, Sec. 3.2) divide by a
    moving average of E[exp f] instead. The returned value has that gradient; it is no reading of the
    mutual information, for which :func:`donsker_varadhan` serves.

    Parameters
    ----------
    scores
        Shape (K, K).
    log_average
        A scalar: the logarithm of the moving average so far, NaN at the first step.
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
    moved = torch.logaddexp(log_average + math.log1p(-rate), now + math.log(rate))
    now = torch.where(log_average.isnan(), now, moved)
    return scores.diagonal().mean() - (log_mean - now).exp(), now


def alpha_tuba(scores: Tensor, alpha: float) -> Tensor:
    """Interpolate between TUBA (alpha 0) and InfoNCE (alpha 1) (Poole et al. 2019, Eqs. 15 and 16).

    With f the critic and q(y) a baseline, the scores are ``g = f - log q``, by which the paper's
    ``alpha m(y; x_1..K) + (1 - alpha) q(y)`` is ``q(y) (alpha mean_i exp g(x_i, y) + 1 - alpha)``. Both
    terms average over K - 1 x's, as the proof needs: the positive's own and K - 2 others, or K - 1 that
    belong to other pairs.

    The paper gives log(K / alpha) as the ceiling; the subtracted term can vanish as well, so that
    1 + log(K / alpha) is what holds for all scores.

    Parameters
    ----------
    scores
        Shape (K, K).
    alpha
        In (0, 1).

    Returns
    -------
    Tensor
        A scalar, in nats; at most 1 + log((K - 1) / alpha).
    """
    k = _square(scores)
    one_other = torch.eye(k, dtype=torch.bool, device=scores.device).roll(1, dims=0)
    with_own = scores.masked_fill(one_other, -torch.inf).logsumexp(dim=0) - math.log(k - 1)
    others = without_diagonal(scores).logsumexp(dim=0) - math.log(k - 1)
    joint = scores.diagonal() - log_interpolated(with_own, alpha)
    return 1 + joint.mean() - (others - log_interpolated(others, alpha)).exp().mean()


def log_interpolated(log_mean: Tensor, alpha: float) -> Tensor:
    """Logarithm of ``alpha exp(log_mean) + 1 - alpha``, elementwise."""
    return torch.logaddexp(log_mean + math.log(alpha), torch.full_like(log_mean, math.log1p(-alpha)))


def flo(scores: Tensor, u: Tensor) -> Tensor:
    """Fenchel-Legendre: 1 - E_joint[u + exp(-u) E_y'[exp(f(x, y') - f(x, y))]] (Guo et al. 2022).

    A lower bound for any f and u, unbiased on a sample; tight where f is the log density ratio up to a
    function of x and u its negative, normalised.

    Parameters
    ----------
    scores
        Shape (K, K).
    u
        Shape (K,): the second function on the K pairs.

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    k = _square(scores)
    log_contrast = without_diagonal(scores).logsumexp(dim=1) - math.log(k - 1) - scores.diagonal()
    return 1 - (u + (log_contrast - u).exp()).mean()


def jensen_shannon(scores: Tensor) -> Tensor:
    """Twice the Jensen-Shannon divergence of joint and product, from below (Nowozin et al. 2016).

    ``2 log 2 - E_joint[softplus(-f)] - E_product[softplus(f)]``, tight where f is the log density ratio,
    which makes it a stable objective for critics that another bound reads. Its value is no mutual
    information and bounds none.

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats; at most 2 log 2.
    """
    k = _square(scores)
    softplus = torch.nn.functional.softplus
    others = softplus(without_diagonal(scores)).sum() / (k * (k - 1))
    return 2 * math.log(2) - softplus(-scores.diagonal()).mean() - others


def smile(scores: Tensor, clip: float) -> Tensor:
    """SMILE: Donsker-Varadhan with the scores of the product clipped (Song & Ermon 2020).

    Clipping bounds the variance of the second term and gives up the bound: the value may lie on either
    side of the truth.

    Parameters
    ----------
    scores
        Shape (K, K).
    clip
        The paper's tau: scores of the product are held within [-clip, clip].

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return scores.diagonal().mean() - log_mean_exp_apart(scores.clamp(-clip, clip))


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
