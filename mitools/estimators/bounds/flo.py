"""FLO, the Fenchel-Legendre bound."""

import math
from typing import Protocol

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Reading, _pass_over, _unnormalised, checked
from mitools.estimators.bounds.score_matrix import _square, without_diagonal


def flo(scores: Tensor, u: Tensor) -> Tensor:
    """Fenchel-Legendre: 1 - E_joint[u + exp(-u) E_y'[exp(f(x, y') - f(x, y))]] (Guo et al. 2022).

    A lower bound for any f and u, unbiased on a sample; tight where f is the log density ratio up to a
    function of x and u its negative, normalised.

    Parameters
    ----------
    scores
        Shape (K, K).
    u
        Shape (K,): the second function on the K pairs.

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    k = _square(scores)
    log_contrast = without_diagonal(scores).logsumexp(dim=1) - math.log(k - 1) - scores.diagonal()
    return 1 - (u + (log_contrast - u).exp()).mean()


class CriticWithU(Protocol):
    """A critic with FLO's second function: see :class:`mitools.estimators.critics.with_baseline.WithU`."""

    def __call__(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        ...

    def u(self, x: Tensor, y: Tensor) -> Tensor:
        """Give what FLO's u adds to -f on n pairs, shape (n,)."""
        ...


@torch.no_grad()
def read_flo(
    critic: CriticWithU,
    x: Tensor,
    y: Tensor,
    diagonal_is_marginal: bool = False,
    groups: Tensor | None = None,
) -> Reading:
    """Read FLO over n pairs, its second function being ``critic.u(x, y) - f(x, y)``.

    Parameters
    ----------
    critic
        Scores (n, d_x) against (m, d_y) as (n, m), and answers ``u``, shape (n,), of n pairs.
    x, y, diagonal_is_marginal, groups
        As for :func:`.read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        scores -= checked(critic.u(x[start:stop], y[start:stop]))[:, None]
        return scores.diagonal(start) + 1, scores

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal, groups))
