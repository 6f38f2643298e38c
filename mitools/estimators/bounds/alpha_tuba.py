"""The bound between TUBA and InfoNCE read over a whole part, with the influence of every pair."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import (
    Critic,
    Reading,
    as_reading,
    checked,
    chunks,
    next_stranger,
    over_strangers,
    strangers,
)
from mitools.estimators.bounds.score_matrix import _square, without_diagonal


@torch.no_grad()
def read_alpha_tuba(
    critic: Critic,
    x: Tensor,
    y: Tensor,
    diagonal_is_marginal: bool = False,
    groups: Tensor | None = None,
    *,
    alpha: float,
) -> Reading:
    """Read :func:`alpha_tuba` over n pairs; the ceiling is 1 + log(n / alpha).

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`mitools.estimators.bounds.donsker_varadhan.read_donsker_varadhan`.
    alpha
        In (0, 1).
    """
    n = len(x)
    partners = x.new_full((n,), n, dtype=torch.float64)
    log_contrasts = x.new_full((n,), math.log(n if diagonal_is_marginal else n - 1), dtype=torch.float64)
    after_all = (torch.arange(n, device=x.device) + 1) % n
    if groups is not None:
        partners = strangers(groups)
        log_contrasts, after_all = partners.log(), next_stranger(groups)
    expected = x.new_zeros(n, dtype=torch.float64)
    own = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n, x.device):
        scores = checked(critic(x, y[start:stop]))
        here = torch.arange(stop - start, device=x.device)
        paired = torch.arange(start, stop, device=x.device)
        after, log_contrast = after_all[start:stop], log_contrasts[start:stop]
        positive, left_out = scores[paired, here], scores[after, here]
        if groups is not None:
            scores[groups[:, None] == groups[start:stop]] = -torch.inf
        elif not diagonal_is_marginal:
            scores[paired, here] = -torch.inf
        log_others = scores.logsumexp(dim=0) - log_contrast
        if groups is not None or not diagonal_is_marginal:
            scores[after, here] = -torch.inf
            scores[paired, here] = positive
        log_own = scores.logsumexp(dim=0) - log_contrast
        scores[after, here] = left_out
        log_d_own, log_d_others = (log_interpolated(m, alpha) for m in (log_own, log_others))
        own[start:stop] = positive - log_d_own - (log_others - log_d_others).exp()
        # How much x_k lowers the value as a contrast to every y: through the logarithm, and the ratio.
        by_logarithm, by_ratio = math.log(alpha) - log_d_own, math.log1p(-alpha) - 2 * log_d_others
        scores += torch.logaddexp(by_logarithm, by_ratio)
        if groups is not None or not diagonal_is_marginal:
            scores[paired, here] = positive + by_logarithm
        pull = scores.exp_() * (n / partners[start:stop])
        share += pull.sum(dim=1) / n
        expected[start:stop] = pull.sum(dim=0) / partners[start:stop] / n
    centre = share.mean() if groups is None else over_strangers(expected, groups)
    influence = (own - own.mean()) - (share - centre)
    return as_reading(1 + own.mean(), influence)


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
