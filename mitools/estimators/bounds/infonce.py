"""InfoNCE: a lower bound of at most log K, the pairs that are read together."""

import math

import numpy as np
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

PAIRS_TOGETHER = 1 << 14
"""Pairs of a block at the least: a ceiling of 9.7 nats, or 14 bits. Twice as many and more are read in blocks
of these to half as many again, so that the time of a reading grows with the pairs and not with their square.
The ceiling falls where blocks begin: from 15 bits of 32,767 pairs to 14 of 32,768."""


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
        Shape (n,): pairs that depend on each other; None where every pair stands alone.
    """
    n = len(x)
    log_ratio = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    expected: Tensor | float = 1.0
    if groups is not None:
        counts = strangers(groups) + 1
        # The x's that have y_i in their normaliser: those of other groups, and its own.
        expected = over_strangers(1 / counts, groups) + 1 / counts
    for start, stop in chunks(n, x.device):
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
        share += scores.sub_(row[:, None]).exp_().sum(dim=0)
    # y_i is also a negative for every x: as one it takes a share of each row's normaliser, one on average.
    influence = (log_ratio - log_ratio.mean()) - (share - expected)
    return as_reading(log_ratio.mean(), influence)


def read_infonce_in_blocks(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read InfoNCE over n pairs as one batch, or as the mean of blocks of :data:`PAIRS_TOGETHER` or more.

    Blocks are drawn at random, the same for the same n, and differ by one pair at the most. A block's reading
    is a lower bound with as many negatives as it has other pairs, and so is their mean; all n pairs count.
    The ceiling is :func:`ceiling_in_blocks`.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`read_infonce`.
    """
    n = len(x)
    blocks = _blocks(n)
    if blocks == 1:
        return read_infonce(critic, x, y, diagonal_is_marginal, groups)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(n)).to(x.device)
    nats, influence = 0.0, np.empty(n)
    for block in order.tensor_split(blocks):
        own = None if groups is None else groups[block]
        reading = read_infonce(critic, x[block], y[block], diagonal_is_marginal, own)
        nats += reading.nats * len(block) / n
        influence[block.cpu().numpy()] = reading.influence
    return Reading(nats, influence)


def pairs_in_block(n: int) -> int:
    """Give how many of n pairs are read together: the pair itself and its negatives."""
    return -(-n // _blocks(n))


def ceiling_in_blocks(n: int) -> float:
    """Give the most that n pairs can read, in nats."""
    return math.log(pairs_in_block(n))


def _blocks(n: int) -> int:
    return max(1, n // PAIRS_TOGETHER)
