"""The leave-one-out bound: an upper bound where the conditional density is the true one."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import (
    Critic,
    Reading,
    as_reading,
    checked,
    chunks,
    over_strangers,
    strangers,
)
from mitools.estimators.bounds.score_matrix import without_diagonal


def leave_one_out(scores: Tensor) -> Tensor:
    """Leave one out: E[log p(y_j|x_j) / mean_i p(y_j|x_i)] with i != j (Poole et al. 2019, Sec. 2.4).

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    others = without_diagonal(scores).logsumexp(dim=0) - math.log(len(scores) - 1)
    return (scores.diagonal() - others).mean()


@torch.no_grad()
def read_leave_one_out(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read the leave-one-out bound over n pairs: the other n - 1 x's make up the marginal of every y.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`read_club`.
    """
    n = len(x)
    partners = float(n if diagonal_is_marginal else n - 1)
    relative = x.new_ones(n, dtype=torch.float64)  # partners of every y, as a share of the mean
    if groups is not None:
        partners = float(strangers(groups).mean())
        relative = strangers(groups) / partners
    own = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n, x.device):
        scores = checked(critic(x, y[start:stop]))
        positive = scores.diagonal(-start).clone()
        if groups is not None:
            scores[groups[:, None] == groups[start:stop]] = -torch.inf
        elif not diagonal_is_marginal:
            scores.diagonal(-start).fill_(-torch.inf)
        log_marginal = scores.logsumexp(dim=0) - math.log(partners) - relative[start:stop].log()
        own[start:stop] = positive - log_marginal
        scores -= log_marginal
        share += (scores.exp_() / relative[start:stop]).sum(dim=1) / partners
    expected = share.mean() if groups is None else over_strangers(1 / relative, groups) / partners
    influence = (own - own.mean()) - (share - expected)
    return as_reading(own.mean(), influence)
