"""A network that belongs to somebody else, for the length of a pass."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
from torch import Tensor, nn


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

    However the block ends, every parameter and buffer is then the tensor that it was, with the numbers, the
    memory and the layout that it had, and every part has its own mode. What a pass writes into a buffer, puts
    in its place or registers anew is gone. Nothing is moved to another device; hooks, gradients and
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
    tensors = [_Tensors.of(part) for part in module.modules()]
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
        for held in tensors:
            held.give_back()
        for tensor, data in kept:
            tensor.data = data


class _Tensors(NamedTuple):
    """Which tensors a part of a network calls its parameters and buffers; None where a name has none yet."""

    part: nn.Module
    parameters: dict[str, nn.Parameter | None]
    buffers: dict[str, Tensor | None]
    not_saved: set[str]

    @classmethod
    def of(cls, part: nn.Module) -> "_Tensors":
        unsaved = set(getattr(part, "_non_persistent_buffers_set", ()))
        return cls(part, dict(part._parameters.items()), dict(part._buffers.items()), unsaved)

    def give_back(self) -> None:
        """Put the tensors back under their names, whatever the part has been assigned since."""
        if isinstance(
            self.part, torch.jit.ScriptModule
        ):  # its names are fixed, and its tables can't be cleared
            for name, tensor in (self.parameters | self.buffers).items():
                if getattr(self.part, name) is not tensor:
                    setattr(self.part, name, tensor)
            return
        self.part._parameters.clear()
        self.part._parameters.update(self.parameters)
        self.part._buffers.clear()
        self.part._buffers.update(self.buffers)
        self.part._non_persistent_buffers_set = self.not_saved
