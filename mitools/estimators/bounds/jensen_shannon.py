"""The Jensen-Shannon divergence of joint and product."""

import math

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, _pass_over, _unnormalised, checked
from mitools.estimators.bounds.score_matrix import _square, without_diagonal


def jensen_shannon(scores: Tensor) -> Tensor:
    """Twice the Jensen-Shannon divergence of joint and product, from below (Nowozin et al. 2016).

    ``2 log 2 - E_joint[softplus(-f)] - E_product[softplus(f)]``, tight where f is the log density ratio,
    which makes it a stable objective for critics that another bound reads. Its value is no mutual
    information and bounds none.

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats; at most 2 log 2.
    """
    k = _square(scores)
    softplus = torch.nn.functional.softplus
    others = softplus(without_diagonal(scores)).sum() / (k * (k - 1))
    return 2 * math.log(2) - softplus(-scores.diagonal()).mean() - others


@torch.no_grad()
def read_jensen_shannon(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read twice the Jensen-Shannon divergence over n pairs; the ceiling is 2 log 2.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`.read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        joint = 2 * math.log(2) - torch.nn.functional.softplus(-scores.diagonal(start))
        return joint, torch.nn.functional.softplus(scores).log_()

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal, groups))
