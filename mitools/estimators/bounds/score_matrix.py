"""What bounds on a score matrix share: its diagonal is the joint distribution, the rest the product."""

import math

import torch
from torch import Tensor

from mitools.core.errors import InputError


def log_mean_exp_off_diagonal(scores: Tensor) -> Tensor:
    """Logarithm of the mean of exp f over the pairs i != j."""
    k = _square(scores)
    return without_diagonal(scores).flatten().logsumexp(dim=0) - math.log(k * (k - 1))


def without_diagonal(scores: Tensor) -> Tensor:
    """Set the diagonal to minus infinity, so that a log-sum-exp leaves it out."""
    return scores.masked_fill(torch.eye(len(scores), dtype=torch.bool, device=scores.device), -torch.inf)


def _square(scores: Tensor) -> int:
    if scores.ndim != 2 or scores.shape[0] != scores.shape[1] or len(scores) < 2:
        raise InputError(f"a bound reads a square score matrix of at least 2 x 2, not {tuple(scores.shape)}")
    return len(scores)
