"""CLUB: an upper bound where the conditional density is the true one.

In every function ``scores[i, j] = log q(y_j | x_i)``, shape (K, K), up to a function of y alone: such a
function takes no part. The diagonal holds the K pairs drawn from the joint distribution. With any other
density than the true p(y|x) each value may lie on either side of the truth.
"""

import torch
from torch import Tensor

from mitools.estimators.bounds.log_likelihood import ConditionalCritic
from mitools.estimators.bounds.reading import (
    Critic,
    Reading,
    as_reading,
    checked,
    chunks,
    next_stranger,
    strangers,
)


def club(scores: Tensor) -> Tensor:
    """CLUB: E_joint[log q(y|x)] - E_product[log q(y|x)] (Cheng et al. 2020, Theorem 3.1).

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    k = len(scores)
    product = (scores.sum() - scores.diagonal().sum()) / (k * (k - 1))
    return scores.diagonal().mean() - product


def club_sampled(scores: Tensor, partner: Tensor) -> Tensor:
    """CLUB with one y of another pair for every x (Cheng et al. 2020, Sec. 3.3): linear cost, more variance.

    Parameters
    ----------
    scores
        Shape (K, K).
    partner
        Shape (K,): which other y every x meets.

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return (scores.diagonal() - scores.gather(1, partner[:, None]).squeeze(1)).mean()


@torch.no_grad()
def read_club(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read CLUB over n pairs, with all n(n - 1) others as the product of the marginals.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m).
    x, y
        Shapes (n, d_x) and (n, d_y), row i paired with row i.
    diagonal_is_marginal
        Whether the n pairs themselves belong to the product too: see
        :attr:`mitools.estimators.pairs.Pairing.diagonal_is_marginal`.
    groups
        Shape (n,): pairs that depend on each other, of which none is in the product with another; None where
        every pair stands alone.
    """
    n = len(x)
    partners: float = n if diagonal_is_marginal else n - 1
    share: Tensor | float = 1.0
    if groups is not None:
        others = strangers(groups)
        partners = float(others.mean())
        share = others / partners
    joint = x.new_empty(n, dtype=torch.float64)
    rows = x.new_empty(n, dtype=torch.float64)
    columns = x.new_zeros(n, dtype=torch.float64)
    for start, stop in chunks(n, x.device):
        scores = checked(critic(x[start:stop], y))
        joint[start:stop] = scores.diagonal(start)
        if groups is not None:
            scores[groups[start:stop, None] == groups] = 0
        elif not diagonal_is_marginal:
            scores.diagonal(start).zero_()
        rows[start:stop] = scores.sum(dim=1) / partners
        columns += scores.sum(dim=0) / partners
    nats = joint.mean() - rows.mean()
    influence = (joint - joint.mean()) - (rows + columns - 2 * rows.mean() * share)
    return as_reading(nats, influence)


@torch.no_grad()
def read_club_sampled(
    critic: ConditionalCritic,
    x: Tensor,
    y: Tensor,
    diagonal_is_marginal: bool = False,
    groups: Tensor | None = None,
) -> Reading:
    """Read CLUB over n pairs with one other y for every x: n scores of each kind, no matrix.

    Every x meets the y of the next pair around a circle, in a random order that depends on n alone; with
    groups, of the next pair of another group.

    Parameters
    ----------
    critic
        Scores row i of x against row i of y by ``of_pairs``.
    x, y, diagonal_is_marginal, groups
        As for :func:`read_club`.
    """
    n = len(x)
    order = torch.randperm(n, generator=torch.Generator().manual_seed(n)).to(x.device)
    partner = order.clone()
    if not diagonal_is_marginal:
        partner[order] = order.roll(1)
    if groups is not None:
        circle = order.flip(0)
        partner[circle] = circle[next_stranger(groups[circle])]
    joint = checked(critic.of_pairs(x, y))
    met = checked(critic.of_pairs(x, y[partner]))
    met_by = torch.zeros_like(met).index_add_(0, partner, met)
    # Pair i takes part in three scores. Their sum counts what is the score's own, and neither x's nor y's,
    # twice; the variance of the mean counts it once.
    influence = joint - met - met_by
    influence -= influence.mean()
    variance = influence.square().mean()
    influence *= torch.where(variance > met.var(), (1 - met.var() / variance).sqrt(), 1.0)
    return as_reading((joint - met).mean(), influence)
