"""Images in a folder or a tar archive whose paths and labels stand in a CSV or Parquet file."""

import os
import posixpath
import stat
from collections.abc import Iterable, Sequence, Set
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import IMAGE_COLUMNS, choose_column, label_columns, labelled
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.archive import ARCHIVE_ENDINGS, Archive
from mitools.datasets.readers.columns import as_they_are, column_names, column_values, read_columns


class ListedImages(EncodedImages):
    """Image files that a table lists, in its order; meets :class:`mitools.datasets.base.LabelledData`.

    Paths are those of files below a folder, or of members of a tar archive.

    Parameters
    ----------
    spec
        ``csv:FILE?image=COLUMN&label=COLUMN&root=FOLDER_OR_ARCHIVE`` and the options of images. The folder is
        that of the table where nothing is said.

    Raises
    ------
    InputError
        When the table or a file is missing, or a column is; or the archive is damaged.
    """

    def __init__(self, spec: Spec) -> None:
        super().__init__(image_reading(spec))
        self._table = Path(spec.need_name("csv:images.csv?image=path&label=label"))
        names = column_names(self._table)
        image = choose_column(spec, "image", IMAGE_COLUMNS, names, str(self._table))
        labels = label_columns(spec, names, str(self._table))
        table = read_columns(self._table, [image, *labels])
        paths, *values = (column_values(self._table, table, name) for name in (image, *labels))
        if paths and not isinstance(paths[0], str):
            raise InputError(
                f"{self._table}: column {image!r} holds no paths; a Parquet file of images is parquet:PATH"
            )
        self._lies_in(Path(spec.options.get("root", self._table.parent)), paths)
        self.name = self._table.stem
        columns = [(name, column, None) for name, column in zip(labels, values, strict=True)]
        self.classes, self.labels, self.targets = labelled(spec, columns, str(self._table))
        self.look_through("csv", *(str(value) for column in values for value in column), *paths)

    def _lies_in(self, root: Path, paths: Sequence[str]) -> None:
        """Say where the images lie: below a folder, or in an archive."""
        listed = [path.replace("\\", "/") for path in paths]
        self._archive = Archive(root) if root.name.endswith(ARCHIVE_ENDINGS) and not root.is_dir() else None
        if self._archive is None:
            self.files = [str(root / path) for path in listed]
            self.opened = OpenedFiles(self.files)
            base = posixpath.normpath(root.absolute().as_posix())
            whole = [posixpath.normpath(posixpath.join(base, path)) for path in listed]
            away = [path for path, lies in zip(listed, whole, strict=True) if not lies.startswith(f"{base}/")]
            if away:
                self.notes.append(f"{len(away):,} of its paths lead out of {root}: {away[0]}")
        else:
            self.files = [posixpath.normpath(path) for path in listed]
            self.opened = self._archive.opened
            members = {posixpath.normpath(name): place for name, place in self._archive.members().items()}
            self._places = [members.get(path) for path in self.files]
            self._longer = _longer_names({path for path in self.files if path not in members}, members)

    def content(self, place: int) -> bytes:
        """Read one file, or one member of the archive."""
        if self._archive is not None:
            found = self._places[place]
            if found is None:
                longer = self._longer.get(self.files[place])
                remedy = f"; the archive has {longer}; write that into the table" if longer else ""
                raise InputError(f"{self.where(place)}: the archive has no such member{remedy}")
            return self._archive.read(found)
        try:
            # A pipe waits and a device never ends; a table that came from elsewhere may name either.
            if not stat.S_ISREG(os.stat(self.files[place]).st_mode):
                raise InputError(f"{self.files[place]}: is no file; take it out of {self._table}")
            return Path(self.files[place]).read_bytes()
        except OSError as error:
            raise InputError(f"{self.files[place]}: cannot be read ({error.strerror})") from None

    def where(self, place: int) -> str:
        """Give the path of one file, behind that of the archive where it lies in one."""
        return self.files[place] if self._archive is None else f"{self._archive.path}: {self.files[place]}"

    def column(self, name: str) -> NDArray[Any]:
        """Read another column of the table, one value an item."""
        table = read_columns(self._table, [name])
        return as_they_are(column_values(self._table, table, name))[self.kept]


def _longer_names(missing: Set[str], members: Iterable[str]) -> dict[str, str]:
    """Give the shortest member of an archive that ends in a missing path, for each that has one."""
    longer: dict[str, str] = {}
    for name in members if missing else ():
        parts = name.split("/")
        for start in range(1, len(parts)):
            end = "/".join(parts[start:])
            if end in missing and (end not in longer or len(name) < len(longer[end])):
                longer[end] = name
    return longer


def open_csv(spec: Spec) -> ListedImages:
    """Open ``csv:FILE?image=COLUMN&label=COLUMN&root=FOLDER_OR_ARCHIVE``.

    Raises
    ------
    InputError
        As :class:`ListedImages`.
    """
    return ListedImages(spec)
