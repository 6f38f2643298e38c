"""IMSVD: soft variables that are invariant, each of high entropy, and no two of them dependent."""

from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function

from mitools.core.errors import InputError
from mitools.variables.soft import LEAST_PROBABILITY, soft_variables

ROWS_AT_ONCE = 64
"""About how many rows of the joint table are in memory at a time."""


def imsvd(
    x: Tensor,
    y: Tensor,
    units: int = 80,
    invariance: float = 1.0,
    diagonal: float = 1.0,
    off_diagonal: float = 1.0,
) -> Tensor:
    """Cross-joint entropy loss of IMSVD, on the soft variables of two views (Niu et al. 2024, Eq. 11).

    ``invariance * transform_invariance - diagonal * diagonal_entropy - off_diagonal * off_diagonal_entropy``.
    Equation 11 as printed divides both entropies by M^2. Here, as in the authors' program, the diagonal part
    is divided by M and the rest by M (M - 1): each is then the mean entropy of Eqs. 5 and 7, from which
    Eq. 11 is derived, and the weight of a term does not change with the number of variables. The two ways
    differ by a hundredth in the off-diagonal part at M = 102, and by the factor M in the diagonal part.

    Parameters
    ----------
    x, y
        Shape (K, M * units) each: embeddings of two views, row i of both of one item.
    units
        Values of a variable, D_M.
    invariance, diagonal, off_diagonal
        Weights of the three terms (TI, DE and OE of Table VIII); 0 leaves a term out.

    Returns
    -------
    Tensor
        A scalar, in nats; at its least -3 log(units), or as much more as K items cannot fill units^2 cells.

    Raises
    ------
    InputError
        When the columns do not divide into variables, or there are fewer than two items.

    Examples
    --------
    Two variables of two units that take all four pairs of values: the least value there is.

    >>> import torch
    >>> x = 50.0 * torch.tensor([[1, 0, 1, 0], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 0, 1.0]])
    >>> round(float(imsvd(x, x, units=2)) / float(torch.tensor(2.0).log()), 3)
    -3.0
    """
    p, q = soft_pair(x, y, units)
    value = x.new_zeros(())
    if invariance:
        value = value + invariance * transform_invariance(p, q)
    if diagonal:
        value = value - diagonal * diagonal_entropy(p, q)
    if off_diagonal:
        value = value - off_diagonal * off_diagonal_entropy(p, q)
    return value


def transform_invariance(p: Tensor, q: Tensor) -> Tensor:
    """Minus the mean log probability that both views' variables take one value (TI of Table VIII).

    Parameters
    ----------
    p, q
        Shape (K, M, units): soft variables of two views.

    Examples
    --------
    >>> import torch
    >>> round(float(transform_invariance(torch.full((3, 1, 4), 0.25), torch.full((3, 1, 4), 0.25)).exp()), 3)
    4.0
    """
    return -(p * q).sum(dim=2).log().mean()


def invariance_cross_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Cross-entropy of the second view's variables under the first's (TIC of Table VIII).

    Parameters
    ----------
    p, q
        As for :func:`transform_invariance`.
    """
    return -(p * q.log()).sum(dim=2).mean()


def diagonal_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Mean over variables of the entropy of "both views take value d" (DE of Table VIII).

    Parameters
    ----------
    p, q
        As for :func:`transform_invariance`.
    """
    both = (p * q).mean(dim=0)
    return -(both * both.log()).sum(dim=1).mean()


def off_diagonal_entropy(p: Tensor, q: Tensor) -> Tensor:
    """Mean joint entropy of a variable in one view and another in the other view (OE of Table VIII).

    The joint table of Eq. 10, shape (M units, M units), is never whole in memory: a few of its rows are made,
    used for the value and for the gradient, and dropped.

    Parameters
    ----------
    p, q
        As for :func:`transform_invariance`; 0 for a single variable.
    """
    variables = p.shape[1]
    if variables == 1:
        return 0.0 * (p.sum() + q.sum())
    total: Tensor = _OffDiagonal.apply(p.flatten(1), q.flatten(1), p.shape[2])
    return -total / (variables * (variables - 1))


def soft_pair(x: Tensor, y: Tensor, units: int) -> tuple[Tensor, Tensor]:
    """Discretise two views softly, no probability below 1e-8; shape (K, M, units) each.

    Raises
    ------
    InputError
        As :func:`imsvd`.
    """
    if len(x) < 2:
        raise InputError(f"a batch of {len(x)} has no distribution of variables; give at least two items")
    p, q = (soft_variables(rows, units).clamp(min=LEAST_PROBABILITY) for rows in (x, y))
    return p, q


class _OffDiagonal(Function):
    """The sum of P log P over the joint table outside the blocks of a variable with itself.

    P = p' q / K is made a few rows at a time. The gradient needs P again, and is linear in what comes back
    from the loss, a scalar: it is made at once, so that backward has nothing to compute.
    """

    @staticmethod
    def forward(ctx: Any, p: Tensor, q: Tensor, units: int) -> Tensor:
        """Sum over rows (K, M units) of two views, and keep the gradient where one is asked for."""
        count, width = p.shape
        rows = units * max(1, ROWS_AT_ONCE // units)
        total = p.new_zeros(())
        to_p, to_q = torch.empty_like(p), torch.zeros_like(q)
        differentiated = any(ctx.needs_input_grad)
        for start in range(0, width, rows):
            some = slice(start, min(start + rows, width))
            joint = p[:, some].T @ q / count
            own = [slice(k, k + units) for k in range(some.start, some.stop, units)]
            for block in own:
                joint[block.start - start : block.stop - start, block] = 1.0  # 1 log 1 adds nothing
            log = joint.log()
            total = total + (joint * log).sum()
            if differentiated:
                slope = log.add_(1.0)
                for block in own:
                    slope[block.start - start : block.stop - start, block] = 0.0
                to_p[:, some] = q @ slope.T
                to_q.addmm_(p[:, some], slope)
        ctx.save_for_backward(to_p.div_(count), to_q.div_(count))
        return total

    @staticmethod
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor, Tensor, None]:  # type: ignore[override]
        to_p, to_q = ctx.saved_tensors
        return upstream * to_p, upstream * to_q, None
