"""NT-Xent's estimate: an asymptotic lower bound of at most log(2K - 1)."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, as_reading, checked, chunks
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
def read_nt_xent(critic: Critic, x: Tensor, y: Tensor) -> Reading:
    """Read NT-Xent's estimate over n pairs as one batch; the ceiling is log(2n - 1).

    Parameters
    ----------
    critic
        Scores (n, d) against (m, d) as (n, m).
    x, y
        Shape (n, d) each, row i paired with row i.
    """
    n = len(x)
    log_ratio = x.new_zeros(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for anchors, across_of in (
        (x, lambda chunk: critic(x[chunk], y)),
        (y, lambda chunk: critic(x, y[chunk]).T),
    ):
        for start, stop in chunks(n):
            chunk = slice(start, stop)
            across = checked(across_of(chunk))
            within = checked(critic(anchors[chunk], anchors))
            within.diagonal(start).fill_(-torch.inf)
            row = torch.logaddexp(across.logsumexp(dim=1), within.logsumexp(dim=1))
            log_ratio[start:stop] += (across.diagonal(start) - row + math.log(2 * n - 1)) / 2
            share += ((across - row[:, None]).exp() + (within - row[:, None]).exp()).sum(dim=0) / 2
    influence = (log_ratio - log_ratio.mean()) - (share - 1)
    return as_reading(log_ratio.mean(), influence)
