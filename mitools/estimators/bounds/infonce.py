"""InfoNCE: a lower bound of at most log K."""

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
from mitools.estimators.bounds.score_matrix import _square


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


@torch.no_grad()
def read_infonce(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read InfoNCE over n pairs as one batch; the ceiling is log n.

    A pair's negatives are those of other groups: its own group's would pass for draws from the product of the
    marginals, which they are not. With m of them, the pair's term is the bound of m + 1 pairs.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i.
    diagonal_is_marginal
        Without effect: the n pairs themselves are in the normaliser either way.
    groups
        Shape (n,): pairs that know each other; None where every pair stands alone.
    """
    n = len(x)
    log_ratio = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    expected: Tensor | float = 1.0
    if groups is not None:
        counts = strangers(groups) + 1
        # The x's that have y_i in their normaliser: those of other groups, and its own.
        expected = over_strangers(1 / counts, groups) + 1 / counts
    for start, stop in chunks(n):
        scores = checked(critic(x[start:stop], y))
        own = scores.diagonal(start).clone()
        log_count: Tensor | float = math.log(n)
        if groups is not None:
            kin = groups[start:stop, None] == groups
            scores[kin] = -torch.inf
            scores.diagonal(start).copy_(own)
            log_count = counts[start:stop].log()
        row = scores.logsumexp(dim=1)
        log_ratio[start:stop] = own - row + log_count
        share += (scores - row[:, None]).exp().sum(dim=0)
    # y_i is also a negative for every x: as one it takes a share of each row's normaliser, one on average.
    influence = (log_ratio - log_ratio.mean()) - (share - expected)
    return as_reading(log_ratio.mean(), influence)
