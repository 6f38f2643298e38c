"""VICReg: variance, invariance and covariance regularisation."""

import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.training.losses.barlow_twins import without_diagonal


def vicreg(
    x: Tensor, y: Tensor, invariance: float = 25.0, variance: float = 25.0, covariance: float = 1.0
) -> Tensor:
    """Weigh three terms of two views' embeddings (Bardes et al. 2022, Eq. 6).

    ``invariance * s + variance / 2 * (v(x) + v(y)) + covariance * (c(x) + c(y))``: the mean squared
    difference, by how much standard deviations fall short of 1 (Eq. 1), and the squared covariances of
    different columns over the number of columns (Eq. 4). The paper's program has the half in front of the
    variance, and so has this. It bounds no mutual information.

    Parameters
    ----------
    x, y
        Shape (K, d) each: embeddings of two views.
    invariance, variance, covariance
        Weights of the terms (lambda, mu and nu).

    Returns
    -------
    Tensor
        A scalar.

    Raises
    ------
    InputError
        When there are fewer than two items.

    Examples
    --------
    >>> import torch
    >>> x = 2 * torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    >>> float(vicreg(x, x))
    0.0
    """
    if len(x) < 2:
        raise InputError(f"a batch of {len(x)} has no variance; give at least two items")
    shortfall = _shortfall(x) + _shortfall(y)
    return (
        invariance * functional.mse_loss(x, y)
        + variance * shortfall / 2
        + covariance * (_covariance(x) + _covariance(y))
    )


def _shortfall(rows: Tensor, least_variance: float = 1e-4) -> Tensor:
    return functional.relu(1 - (rows.var(dim=0) + least_variance).sqrt()).mean()


def _covariance(rows: Tensor) -> Tensor:
    centred = rows - rows.mean(dim=0)
    table = centred.T @ centred / (len(rows) - 1)
    return torch.linalg.vector_norm(without_diagonal(table)).square() / rows.shape[1]
