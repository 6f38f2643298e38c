"""NT-Xent's estimate: an asymptotic lower bound of at most log(2K - 1)."""

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
from mitools.estimators.bounds.score_matrix import _square, without_diagonal


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


@torch.no_grad()
def read_nt_xent(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read NT-Xent's estimate over n pairs as one batch; the ceiling is log(2n - 1).

    Parameters
    ----------
    critic
        Scores (n, d) against (m, d) as (n, m).
    x, y
        Shape (n, d) each, row i paired with row i.
    diagonal_is_marginal, groups
        As for :func:`.read_infonce`.
    """
    n = len(x)
    log_counts, expected = x.new_full((n,), math.log(2 * n - 1), dtype=torch.float64), x.new_ones(n).double()
    if groups is not None:
        counts = 2 * strangers(groups) + 1
        log_counts = counts.log()
        # As a negative of both views of other groups, and as its own partner.
        expected = 2 * over_strangers(1 / counts, groups) + 1 / counts
    log_ratio = x.new_zeros(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for anchors, across_of in (
        (x, lambda chunk: critic(x[chunk], y)),
        (y, lambda chunk: critic(x, y[chunk]).T),
    ):
        for start, stop in chunks(n, x.device):
            chunk = slice(start, stop)
            across = checked(across_of(chunk))
            within = checked(critic(anchors[chunk], anchors))
            within.diagonal(start).fill_(-torch.inf)
            own = across.diagonal(start).clone()
            if groups is not None:
                kin = groups[chunk, None] == groups
                within[kin] = -torch.inf
                across[kin] = -torch.inf
                across.diagonal(start).copy_(own)
            row = torch.logaddexp(across.logsumexp(dim=1), within.logsumexp(dim=1))
            log_ratio[start:stop] += (own - row + log_counts[chunk]) / 2
            share += ((across - row[:, None]).exp() + (within - row[:, None]).exp()).sum(dim=0) / 2
    influence = (log_ratio - log_ratio.mean()) - (share - expected)
    return as_reading(log_ratio.mean(), influence)
