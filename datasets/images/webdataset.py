"""Images in shards of the WebDataset format: tar files whose members share their name up to the first dot."""

import json
import os
import re
import tarfile
from collections.abc import Sequence
from itertools import product
from pathlib import Path, PurePosixPath
from typing import IO, Any

from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading, is_image_name
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import LABEL_COLUMNS, labelled
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.archive import uncompressed
from mitools.datasets.readers.columns import as_they_are

OF_FOLDER = "folder"
"""The label that is the last folder of an item's key, whatever lies before it."""

_LABEL_ENDINGS = ("cls", "cls.txt", "label", "target")
_LONGEST_LABEL = 1 << 20  # bytes of a member that is read for its label

Place = tuple[int, int, int]  # which shard, offset, bytes


class ShardedImages(EncodedImages):
    """The images of WebDataset shards, in their order; meets :class:`mitools.datasets.base.LabelledData`.

    An item is the members that share their name up to the first dot of the file's own name:
    ``n01/0001.jpg``, ``n01/0001.cls``, ``n01/0001.json``. Shards may be compressed, and are read in place.

    Parameters
    ----------
    spec
        ``webdataset:PATTERN?label=KEY`` and the options of images.

    Raises
    ------
    InputError
        When a shard is missing or damaged, or an item has no image or no label.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(image_reading(spec))
        pattern = spec.need_name("webdataset:shards/train-{000..009}.tar?label=cls")
        self._paths = shard_paths(pattern)
        self.name = (
            re.sub(r"[{}*?.]+", "", Path(pattern).name.partition(".tar")[0]).strip("-_") or "webdataset"
        )
        before = OpenedFiles(self._paths)
        opened = [uncompressed(path) for path in self._paths]
        self._shards = [file for file, _ in opened]
        # What was decompressed lies in files of our own, which nobody else can change.
        plain = all(str(file.name) == str(path) for file, path in zip(self._shards, self._paths, strict=True))
        self.opened = before if plain else None
        items: dict[tuple[int, str], dict[str, Place]] = {}
        for number, (file, path) in enumerate(zip(self._shards, self._paths, strict=True)):
            for name, offset, size in _members(file, path):
                key, ending = _key_and_ending(name)
                items.setdefault((number, key), {})[ending] = (number, offset, size)
        pictures = {
            key: next((e for e in members if is_image_name(f"x.{e}")), None) for key, members in items.items()
        }
        keys = [key for key, ending in pictures.items() if ending is not None]
        if not keys:
            raise InputError(f"{pattern}: no images in the shards")
        self._items = [items[key] for key in keys]
        self._keys = [key[1] for key in keys]
        self._places = [items[key][str(pictures[key])] for key in keys]
        self._label = spec.options.get("label")
        self._folders: dict[str, PurePosixPath] = {}
        named = (self._label or "label").split("|")
        values = [self._labels_of(item, named) for item in range(len(keys))]
        columns = [
            (name, list(column), None) for name, column in zip(named, zip(*values, strict=True), strict=True)
        ]
        self.classes, self.labels, self.targets = labelled(spec, columns, self.name)
        self.look_through(
            "webdataset", *(digest for _, digest in opened), str(self._label), digest_bytes=False
        )

    def content(self, place: int) -> bytes:
        """Read one member."""
        return self._read(self._places[place])

    def where(self, place: int) -> str:
        """Give the shard and the key of one item."""
        return f"{self._paths[self._places[place][0]]}: {self._keys[place]}"

    def column(self, name: str) -> NDArray[Any]:
        """Read a member, or a key of the JSON member, of every item."""
        return as_they_are([self._value(int(place), name) for place in self.kept])

    def __getstate__(self) -> dict[str, Any]:
        # A worker started afresh (not forked) inherits no open file: it opens its own.
        return {key: value for key, value in self.__dict__.items() if key != "_shards"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._shards = [uncompressed(path)[0] for path in self._paths]

    def _read(self, place: Place) -> bytes:
        shard, offset, size = place
        return os.pread(self._shards[shard].fileno(), size, offset)

    def _labels_of(self, item: int, named: Sequence[str]) -> list[Any]:
        if self._label == OF_FOLDER:
            return [self._folder_of(item)]
        if self._label is not None:
            return [self._value(item, name) for name in named]
        return [self._usual_label(item)]

    def _usual_label(self, item: int) -> Any:
        members = self._items[item]
        for ending in _LABEL_ENDINGS:
            if ending in members:
                return self._value(item, ending)
        if "json" in members:
            notes = self._json(item)
            named = [key for key in LABEL_COLUMNS if key in notes]
            if len(named) == 1:
                return notes[named[0]]
        return self._folder_of(item)

    def _folder_of(self, item: int) -> str:
        """Give the last folder of an item's key; two folders of one name are one class only if asked for."""
        folder = PurePosixPath(self._keys[item]).parent
        if self._folders.setdefault(folder.name, folder) != folder and self._label != OF_FOLDER:
            raise InputError(
                f"{self.name}: class folders {self._folders[folder.name]} and {folder} share their name; make"
                f" them one class with label={OF_FOLDER}, or name the member or the key of the JSON that is"
                " the label as label=KEY"
            )
        if folder.name:
            return folder.name
        raise InputError(f"{self.where(item)}: no label; name the member or the key of the JSON as label=KEY")

    def _value(self, item: int, name: str) -> Any:
        members = self._items[item]
        if name in members:
            if members[name][2] > _LONGEST_LABEL:
                raise InputError(f"{self.where(item)}: {name} is no label, it has more than a million bytes")
            text = self._read(members[name]).decode("utf-8", "surrogateescape")
            number = re.fullmatch(r"\s*(0|-?[1-9]\d{0,17})\s*", text, re.ASCII)
            return int(number[1]) if number else text.rstrip("\r\n")
        notes = self._json(item) if "json" in members else {}
        if name not in notes:
            raise InputError(f"{self.where(item)}: no member and no key of the JSON called {name!r}")
        return notes[name]

    def _json(self, item: int) -> dict[str, Any]:
        try:
            notes = json.loads(self._read(self._items[item]["json"]))
        except ValueError as error:
            raise InputError(f"{self.where(item)}: its JSON is damaged ({error})") from None
        return notes if isinstance(notes, dict) else {}


def open_webdataset(spec: Spec) -> ShardedImages:
    """Open ``webdataset:PATTERN?label=KEY``; nothing of the ``webdataset`` library is needed.

    Raises
    ------
    InputError
        As :class:`ShardedImages`.
    """
    return ShardedImages(spec)


def shard_paths(pattern: str) -> list[Path]:
    """List the shards of a pattern: ``{000..009}`` and ``{a,b}`` in it stand for each, ``*`` for any name.

    Raises
    ------
    InputError
        When one that is counted is missing, or none is found.

    Examples
    --------
    >>> shard_paths("x-{a,b}.tar")
    Traceback (most recent call last):
    ...
    mitools.core.errors.InputError: x-a.tar: no such shard
    """
    parts = re.split(r"\{([^{}]*)\}", pattern)
    choices = [[part] if position % 2 == 0 else _alternatives(part) for position, part in enumerate(parts)]
    found: list[Path] = []
    for chosen in product(*choices):
        path = Path("".join(chosen))
        if "*" in path.name:
            found += sorted(path.parent.glob(path.name))
        elif path.is_file():
            found.append(path)
        else:
            raise InputError(f"{path}: no such shard")
    if not found:
        raise InputError(f"{pattern}: no such shards")
    return found


def _alternatives(part: str) -> list[str]:
    if counted := re.fullmatch(r"(\d+)\.\.(\d+)", part):
        first, last = counted.groups()
        return [str(number).zfill(len(first)) for number in range(int(first), int(last) + 1)]
    return part.split(",")


def _members(file: IO[bytes], path: Path) -> list[tuple[str, int, int]]:
    found = []
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # else every member is kept
                if member.isreg() and not PurePosixPath(member.name).name.startswith("."):
                    found.append((member.name.removeprefix("./"), member.offset_data, member.size))
    except tarfile.TarError as error:
        raise InputError(f"{path}: no tar archive or a damaged one ({error}); fetch it again") from None
    return found


def _key_and_ending(name: str) -> tuple[str, str]:
    folder, slash, file = name.rpartition("/")
    stem, _, ending = file.partition(".")
    return folder + slash + stem, ending.lower()
