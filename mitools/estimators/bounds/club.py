"""Bounds on a matrix of conditional log densities, in nats: from above where the density is the true one.

In every function ``scores[i, j] = log q(y_j | x_i)``, shape (K, K), up to a function of y alone: such a
function takes no part. The diagonal holds the K pairs drawn from the joint distribution. With any other
density than the true p(y|x) each value may lie on either side of the truth.
"""

import math

from torch import Tensor

from mitools.estimators.bounds.score_matrix import without_diagonal


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
    apart = (scores.sum() - scores.diagonal().sum()) / (k * (k - 1))
    return scores.diagonal().mean() - apart


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


def leave_one_out(scores: Tensor) -> Tensor:
    """Leave one out: E[log p(y_j|x_j) / mean_i p(y_j|x_i)] with i != j (Poole et al. 2019, Sec. 2.4).

    Parameters
    ----------
    scores
        Shape (K, K).

    Returns
    -------
    Tensor
        A scalar, in nats.
    """
    others = without_diagonal(scores).logsumexp(dim=0) - math.log(len(scores) - 1)
    return (scores.diagonal() - others).mean()
