"""The global batch from every process's part of it, with its gradient."""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed


def gather_with_gradient(rows: Tensor) -> Tensor:
    """Join the rows of all processes, in the order of their ranks; alone, the rows themselves.

    A loss of the joined rows, computed alike by every process, then has the gradient of one process that
    holds the whole batch, once gradients of the parameters are averaged over the processes
    (DistributedDataParallel does): the backward pass sums over processes what each makes of our rows.

    Parameters
    ----------
    rows
        Shape (K, ...), of the same shape in every process.

    Returns
    -------
    Tensor
        Shape (processes * K, ...).
    """
    if not _several():
        return rows
    return _Gather.apply(rows)


def gather_items(values: Tensor, index: Tensor) -> tuple[Tensor, Tensor]:
    """Join what all processes computed, one row an item: a padded sampler's repetitions are dropped.

    Parameters
    ----------
    values
        Shape (k, ...); k may differ between processes.
    index
        Shape (k,), int64: the items that the rows belong to.

    Returns
    -------
    values, index
        Sorted by item; of an item that several rows belong to, the first.
    """
    if _several():
        values, index = _joined(values), _joined(index)
    items, inverse = torch.unique(index, return_inverse=True)
    places = torch.arange(len(index), device=index.device)
    first = torch.full_like(items, len(index)).scatter_reduce(0, inverse, places, "amin")
    return values[first], items


def share_tensors(tensors: Iterable[Tensor]) -> None:
    """Overwrite tensors by those of the first process; alone, nothing happens."""
    if _several():
        for tensor in tensors:
            distributed.broadcast(tensor, src=0)


def _several() -> bool:
    return distributed.is_available() and distributed.is_initialized() and distributed.get_world_size() > 1


def _joined(values: Tensor) -> Tensor:
    """Join tensors whose first dimension may differ between processes."""
    counts = [
        torch.zeros(1, dtype=torch.int64, device=values.device) for _ in range(distributed.get_world_size())
    ]
    distributed.all_gather(counts, torch.tensor([len(values)], device=values.device))
    longest = int(max(counts))
    padded = values.new_zeros(longest, *values.shape[1:])
    padded[: len(values)] = values
    parts = [torch.empty_like(padded) for _ in counts]
    distributed.all_gather(parts, padded)
    return torch.cat([part[: int(count)] for part, count in zip(parts, counts, strict=True)])


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.rows = len(rows)
        parts = [torch.empty_like(rows) for _ in range(distributed.get_world_size())]
        distributed.all_gather(parts, rows.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        gradient = gradient.contiguous()
        distributed.all_reduce(gradient)
        start = distributed.get_rank() * ctx.rows
        return gradient[start : start + ctx.rows]
