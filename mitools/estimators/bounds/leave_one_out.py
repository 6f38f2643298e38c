"""The leave-one-out bound: an upper bound where the conditional density is the true one."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, as_reading, checked, chunks
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
def read_leave_one_out(critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False) -> Reading:
    """Read the leave-one-out bound over n pairs: the other n - 1 x's make up the marginal of every y.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal
        As for :func:`read_club`.
    """
    n = len(x)
    partners = n if diagonal_is_marginal else n - 1
    own = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n):
        scores = checked(critic(x, y[start:stop]))
        positive = scores.diagonal(-start).clone()
        if not diagonal_is_marginal:
            scores.diagonal(-start).fill_(-torch.inf)
        log_marginal = scores.logsumexp(dim=0) - math.log(partners)
        own[start:stop] = positive - log_marginal
        scores -= log_marginal
        share += scores.exp_().sum(dim=1) / partners
    influence = (own - own.mean()) - (share - share.mean())
    return as_reading(own.mean(), influence)
