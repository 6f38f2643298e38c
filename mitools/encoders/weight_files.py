"""Reading the files that weights come in, without running anything they hold."""

import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from mitools.errors import InputError

_HARMLESS = frozenset({"collections", "torch._utils"})


def read_weight_file(path: Path) -> Mapping[Any, Any]:
    """Read a ``.safetensors`` file, or anything that ``torch.save`` wrote, onto the CPU.

    Pickles are read with ``weights_only=True``: tensors and plain containers alone. A pickle that asks for
    anything else is refused and what it asked for is named; nothing in it is executed.

    Returns
    -------
    Mapping
        What the file holds, as nested as it was saved.

    Raises
    ------
    InputError
        When the file is missing, damaged, holds no mapping, or would run code.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    content = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path}: holds a {type(content).__name__}, not weights by name; save model.state_dict()"
        )
    return content


def _read_safetensors(path: Path) -> Mapping[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: damaged safetensors file ({_first_line(error)}); fetch it again") from None


def _read_pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about pickle protocols: what matters becomes an error below
            return torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no pickle make torch's unpickler raise almost anything
        if isinstance(error, pickle.UnpicklingError) and (wanted := _wanted_global(path, str(error))):
            raise InputError(
                f"{path}: refused, since loading it would call {wanted}; nothing was run; "
                "save the weights alone: torch.save(model.state_dict(), ...)"
            ) from None
        raise InputError(
            f"{path}: damaged, cut short or no checkpoint ({_first_line(error)}); fetch it again"
        ) from None


def _wanted_global(path: Path, message: str) -> str | None:
    """Name what a refused pickle asked for, by torch's message or by reading (not running) its opcodes."""
    if found := re.search(r"GLOBAL (\S+)", message):
        return found.group(1)
    if zipfile.is_zipfile(path):
        return None
    strings: list[str] = []
    try:
        with path.open("rb") as stream:
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name in ("GLOBAL", "STACK_GLOBAL"):
                    module, name = strings[-2:] if argument is None else argument.split(" ")
                    if module not in _HARMLESS:
                        return f"{module}.{name}"
                elif isinstance(argument, str):
                    strings.append(argument)
    except ValueError:  # no pickle after all
        return None
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
