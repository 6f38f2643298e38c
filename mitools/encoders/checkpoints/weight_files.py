"""Reading the files that weights come in, without running anything they hold."""

import pickle
import pickletools
import re
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text, parse_json
from mitools.encoders.checkpoints.pickle_allowlist import HARMLESS

_PARTS_OF_TENSORS = frozenset({"collections", "torch._utils"})
_INDEX = ".index.json"


class WeightFile(NamedTuple):
    """What a file holds, as nested as it was saved; how it is stored; and a SHA-256 over all its bytes."""

    content: Mapping[Any, Any]
    container: str
    digest: str


def read_weight_file(path: Path) -> WeightFile:
    """Read safetensors, anything that ``torch.save`` wrote, or the index of a file in shards, onto the CPU.

    Pickles are read with ``weights_only=True``: tensors, plain containers, and the classes of
    :data:`mitools.encoders.checkpoints.pickle_allowlist.HARMLESS`, which are replaced by empty ones. A
    pickle that asks for anything else is refused and what it asked for is named; nothing in it is
    executed.

    Parameters
    ----------
    path
        ``x.safetensors``, a pickle, or ``x.safetensors.index.json`` (``x.bin.index.json``) with its shards
        beside it.

    Raises
    ------
    InputError
        When the file or a shard is missing, damaged, holds no mapping, or would run code.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if path.name.endswith(_INDEX):
        return _read_shards(path)
    if path.suffix == ".safetensors":
        return WeightFile(_read_safetensors(path), "safetensors", digest_file(path))
    content = _read_pickle(path)
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path}: holds a {type(content).__name__}, not weights by name; save model.state_dict()"
        )
    return WeightFile(content, "pickle", digest_file(path))


def _read_shards(path: Path) -> WeightFile:
    try:
        shard_of = parse_json(path.read_bytes())["weight_map"]
        shards = sorted(set(shard_of.values()))
    except (ValueError, LookupError, TypeError, AttributeError):
        raise InputError(f"{path}: damaged, or no index of shards; fetch it again") from None
    for shard in shards:
        beside = isinstance(shard, str) and shard != "" and Path(shard).name == shard
        if not beside or shard.endswith(_INDEX):
            raise InputError(f"{path}: names {shard!r}, which is no shard beside it; fetch it again")
    tensors: dict[str, Any] = {}
    for shard in shards:
        held = read_weight_file(path.with_name(shard)).content
        listed = {name for name, place in shard_of.items() if place == shard}
        if wrong := sorted(map(str, held.keys() ^ listed)):
            raise InputError(
                f"{path}: {shard} and the index differ in {len(wrong)} tensors, {wrong[0]!r} for one; "
                "fetch them again"
            )
        tensors |= held
    digests = (digest_file(path), *(digest_file(path.with_name(shard)) for shard in shards))
    kind = "safetensors" if all(shard.endswith(".safetensors") for shard in shards) else "pickle"
    return WeightFile(tensors, f"{kind} in {len(shards)} shards", digest_text(*digests))


def _read_safetensors(path: Path) -> Mapping[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: damaged safetensors file ({_first_line(error)}); fetch it again") from None


def _read_pickle(path: Path) -> Any:
    try:
        with warnings.catch_warnings(), torch.serialization.safe_globals(list(HARMLESS.values())):
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
                    if module not in _PARTS_OF_TENSORS and f"{module}.{name}" not in HARMLESS:
                        return f"{module}.{name}"
                elif isinstance(argument, str):
                    strings.append(argument)
    except ValueError:  # no pickle after all
        return None
    return None


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0]}" if lines else type(error).__name__
