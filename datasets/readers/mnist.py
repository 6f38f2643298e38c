"""MNIST and its relatives in their original idx files."""

import gzip
import math
import struct
import zlib
from io import BufferedIOBase
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.names import nearest
from mitools.core.specs import Spec
from mitools.datasets.in_memory import ImageArray

_FILE_PREFIXES = {"train": "train", "test": "t10k"}
MOST_DEFLATED = 1032
"""Bytes that gzip can make of one, at the most: a file that promises more is not what it says it is."""

_IDX_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def open_mnist(spec: Spec) -> ImageArray:
    """Open ``mnist:DIR?part=train|test``; ``test`` by default, on which frozen encoders were seldom trained.

    The folder holds ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte`` and the two ``t10k`` files,
    gzipped or not, with a dash or a dot before ``idx``.

    Raises
    ------
    InputError
        When a file is missing or no idx file of the right shape, or images and labels differ in number.
    """
    folder = Path(spec.need_name("mnist:path/to/folder"))
    part = spec.options.get("part", "test")
    if part not in _FILE_PREFIXES:
        raise InputError(
            f"spec {spec.text!r}: part={part} is unknown; accepted: {nearest(part, _FILE_PREFIXES)}"
        )
    return read_mnist(folder, part)


def read_mnist(folder: Path, part: str) -> ImageArray:
    """Read the ``train`` or ``test`` part of a folder of idx files.

    Raises
    ------
    InputError
        When a file is missing or no idx file of the right shape, or images and labels differ in number.
    """
    image_path = _find(folder, f"{_FILE_PREFIXES[part]}-images", "idx3-ubyte")
    label_path = _find(folder, f"{_FILE_PREFIXES[part]}-labels", "idx1-ubyte")
    images, labels = read_idx(image_path), read_idx(label_path)
    for path, array, axes in [(image_path, images, 3), (label_path, labels, 1)]:
        if array.ndim != axes or array.dtype != np.uint8:
            raise InputError(f"{path}: {array.ndim} axes of {array.dtype}, where MNIST has {axes} of uint8")
    if len(images) != len(labels) or not len(labels):
        raise InputError(f"{folder}: {len(images)} images and {len(labels)} labels in part {part}")
    return ImageArray(
        name=f"{folder.name}-{part}",
        classes=[str(digit) for digit in range(int(labels.max()) + 1)],
        images=images,
        labels=labels.astype(np.int64),
        digest=digest_text("mnist", digest_file(image_path), digest_file(label_path)),
    )


def read_idx(path: Path) -> NDArray:
    """Read an idx file (LeCun's format), gzipped or not, and no more of it than its header promises.

    Returns
    -------
    NDArray
        The shape and dtype that the file states, in the machine's byte order.

    Raises
    ------
    InputError
        When the file is missing, is no idx file (wrong magic), is cut short or has bytes left over.
    """
    try:
        with path.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
            stream.seek(0)
            content = gzip.GzipFile(fileobj=stream) if packed else stream
            dtype, shape = _header(path, content.read(4), content)
            expected = math.prod(shape) * dtype.itemsize
            most = path.stat().st_size * (MOST_DEFLATED if packed else 1)
            # One byte more than promised is enough to know that there are too many.
            numbers = content.read(expected + 1) if expected <= most else b""
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise InputError(f"{path}: damaged gzip file ({error}); fetch it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    if len(numbers) != expected:
        held = "more" if len(numbers) > expected else "fewer"
        promised = f"than the {expected:,} that its header promises"
        raise InputError(f"{path}: {held} bytes {promised}; fetch it again")
    return np.frombuffer(numbers, dtype).reshape(shape).astype(dtype.newbyteorder("="))


def _header(path: Path, start: bytes, content: BufferedIOBase) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """Read the type of the numbers and their shape."""
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] not in _IDX_TYPES:
        raise InputError(f"{path}: no idx file (it starts with {start.hex() or 'nothing'})")
    sides = content.read(4 * start[3])
    if len(sides) < 4 * start[3]:
        raise InputError(f"{path}: fewer bytes than its header has; fetch it again")
    return np.dtype(_IDX_TYPES[start[2]]), struct.unpack(f">{start[3]}I", sides)


def _find(folder: Path, stem: str, kind: str) -> Path:
    names = [f"{stem}{mark}{kind}{end}" for mark in "-." for end in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise InputError(f"{folder}: no {names[0]} here (nor {names[1]}); name the folder of the idx files")
