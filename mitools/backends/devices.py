"""Where tensors live."""

import torch

from mitools.core.errors import InputError
from mitools.core.names import nearest

DEVICES = ("auto", "cpu", "cuda", "mps")


def resolve_device(name: str) -> torch.device:
    """Turn a device's name into the device.

    Parameters
    ----------
    name
        ``cpu``, ``cuda`` (``cuda:1`` for the second), ``mps``, or ``auto``: the first of cuda, mps and cpu
        that this machine has.

    Raises
    ------
    InputError
        When the name is unknown or the machine has no such device.
    """
    kind, _, index = name.partition(":")
    if kind not in DEVICES or (index and (kind != "cuda" or not index.isdecimal())):
        raise InputError(f"unknown device {name!r}; accepted: {nearest(name, DEVICES, len(DEVICES))}")
    count = {"cpu": 1, "cuda": torch.cuda.device_count(), "mps": int(torch.backends.mps.is_available())}
    if kind == "auto":
        return torch.device(next(known for known in ("cuda", "mps", "cpu") if count[known]))
    if int(index or 0) >= count[kind]:
        raise InputError(f"device {name!r} is not available here; use cpu or auto")
    return torch.device(name)
