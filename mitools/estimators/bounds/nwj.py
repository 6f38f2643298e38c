"""Nguyen-Wainwright-Jordan: an unbiased lower bound."""

import torch
from torch import Tensor

from mitools.estimators.bounds.reading import Critic, Reading, _pass_over, _unnormalised, checked
from mitools.estimators.bounds.score_matrix import log_mean_exp_off_diagonal


def nwj(scores: Tensor) -> Tensor:
    """Nguyen-Wainwright-Jordan: E_joint[f] - E_product[exp(f - 1)] (Poole et al. 2019, Eq. 7).

    A lower bound for any f, unbiased on a sample, with a variance that grows like exp(I). Tight at
    f = 1 + log p(x, y) / p(x) p(y). It is also f-GAN's bound for the KL divergence (Nowozin et al. 2016),
    and TUBA (Poole et al. 2019, Sec. 2.2) when f - 1 is a critic less a learned log a(y).

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    return scores.diagonal().mean() - (log_mean_exp_off_diagonal(scores) - 1).exp()


@torch.no_grad()
def read_nwj(
    critic: Critic, x: Tensor, y: Tensor, diagonal_is_marginal: bool = False, groups: Tensor | None = None
) -> Reading:
    """Read NWJ over n pairs, with f = 1 + the critic's score, so that a score of 0 reads 0.

    Tight where the score is the log density ratio. It is TUBA for a critic less its log-baseline.

    Parameters
    ----------
    critic, x, y, diagonal_is_marginal, groups
        As for :func:`.read_donsker_varadhan`.
    """

    def terms(start: int, stop: int) -> tuple[Tensor, Tensor]:
        scores = checked(critic(x[start:stop], y))
        return scores.diagonal(start) + 1, scores

    return _unnormalised(_pass_over(len(x), x.device, terms, diagonal_is_marginal, groups))
