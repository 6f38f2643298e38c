"""The bound between TUBA and InfoNCE read over a whole part, with the influence of every pair."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds import score_matrix as bounds
from mitools.estimators.bounds.reading import Critic, Reading, checked, chunks


@torch.no_grad()
def read_alpha_tuba(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, *, alpha: float
) -> Reading:
    """Read :func:`alpha_tuba` over n pairs; the ceiling is 1 + log(n / alpha).

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal
        As for :func:`mitools.estimators.bounds.reading.read_donsker_varadhan`.
    alpha
        In (0, 1).
    """
    n = len(x)
    log_contrasts = math.log(n if diagonal_is_marginal else n - 1)
    own = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n):
        scores = checked(critic(x, y[start:stop]))
        here = torch.arange(stop - start, device=x.device)
        paired = torch.arange(start, stop, device=x.device)
        after = (paired + 1) % n
        positive, left_out = scores[paired, here], scores[after, here]
        if not diagonal_is_marginal:
            scores[paired, here] = -torch.inf
        log_others = scores.logsumexp(dim=0) - log_contrasts
        if not diagonal_is_marginal:
            scores[after, here] = -torch.inf
            scores[paired, here] = positive
        log_own = scores.logsumexp(dim=0) - log_contrasts
        scores[after, here] = left_out
        log_d_own, log_d_others = (bounds.log_interpolated(m, alpha) for m in (log_own, log_others))
        own[start:stop] = positive - log_d_own - (log_others - log_d_others).exp()
        # How much x_k lowers the value as a contrast to every y: through the logarithm, and the ratio.
        by_logarithm, by_ratio = math.log(alpha) - log_d_own, math.log1p(-alpha) - 2 * log_d_others
        scores += torch.logaddexp(by_logarithm, by_ratio)
        if not diagonal_is_marginal:
            scores[paired, here] = positive + by_logarithm
        share += scores.exp_().sum(dim=1) / n
    influence = (own - own.mean()) - (share - share.mean())
    return Reading(float(1 + own.mean()), influence.cpu().numpy())
