"""Bounds by a conditional density read over a whole part, with the influence of every pair."""

import math
from typing import Protocol

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, checked, chunks


class ConditionalCritic(Protocol):
    """A critic of the form ``log q(y|x) - log r(y)``, r a density of y alone."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        ...

    def of_pairs(self, x: Tensor, y: Tensor) -> Tensor:
        """Score row i of x against row i of y: shape (n,)."""
        ...


class GaussianCritic(ConditionalCritic, Protocol):
    """A conditional critic whose divergence from r has a closed form."""

    def divergence(self, x: Tensor) -> Tensor:
        """KL divergence of q(y|x) from r(y), in nats, shape (n,)."""
        ...


@torch.no_grad()
def read_log_ratio(critic: ConditionalCritic, x: Tensor, y: Tensor) -> Reading:
    """Read E_joint[log q(y|x) - log r(y)] over n pairs: a difference of two cross-entropies.

    Parameters
    ----------
    critic
        The two densities.
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i.
    """
    return _mean(checked(critic.of_pairs(x, y)))


@torch.no_grad()
def read_barber_agakov(
    critic: ConditionalCritic, x: Tensor, y: Tensor, *, log_marginal: Tensor, entropy: float
) -> Reading:
    """Read Barber & Agakov (2003): h(Y) + E_joint[log q(y|x)] over n pairs.

    Parameters
    ----------
    critic, x, y
        As for :func:`read_log_ratio`.
    log_marginal
        Shape (n,): log r(y), in the coordinates that the entropy is of.
    entropy
        h(Y), nats.
    """
    return _mean(checked(critic.of_pairs(x, y)) + log_marginal + entropy)


@torch.no_grad()
def read_divergence(critic: GaussianCritic, x: Tensor, y: Tensor) -> Reading:
    """Read E[KL(q(y|x) || r(y))] over the x of n pairs, in closed form.

    Parameters
    ----------
    critic
        The two densities.
    x, y
        As for :func:`read_log_ratio`; y takes no part.
    """
    return _mean(checked(critic.divergence(x)))


@torch.no_grad()
def read_club(critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False) -> Reading:
    """Read CLUB over n pairs, with all n(n - 1) others as the product of the marginals.

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
    partners = n if diagonal_is_marginal else n - 1
    joint = x.new_empty(n, dtype=torch.float64)
    rows = x.new_empty(n, dtype=torch.float64)
    columns = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n):
        scores = checked(critic(x[start:stop], y))
        joint[start:stop] = scores.diagonal(start)
        if not diagonal_is_marginal:
            scores.diagonal(start).zero_()
        rows[start:stop] = scores.sum(dim=1) / partners
        columns += scores.sum(dim=0) / partners
    nats = joint.mean() - rows.mean()
    influence = (joint - joint.mean()) - (rows + columns - 2 * rows.mean())
    return Reading(float(nats), influence.cpu().numpy())


@torch.no_grad()
def read_club_sampled(
    critic: ConditionalCritic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False
) -> Reading:
    """Read CLUB over n pairs with one other y for every x: n scores of each kind, no matrix.

    Every x meets the y of the next pair around a circle, in a random order that depends on n alone.

    Parameters
    ----------
    critic
        Scores row i of x against row i of y by ``of_pairs``.
    x, y, diagonal_is_marginal
        As for :func:`read_club`.
    """
    n = len(x)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(n)).to(x.device)
    partner = order
    if not diagonal_is_marginal:
        partner = torch.empty_like(order)
        partner[order] = order.roll(1)
    joint = checked(critic.of_pairs(x, y))
    met = checked(critic.of_pairs(x, y[partner]))
    met_by = torch.empty_like(met)
    met_by[partner] = met
    # Pair i takes part in three scores. Their sum counts what is the score's own, and neither x's nor y's,
    # twice; the variance of the mean counts it once.
    influence = joint - met - met_by
    influence -= influence.mean()
    variance = influence.square().mean()
    if variance > met.var():
        influence *= (1 - met.var() / variance).sqrt()
    return Reading(float((joint - met).mean()), influence.cpu().numpy())


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
    return Reading(float(own.mean()), influence.cpu().numpy())


def _mean(values: Tensor) -> Reading:
    return Reading(float(values.mean()), (values - values.mean()).cpu().numpy())
