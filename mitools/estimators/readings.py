"""A bound read once over a whole part: in chunks, with the influence of every pair on the value."""

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.errors import InputError
from mitools.estimators.cautions import RESOLUTION

SCORES_IN_MEMORY = 1 << 24
"""Scores held at a time: 64 MiB of float32."""

Critic = Callable[[Tensor, Tensor], Tensor]


class Reading(NamedTuple):
    """A bound's value on n pairs.

    Attributes
    ----------
    nats
        The value.
    influence
        Shape (n,), mean 0, in nats: how much pair i pulls the value, times n. The estimate's variance is
        ``sum(influence**2) / n**2``, whatever pairs share negatives.
    unseen
        A further standard error, in nats, for what the n pairs cannot show.
    """

    nats: float
    influence: NDArray[np.float64]
    unseen: float = RESOLUTION

    @property
    def stderr(self) -> float:
        """Standard error in nats."""
        return float(np.hypot(np.linalg.norm(self.influence) / len(self.influence), self.unseen))


@torch.no_grad()
def read_infonce(critic: Critic, x: Tensor, y: Tensor) -> Reading:
    """Read InfoNCE over n pairs as one batch; the ceiling is log n.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i.
    """
    n = len(x)
    log_ratio = x.new_empty(n, dtype=torch.float64)
    share = x.new_zeros(n, dtype=torch.float64)
    for start, stop in _chunks(n):
        scores = _checked(critic(x[start:stop], y))
        row = scores.logsumexp(dim=1)
        log_ratio[start:stop] = scores.diagonal(start) - row + math.log(n)
        share += (scores - row[:, None]).exp().sum(dim=0)
    # y_i is also a negative for every x: as one it takes a share of each row's normaliser, one on average.
    influence = (log_ratio - log_ratio.mean()) - (share - 1)
    return Reading(float(log_ratio.mean()), influence.cpu().numpy())


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
        for start, stop in _chunks(n):
            chunk = slice(start, stop)
            across = _checked(across_of(chunk))
            within = _checked(critic(anchors[chunk], anchors))
            within.diagonal(start).fill_(-torch.inf)
            row = torch.logaddexp(across.logsumexp(dim=1), within.logsumexp(dim=1))
            log_ratio[start:stop] += (across.diagonal(start) - row + math.log(2 * n - 1)) / 2
            share += ((across - row[:, None]).exp() + (within - row[:, None]).exp()).sum(dim=0) / 2
    influence = (log_ratio - log_ratio.mean()) - (share - 1)
    return Reading(float(log_ratio.mean()), influence.cpu().numpy())


@torch.no_grad()
def read_donsker_varadhan(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False
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
        :attr:`mitools.estimators.base.Pairing.diagonal_is_marginal`.
    """
    n = len(x)
    others = n if diagonal_is_marginal else n - 1
    joint = x.new_empty(n, dtype=torch.float64)
    rows = x.new_empty(n, dtype=torch.float64)
    columns = x.new_full((n,), -torch.inf, dtype=torch.float64)
    for start, stop in _chunks(n):
        scores = _checked(critic(x[start:stop], y))
        joint[start:stop] = scores.diagonal(start)
        if not diagonal_is_marginal:
            scores.diagonal(start).fill_(-torch.inf)
        rows[start:stop] = scores.logsumexp(dim=1)
        columns = torch.logaddexp(columns, scores.logsumexp(dim=0))
    log_z = rows.logsumexp(dim=0) - math.log(n * others)
    own = (rows - math.log(others) - log_z).exp() + (columns - math.log(others) - log_z).exp()
    influence = (joint - joint.mean()) - (own - 2)
    return Reading(float(joint.mean() - log_z), influence.cpu().numpy())


def _chunks(n: int) -> list[tuple[int, int]]:
    size = max(1, SCORES_IN_MEMORY // n)
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def _checked(scores: Tensor) -> Tensor:
    if not torch.isfinite(scores).all():
        raise InputError(
            "the critic's scores are not finite; lower the learning rate or look for extreme values"
        )
    # A copy even of doubles: what the critic returned may be its own.
    return scores.to(torch.float64, copy=True)
