"""What a file is that is no checkpoint: told by its first bytes, and what to do about it."""

import gzip
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

_BEGINNINGS: tuple[tuple[bytes, str], ...] = (
    (
        b"version https://git-lfs",
        "a Git LFS pointer that stands for the file: fetch it with 'git lfs pull'",
    ),
    (b"\x1f\x8b", "a gzip: unpack it with 'gunzip' (or 'tar -xzf')"),
    (b"BZh", "a bzip2 archive: unpack it first"),
    (b"\xfd7zXZ\0", "an xz archive: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a rar archive: unpack it first"),
    (b"GGUF", "a quantised GGUF file: take the weights in full precision"),
    (b"\x89HDF\r\n", "an HDF5 file, as Keras writes it: save the weights as npz or safetensors"),
    (b"%PDF", "a PDF: the link led to a document"),
    (b"ORTM", "a model of onnxruntime: open the ONNX file as onnx:PATH"),
)
_WEB_PAGE = "a web page, not the file: the link asked to log in or to confirm; download it in a browser"
_QUANTISED = (
    "_packed_params", ".qweight", ".qzeros", ".SCB", ".absmax", ".weight_packed", ".quant_state",
    ".zero_point",
)  # fmt: skip
_PRUNED = ("_orig", "_mask")


def what_else(path: Path) -> str | None:
    """Say what a file is that is no checkpoint; None where its first bytes tell nothing.

    Parameters
    ----------
    path
        A file.

    Returns
    -------
    str or None
        What it is, and the remedy.
    """
    with path.open("rb") as stream:
        start = stream.read(512)
    text = start.lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if text.startswith((b"<!doctype", b"<html", b"<head", b"<?xml", b"<body")):
        return _WEB_PAGE
    if start[257:262] == b"ustar":
        return "a tar archive: unpack it first"
    for beginning, what in _BEGINNINGS:
        if start.startswith(beginning):
            return _inside_gzip(path) or what
    if path.suffix != ".npz" and zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                members = [name.rpartition("/")[2] for name in archive.namelist()]
        except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
            return None  # damaged: reading it will tell
        if "constants.pkl" in members:
            return "a TorchScript archive: open it as torchscript:PATH?trust=yes, which runs its code"
        if "data.pkl" not in members:
            return "a zip archive that torch.save has not written: unpack it first"
    return None


def altered(tensors: Mapping[str, Any], missing: Iterable[str]) -> str | None:
    """Say that weights are quantised or pruned, where this is why an encoder's are missing among them.

    Parameters
    ----------
    tensors
        What the file holds, by name.
    missing
        Names that the encoder has and the file lacks.
    """
    for name in missing:
        ends = {suffix: [key for key in tensors if key.endswith(name + suffix)] for suffix in _PRUNED}
        if all(ends.values()):
            return (
                f"its weights are pruned ({ends['_orig'][0]} and {ends['_mask'][0]} in the place of {name}):"
                " make them permanent with torch.nn.utils.prune.remove before saving"
            )
    quantised = next(
        (
            key
            for key, value in tensors.items()
            if key.endswith(_QUANTISED) or (isinstance(value, Tensor) and value.is_quantized)
        ),
        None,
    )
    if quantised is not None:
        return f"its weights are quantised ({quantised}): take the file in full precision"
    return None


def _inside_gzip(path: Path) -> str | None:
    """Look at what a gzip holds: often it is a page again."""
    try:
        with gzip.open(path) as stream:
            start = stream.read(16).lstrip().lower()
    except (OSError, EOFError, zlib.error):
        return None
    return _WEB_PAGE if start.startswith((b"<!doctype", b"<html")) else None
