"""Donsker-Varadhan, and MINE's way of training by it."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, _normalised, _pass_over, checked
from mitools.estimators.bounds.score_matrix import log_mean_exp_off_diagonal


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
    return scores.diagonal().mean() - log_mean_exp_off_diagonal(scores)


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
    log_mean = log_mean_exp_off_diagonal(scores)
    now = log_mean.detach()
    moved = torch.logaddexp(log_average + math.log1p(-rate), now + math.log(rate))
    now = torch.where(log_average.isnan(), now, moved)
    return scores.diagonal().mean() - (log_mean - now).exp(), now


@torch.no_grad()
def read_donsker_varadhan(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read Donsker-Varadhan over n pairs, with all n(n - 1) others as the product of the marginals.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i.
    diagonal_is_marginal
        Whether the n pairs themselves belong to the product too: see
        :attr:`mitools.estimators.pairs.Pairing.diagonal_is_marginal`.
    groups
        Shape (n,): pairs that depend on each other, of which none is in the product with another; None where
        every pair stands alone.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start).clone(), scores

    return _normalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal, groups))
