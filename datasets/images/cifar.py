"""CIFAR-10 and CIFAR-100 as published for Python: pickles, whose numbers are read without unpickling them."""

import pickletools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.datasets.in_memory import ImageArray

_SIDE = 32
_BYTES = 3 * _SIDE * _SIDE


@dataclass(frozen=True)
class _Published:
    folder: str
    files: dict[str, tuple[str, ...]]
    names: str
    labels: str
    names_key: str


_SETS = {
    "CIFAR10": _Published(
        "cifar-10-batches-py",
        {"train": tuple(f"data_batch_{number}" for number in range(1, 6)), "test": ("test_batch",)},
        "batches.meta",
        "labels",
        "label_names",
    ),
    "CIFAR100": _Published(
        "cifar-100-python",
        {"train": ("train",), "test": ("test",)},
        "meta",
        "fine_labels",
        "fine_label_names",
    ),
}


def read_cifar(name: str, root: Path, part: str) -> ImageArray:
    """Read a part of CIFAR-10 or CIFAR-100.

    The files are Python pickles, which could run code. They are not unpickled: their operations are listed
    (:mod:`pickletools`), and the strings and whole numbers in them are taken.

    Parameters
    ----------
    name
        ``CIFAR10`` or ``CIFAR100``.
    root
        The folder that torchvision unpacks into, or the unpacked one.
    part
        ``train`` or ``test``.

    Raises
    ------
    InputError
        When a file is missing or damaged, or does not hold as many labels as images.
    """
    published = _SETS[name]
    folder = root if (root / published.names).is_file() else root / published.folder
    files = [folder / file for file in published.files[part]]
    images, labels = [], []
    for file in files:
        found = _listed(file)
        if len(found.pixels) % _BYTES or len(found.pixels) // _BYTES != len(
            found.whole.get(published.labels, [])
        ):
            raise InputError(f"{file}: damaged, or no file of {name}; fetch it again")
        pixels = np.frombuffer(found.pixels.encode("latin-1"), np.uint8)
        images.append(pixels.reshape(-1, 3, _SIDE, _SIDE).transpose(0, 2, 3, 1))
        labels += found.whole[published.labels]
    names = _listed(folder / published.names).texts.get(published.names_key, [])
    if max(labels) >= len(names) or len(set(names)) < len(names):
        raise InputError(f"{folder / published.names}: names {len(set(names))} classes; fetch it again")
    return ImageArray(
        name=f"{name}-{part}",
        classes=names,
        images=np.ascontiguousarray(np.concatenate(images)),
        labels=np.array(labels, dtype=np.int64),
        digest=digest_text("cifar", *map(digest_file, files)),
    )


@dataclass
class _Content:
    """The longest string of a pickle, and the lists that stand behind a string, by that string."""

    pixels: str = ""
    whole: dict[str, list[int]] = field(default_factory=dict)
    texts: dict[str, list[str]] = field(default_factory=dict)


def _listed(path: Path) -> _Content:
    found = _Content()
    key, inside, last = "", False, ""
    try:
        with path.open("rb") as stream:
            argument: Any
            for opcode, argument, _ in pickletools.genops(stream):
                if opcode.name == "EMPTY_LIST":
                    key, inside = last, True
                elif opcode.name == "APPENDS":
                    inside = False
                elif isinstance(argument, bytes | str) and "GLOBAL" not in opcode.name:
                    last = argument.decode("latin-1") if isinstance(argument, bytes) else argument
                    found.pixels = max(found.pixels, last, key=len)
                    if inside:
                        found.texts.setdefault(key, []).append(last)
                elif inside and opcode.name in ("BININT", "BININT1", "BININT2"):
                    found.whole.setdefault(key, []).append(int(argument))
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    except (ValueError, EOFError, IndexError) as error:
        raise InputError(f"{path}: damaged ({error}); fetch it again") from None
    return found
