"""Which of several processes this one is, as torchrun and ``accelerate launch`` tell it."""

import os

import torch

from mitools.backends.devices import resolve_device
from mitools.core.errors import InputError


def process_rank() -> int:
    """Give this process's number over all machines; 0 when it runs alone."""
    return int(os.environ.get("RANK", 0))


def require_shared(folder: object) -> None:
    """Refuse several processes that were given no folder to share.

    Raises
    ------
    InputError
        When there are several and `folder` is None.
    """
    if folder is None and int(os.environ.get("WORLD_SIZE", 1)) > 1:
        raise InputError("several processes work together only in a folder that all of them see; name one")


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
