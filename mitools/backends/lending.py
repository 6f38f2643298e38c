"""A network that belongs to somebody else, for the length of a pass."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


def device_of(module: nn.Module) -> torch.device:
    """Say where a network lies: where its first parameter or buffer does; the CPU where it has none."""
    for tensors in (module.parameters(), module.buffers()):
        for tensor in tensors:
            return tensor.device
    return torch.device("cpu")


def dtype_of(module: nn.Module) -> torch.dtype:
    """Say what a network computes in: its first parameter's precision, or float32 where it has none."""
    floats = (tensor.dtype for tensor in module.parameters() if tensor.is_floating_point())
    return next(floats, torch.float32)


@contextmanager
def lent(module: nn.Module) -> Iterator[None]:
    """Put a network into evaluation mode, laid out for fast convolutions, and give it back as it was.

    However the block ends, every parameter and buffer then has the numbers, the memory and the layout that
    it had, and every part its own mode. Nothing is moved to another device; hooks, gradients and
    ``requires_grad`` are not touched.

    Examples
    --------
    >>> network = nn.Sequential(nn.Dropout(), nn.BatchNorm1d(2).eval())
    >>> with lent(network):
    ...     [part.training for part in network.modules()]
    [False, False, False]
    >>> [part.training for part in network.modules()]
    [True, True, False]
    """
    modes = [(part, part.training) for part in module.modules()]
    buffers = list(module.buffers())
    maps = [weight for weight in module.parameters() if weight.ndim == 4]
    kept = [(tensor, tensor.data) for tensor in (*buffers, *maps)]
    try:
        with torch.no_grad():
            for buffer in buffers:  # what a pass writes into one is its own
                buffer.data = buffer.data.clone()
            for weight in maps:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)
        if any(training for _, training in modes):
            module.eval()
        yield
    finally:
        # Through train(), which some networks extend; from the outside in, so that a part's own mode stays.
        for part, training in modes:
            if part.training != training:
                part.train(training)
        for part, training in modes:
            part.training = training
        for tensor, data in kept:
            tensor.data = data
