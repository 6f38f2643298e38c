"""A bound read once over a whole part: in chunks, with the influence of every pair on the value."""

import math
from collections.abc import Callable
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.warnings import RESOLUTION

SCORES_IN_MEMORY = 1 << 24
"""Scores held at a time: 64 MiB of float32."""

Critic = Callable[[Tensor, Tensor], Tensor]


class CriticWithU(Protocol):
    """A critic with FLO's second function: see :class:`mitools.estimators.critics.with_baseline.WithU`."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        ...

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        """Give what FLO's u adds to -f on n pairs, shape (n,)."""
        ...


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

    @classmethod
    def of(cls, estimate: Estimate, influence: NDArray[np.float64]) -> Self:
        """Take an estimate apart: what its standard error holds beside the influence is what was not seen."""
        seen = float(np.linalg.norm(influence)) / len(influence)
        stderr = float(estimate.stderr_nats or 0)
        return cls(estimate.nats, influence, math.sqrt(max(0.0, stderr**2 - seen**2)))


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
    for start, stop in chunks(n):
        scores = checked(critic(x[start:stop], y))
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
        for start, stop in chunks(n):
            chunk = slice(start, stop)
            across = checked(across_of(chunk))
            within = checked(critic(anchors[chunk], anchors))
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

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start).clone(), scores

    return _normalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal))


@torch.no_grad()
def read_smile(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, *, clip: float
) -> Reading:
    """Read SMILE over n pairs: Donsker-Varadhan with the product's scores held within [-clip, clip].

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal
        As for :func:`read_donsker_varadhan`.
    clip
        The paper's tau.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start).clone(), scores.clamp_(-clip, clip)

    return _normalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal))


@torch.no_grad()
def read_nwj(critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False) -> Reading:
    """Read NWJ over n pairs, with f = 1 + the critic's score, so that a score of 0 reads 0.

    Tight where the score is the log density ratio. It is TUBA for a critic less its log-baseline.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal
        As for :func:`read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start) + 1, scores

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal))


@torch.no_grad()
def read_jensen_shannon(critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False) -> Reading:
    """Read twice the Jensen-Shannon divergence over n pairs; the ceiling is 2 log 2.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal
        As for :func:`read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        joint = 2 * math.log(2) - torch.nn.functional.softplus(-scores.diagonal(start))
        return joint, torch.nn.functional.softplus(scores).log_()

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal))


@torch.no_grad()
def read_flo(critic: CriticWithU, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False) -> Reading:
    """Read FLO over n pairs, its second function being ``critic.u(x, y) - f(x, y)``.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m), and answers ``u``, shape (n,), of n pairs.
    x, y, diagonal_is_marginal
        As for :func:`read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        scores -= checked(critic.u(x[start:stop], y[start:stop]))[:, None]
        return scores.diagonal(start) + 1, scores

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal))


class _Sums(NamedTuple):
    """One pass over n pairs: the joint's terms, and a positive kernel of the product summed both ways.

    Attributes
    ----------
    joint
        Shape (n,).
    rows, columns
        Shape (n,) each: the logarithm of the kernel's mean over the partners of every x, and of every y.
    """

    joint: Tensor
    rows: Tensor
    columns: Tensor

    @property
    def log_mean(self) -> Tensor:
        """Logarithm of the kernel's mean over the product."""
        return self.rows.logsumexp(dim=0) - math.log(len(self.rows))


def _pass_over(
    n: int,
    device: torch.device,
    terms: Callable[[int, int], tuple[Tensor, Tensor]],
    diagonal_is_marginal: bool,
) -> _Sums:
    """Collect the joint's terms and the product's log kernel, rows start to stop against all n columns."""
    joint = torch.empty(n, dtype=torch.float64, device=device)
    rows = torch.empty(n, dtype=torch.float64, device=device)
    columns = torch.full((n,), -torch.inf, dtype=torch.float64, device=device)
    for start, stop in chunks(n):
        joint[start:stop], log_kernel = terms(start, stop)
        if not diagonal_is_marginal:
            log_kernel.diagonal(start).fill_(-torch.inf)
        rows[start:stop] = log_kernel.logsumexp(dim=1)
        columns = torch.logaddexp(columns, log_kernel.logsumexp(dim=0))
    log_partners = math.log(n if diagonal_is_marginal else n - 1)
    return _Sums(joint, rows - log_partners, columns - log_partners)


def _normalised(sums: _Sums) -> Reading:
    """Read mean(joint) - log mean(kernel)."""
    joint, log_z = sums.joint, sums.log_mean
    own = (sums.rows - log_z).exp() + (sums.columns - log_z).exp()
    influence = (joint - joint.mean()) - (own - 2)
    return Reading(float(joint.mean() - log_z), influence.cpu().numpy())


def _unnormalised(sums: _Sums) -> Reading:
    """Read mean(joint) - mean(kernel)."""
    joint, z = sums.joint, sums.log_mean.exp()
    influence = (joint - joint.mean()) - (sums.rows.exp() + sums.columns.exp() - 2 * z)
    return Reading(float(joint.mean() - z), influence.cpu().numpy())


def chunks(n: int) -> list[tuple[int, int]]:
    """Cut n rows so that the scores of each piece against n others fit in memory: (start, stop)."""
    size = max(1, SCORES_IN_MEMORY // n)
    return [(start, min(start + size, n)) for start in range(0, n, size)]


def checked(scores: Tensor) -> Tensor:
    """Return a copy of the scores in double precision.

    Raises
    ------
    InputError
        When a score is not finite.
    """
    if not torch.isfinite(scores).all():
        raise InputError(
            "the critic's scores are not finite; lower the learning rate or look for extreme values"
        )
    # A copy even of doubles: what the critic returned may be its own.
    return scores.to(torch.float64, copy=True)
