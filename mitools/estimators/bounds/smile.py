"""SMILE: Donsker-Varadhan with clipped scores."""

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, _normalised, _pass_over, checked
from mitools.estimators.bounds.score_matrix import log_mean_exp_off_diagonal


def smile(scores: Tensor, clip: float) -> Tensor:
    """SMILE: Donsker-Varadhan with the scores of the product clipped (Song & Ermon 2020).

    Clipping bounds the variance of the second term and gives up the bound: the value may lie on either
    side of the truth.

    Parameters
    ----------
    scores
        Shape (K, K).
    clip
        The paper's tau: scores of the product are held within [-clip, clip].

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return scores.diagonal().mean() - log_mean_exp_off_diagonal(scores.clamp(-clip, clip))


@torch.no_grad()
def read_smile(
    critic: Critic,
    x: Tensor,
    y: Tensor,
    diagonal_is_marginal: bool = False,
    groups: Tensor | None = None,
    *,
    clip: float,
) -> Reading:
    """Read SMILE over n pairs: Donsker-Varadhan with the product's scores held within [-clip, clip].

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`.read_donsker_varadhan`.
    clip
        The paper's tau.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start).clone(), scores.clamp_(-clip, clip)

    return _normalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal, groups))
