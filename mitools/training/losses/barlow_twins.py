"""Barlow Twins: the cross-correlation of two views' embeddings brought to the identity."""

import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError


def barlow_twins(x: Tensor, y: Tensor, off_diagonal: float = 0.005) -> Tensor:
    """Redundancy reduction by decorrelation (Zbontar et al. 2021, Eqs. 1 and 2).

    ``sum_i (1 - C_ii)^2 + off_diagonal * sum_{i != j} C_ij^2``, of the correlations C of the columns of `x`
    with those of `y` over the batch. It bounds no mutual information: columns that are uncorrelated may be
    dependent.

    Parameters
    ----------
    x, y
        Shape (K, d) each: embeddings of two views; standardised over the batch here.
    off_diagonal
        The paper's lambda.

    Returns
    -------
    Tensor
        A scalar; 0 where every column is that of the other view, and no two are correlated.

    Raises
    ------
    InputError
        When there are fewer than two items.

    Examples
    --------
    >>> import torch
    >>> x = torch.tensor([[1.0, 1], [1, -1], [-1, 1], [-1, -1]])
    >>> round(float(barlow_twins(x, x)), 6)
    0.0
    """
    if len(x) < 2:
        raise InputError(f"a batch of {len(x)} has no correlations; give at least two items")
    x, y = (functional.batch_norm(rows, None, None, training=True) for rows in (x, y))
    correlation = x.T @ y / len(x)
    on = (correlation.diagonal() - 1).square().sum()
    return on + off_diagonal * torch.linalg.vector_norm(without_diagonal(correlation)).square()


def without_diagonal(table: Tensor) -> Tensor:
    """Set the diagonal of a square table to 0, so that sums of squares never come out below 0."""
    return table.clone().fill_diagonal_(0.0)
