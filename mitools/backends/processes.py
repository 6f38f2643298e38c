"""Which of several processes this one is, as torchrun and ``accelerate launch`` tell it."""

import os

import torch

from mitools.backends.devices import resolve_device


def process_rank() -> int:
    """Give this process's number over all machines; 0 when it runs alone."""
    return int(os.environ.get("RANK", 0))


def own_device(name: str) -> torch.device:
    """Resolve a device's name; of several processes on a machine with GPUs each takes its own.

    Parameters
    ----------
    name
        As :func:`mitools.backends.devices.resolve_device` reads it.

    Raises
    ------
    InputError
        When the name is unknown or the machine has no such device.
    """
    device = resolve_device(name)
    if device.type == "cuda" and device.index is None:
        local = int(os.environ.get("LOCAL_RANK", 0))
        return torch.device("cuda", local % torch.cuda.device_count())
    return device
