"""Bounds by a conditional density read over a whole part, with the influence of every pair."""

from typing import Protocol

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Reading, as_reading, checked


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


def _mean(values: Tensor) -> Reading:
    return as_reading(values.mean(), values - values.mean())
