"""Reading the files that weights come in, without running anything they hold."""

import io
import pickle
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text, parse_json
from mitools.encoders.checkpoints.file_kinds import what_else
from mitools.encoders.checkpoints.legacy_modules import ClassOfModule, rewritten
from mitools.encoders.checkpoints.npz import read_npz_weights
from mitools.encoders.checkpoints.pickle_globals import globals_of
from mitools.encoders.checkpoints.stand_ins import Inert, attack_among, only_these, stand_ins

_PARTS_OF_TENSORS = frozenset(
    {
        "_codecs.encode", "builtins.bytearray", "builtins.complex", "builtins.set", "collections.Counter",
        "collections.OrderedDict", "torch.Size", "torch.Tensor", "torch.nn.parameter.Parameter",
        "torch.serialization._get_layout",
    }
)  # fmt: skip
_INDEX = ".index.json"


class WeightFile(NamedTuple):
    """What a file holds.

    Attributes
    ----------
    content
        As nested as it was saved.
    container
        How it is stored.
    digest
        SHA-256 over all its bytes.
    replaced
        Full names of the classes and functions in it that objects without content stand in for.
    """

    content: Mapping[Any, Any]
    container: str
    digest: str
    replaced: tuple[str, ...] = ()


def read_weight_file(path: Path) -> WeightFile:
    """Read safetensors, npz, anything that ``torch.save`` wrote, or the index of shards, onto the CPU.

    Pickles are read with ``weights_only=True``: tensors and plain containers. Every other class or function
    that a pickle names is replaced by one of the same name that keeps and does nothing
    (:mod:`mitools.encoders.checkpoints.stand_ins`): none is imported, and none is run. A pickle that names
    what only an attack would call (``os.system``, ``eval``) is refused.

    Parameters
    ----------
    path
        ``x.safetensors``, ``x.npz``, a pickle, or ``x.safetensors.index.json`` (``x.bin.index.json``) with
        its shards beside it.

    Raises
    ------
    InputError
        When the file or a shard is missing, damaged, of another kind (a web page, a Git LFS pointer, an
        archive: it is named), holds no mapping, or would run code.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if what := what_else(path):
        raise InputError(f"{path}: no checkpoint but {what}")
    if path.name.endswith(_INDEX):
        return _read_shards(path)
    if path.suffix == ".npz":
        return WeightFile(read_npz_weights(path), "npz", digest_file(path))
    if path.suffix == ".safetensors":
        return WeightFile(_read_safetensors(path), "safetensors", digest_file(path))
    content, replaced = _read_pickle(path)
    if isinstance(content, Inert):
        whole = f"{type(content).__module__}.{type(content).__qualname__}"
        raise InputError(
            f"{path}: holds an object of {whole}, not weights by name; nothing was run; "
            "save the weights alone: torch.save(model.state_dict(), ...)"
        )
    if not isinstance(content, Mapping):
        raise InputError(
            f"{path}: holds a {type(content).__name__}, not weights by name; save model.state_dict()"
        )
    return WeightFile(content, "pickle", digest_file(path), replaced)


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
    replaced: set[str] = set()
    for shard in shards:
        file = read_weight_file(path.with_name(shard))
        held = file.content
        replaced |= set(file.replaced)
        listed = {name for name, place in shard_of.items() if place == shard}
        if wrong := sorted(map(str, held.keys() ^ listed)):
            raise InputError(
                f"{path}: {shard} and the index differ in {len(wrong)} tensors, {wrong[0]!r} for one; "
                "fetch them again"
            )
        tensors |= held
    digests = (digest_file(path), *(digest_file(path.with_name(shard)) for shard in shards))
    kind = "safetensors" if all(shard.endswith(".safetensors") for shard in shards) else "pickle"
    return WeightFile(
        tensors, f"{kind} in {len(shards)} shards", digest_text(*digests), tuple(sorted(replaced))
    )


def _read_safetensors(path: Path) -> Mapping[str, torch.Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return load_file(path)
    except (SafetensorError, ValueError) as error:
        raise InputError(f"{path}: damaged safetensors file ({_first_line(error)}); fetch it again") from None


def _read_pickle(path: Path) -> tuple[Any, tuple[str, ...]]:
    """Read a pickle, and name what was replaced in it."""
    uses = _globals(path)
    if attack := attack_among(uses):
        raise InputError(f"{path}: {_refusal(attack)}")
    try:
        classes = stand_ins(uses)  # names that no class can have are damage, too
        legacy = None if zipfile.is_zipfile(path) or not classes else rewritten(path)
        with warnings.catch_warnings(), only_these([*classes.values(), ClassOfModule]):
            warnings.simplefilter("ignore")  # about pickle protocols: what matters becomes an error below
            content = torch.load(legacy or path, map_location="cpu", weights_only=True)
    except Exception as error:  # bytes that are no pickle make torch's unpickler raise almost anything
        raise InputError(f"{path}: {_failure(error, uses)}") from None
    return content, tuple(sorted(name for name in uses if not _is_torchs_own(name)))


def _globals(path: Path) -> dict[str, set[str]]:
    """Name what a file would import; nothing where it is no pickle, which loading it will tell."""
    try:
        if not zipfile.is_zipfile(path):
            with path.open("rb") as stream:
                return globals_of(stream)
        with zipfile.ZipFile(path) as archive:
            pickles = [name for name in archive.namelist() if name.rpartition("/")[2] == "data.pkl"]
            return globals_of(io.BytesIO(archive.read(pickles[0]))) if pickles else {}
    except (ValueError, LookupError, EOFError, OSError, zipfile.BadZipFile, zlib.error, RuntimeError):
        return {}


def _is_torchs_own(name: str) -> bool:
    """Whether torch makes it itself, as a part of tensors and plain containers."""
    return (
        name in _PARTS_OF_TENSORS
        or name.startswith(("torch._utils.", "torch._tensor.", "torch.storage."))
        or bool(re.fullmatch(r"torch(\.cuda)?\.\w*Storage|torch\.[a-z]+\d*", name))
    )


def _failure(error: Exception, uses: Iterable[str]) -> str:
    """Say why torch has not read a pickle."""
    if isinstance(error, pickle.UnpicklingError):
        if wanted := re.search(r"GLOBAL (\S+)", str(error)):
            return _refusal(wanted.group(1))
        foreign = next((name for name in uses if not _is_torchs_own(name)), None)
        if foreign is not None:
            return _refusal(foreign)
    return f"damaged, cut short or no checkpoint ({_first_line(error)}); fetch it again"


def _refusal(name: str) -> str:
    return (
        f"refused, since loading it would call {name.removeprefix('builtins.')}; nothing was run; "
        "save the weights alone: torch.save(model.state_dict(), ...)"
    )


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    # torch's advice to load without a check is not passed on, nor is a KeyError's byte.
    said = "" if isinstance(error, pickle.UnpicklingError | KeyError) or not lines else f": {lines[0]}"
    return type(error).__name__ + said
