"""Soft variables: the numbers of a row in groups, each group a distribution over a variable's units."""

from torch import Tensor

from mitools.core.errors import InputError

LEAST_PROBABILITY = 1e-8
"""Below which no soft probability falls, so that its logarithm is finite, as in the authors' program."""


def soft_variables(embeddings: Tensor, units: int) -> Tensor:
    """Take the softmax over every group of `units` columns (Niu et al. 2024, Eq. 1).

    Parameters
    ----------
    embeddings
        Shape (n, M * units): the first `units` columns are the first variable's.
    units
        Values of a variable, D_M.

    Returns
    -------
    Tensor
        Shape (n, M, units); every variable sums to 1.

    Raises
    ------
    InputError
        When the columns do not divide into groups of so many, or a variable has fewer than two units.

    Examples
    --------
    >>> import torch
    >>> soft_variables(torch.zeros(5, 6), units=3)[0, 1].tolist()
    [0.3333333432674408, 0.3333333432674408, 0.3333333432674408]
    """
    n, width = embeddings.shape
    if units < 2 or width % units:
        raise InputError(
            f"{width} columns do not divide into variables of {units} units; give a number of units of at"
            f" least 2 that divides {width}"
        )
    return embeddings.reshape(n, width // units, units).softmax(dim=2)
