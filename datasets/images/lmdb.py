"""Images in an LMDB: one image file a key."""

import os
from pathlib import Path, PurePosixPath
from typing import Any

from mitools.core.errors import InputError
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import labelled
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.columns import column_names, column_values, read_columns

# LMDB lets a process open a database once, and an opened one must not come through a fork.
_OPENED: dict[str, Any] = {}


def _close_all() -> None:
    while _OPENED:
        _OPENED.popitem()[1].close()


os.register_at_fork(before=_close_all)


class StoredImages(EncodedImages):
    """The images of an LMDB in the order of their keys; meets :class:`mitools.datasets.base.LabelledData`.

    A value is the bytes of an image file. The class is the folder of the key (``cat/0001``), or stands in a
    table of keys and labels. Values of other kinds (pickles, Caffe's) are refused unread: nothing in a data
    file is ever executed.

    Parameters
    ----------
    spec
        ``lmdb:PATH?labels=FILE.csv`` and the options of images.

    Raises
    ------
    InputError
        When lmdb is missing (``pip install "mitools[lmdb]"``), it is no LMDB, or an image has no label.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(image_reading(spec))
        self._path = Path(spec.need_name("lmdb:images.lmdb?labels=labels.csv"))
        need("lmdb", "lmdb", "lmdb")
        if not self._path.exists():
            raise InputError(f"{self._path}: no such file or folder")
        self.opened = OpenedFiles([self._path / "data.mdb" if self._path.is_dir() else self._path])
        with self._environment().begin() as reading:
            self._keys = [bytes(key) for key in reading.cursor().iternext(values=False)]
        table = spec.options.get("labels")
        values = _folders(self._keys, self._path) if table is None else self._listed(Path(table))
        self.name = self._path.stem
        columns = [("label", values, None)]
        self.classes, self.labels, self.targets = labelled(spec, columns, str(self._path))
        self.look_through("lmdb", *map(repr, self._keys), *map(str, values))

    def content(self, place: int) -> bytes:
        """Read one value."""
        with self._environment().begin() as reading:
            return bytes(reading.get(self._keys[place]))

    def where(self, place: int) -> str:
        """Give the database and the key."""
        return f"{self._path}: {self._keys[place].decode(errors='replace')}"

    def _listed(self, table: Path) -> list[Any]:
        """Read labels by key; only the keys that the table lists are items."""
        names = column_names(table)
        if len(names) != 2:
            raise InputError(f"{table}: has columns {', '.join(names)}; give two, the key and the label")
        rows = read_columns(table, names)
        keys = [str(key).encode() for key in column_values(table, rows, names[0])]
        there = set(self._keys)
        if lost := next((key for key in keys if key not in there), None):
            raise InputError(f"{self._path}: has no key {lost.decode()!r} that {table} lists")
        self._keys = keys
        return column_values(table, rows, names[1])

    def _environment(self) -> Any:
        name = str(self._path.resolve())
        if name not in _OPENED:
            import lmdb

            try:
                _OPENED[name] = lmdb.open(
                    name, subdir=self._path.is_dir(), readonly=True, lock=False, readahead=False
                )
            except lmdb.Error as error:
                raise InputError(f"{self._path}: no readable LMDB ({error}); fetch it again") from None
        return _OPENED[name]


def open_lmdb(spec: Spec) -> StoredImages:
    """Open ``lmdb:PATH?labels=FILE.csv``.

    Raises
    ------
    InputError
        As :class:`StoredImages`.
    """
    return StoredImages(spec)


def _folders(keys: list[bytes], path: Path) -> list[str]:
    values: list[str] = []
    known: dict[str, PurePosixPath] = {}
    for key in keys:
        name = key.decode("utf-8", "surrogateescape")
        folder = PurePosixPath(name).parent
        if not folder.name:
            raise InputError(
                f"{path}: key {name!r} names no class (cat/0001); give a table of keys and labels as"
                " labels=FILE.csv"
            )
        if known.setdefault(folder.name, folder) != folder:
            raise InputError(
                f"{path}: class folders {known[folder.name]} and {folder} share their name; give a table of"
                " keys and labels as labels=FILE.csv"
            )
        values.append(folder.name)
    return values
