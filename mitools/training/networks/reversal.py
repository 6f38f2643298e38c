"""Gradient reversal: one backward pass for two networks of which each wants the opposite of the other."""

from typing import Any

import torch
from torch import Tensor


def reverse_gradient(x: Tensor) -> Tensor:
    """Give x, and its gradient with the other sign (Ganin and Lempitsky 2015).

    What is computed from x minimises a loss that what x was computed from maximises.

    Examples
    --------
    >>> x = torch.ones(2, requires_grad=True)
    >>> (3 * reverse_gradient(x)).sum().backward()
    >>> x.grad.tolist()
    [-3.0, -3.0]
    """
    reversed_: Tensor = _Reversal.apply(x)  # type: ignore[no-untyped-call]
    return reversed_


class _Reversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        return -gradients[0]
