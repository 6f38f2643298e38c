"""The precision a network computes in."""

import warnings
from contextlib import AbstractContextManager, nullcontext

import torch

from mitools.core.errors import InputError
from mitools.core.names import check_name

PRECISIONS = {"float32": torch.float32, "bf16": torch.bfloat16, "float16": torch.float16}


def computing_in(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Give the block in which a network computes in a precision; torch keeps it to the calling thread.

    In half precision (``bf16``, ``float16``) torch's autocast takes products and convolutions down and
    leaves sums, norms and softmax in float32.
    """
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=PRECISIONS[precision])


def computing_in_float32(device: torch.device) -> AbstractContextManager[object]:
    """Give the block in which nothing is taken down to half precision, whatever block is around it."""
    if not torch.is_autocast_enabled(device.type):
        return nullcontext()
    return torch.autocast(device.type, enabled=False)


def require_precision(precision: str, device: torch.device) -> None:
    """Refuse a precision that is unknown, or that a device does not compute in.

    Raises
    ------
    InputError
        With what would be accepted.
    """
    check_name("precision", precision, PRECISIONS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch warns and goes on in float32; here that is an error
            with torch.inference_mode(), computing_in(precision, device):
                image = torch.ones(1, 1, 2, 2, device=device)
                found = torch.nn.functional.conv2d(image, image).dtype
    except RuntimeError:
        found = None
    if found != PRECISIONS[precision]:
        raise InputError(f"device {device} does not compute in {precision} here; take float32")
