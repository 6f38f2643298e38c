"""Images inside a tar archive, read by offset and never extracted."""

import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.datasets.images.decode import UPRIGHT_ON_WHITE, Reading, image_reading, is_image_name
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.folder import LEFT_BY_ARCHIVERS

_DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_BYTES_AT_ONCE = 1 << 20


class ImageArchive(EncodedImages):
    """A tar of class folders; meets :class:`mitools.datasets.base.LabelledData`.

    The class of an image is the folder it lies in, however deep (``cifar10/test/cat/0001.jpg`` is a cat);
    items come in order of class and name, as from a folder. A compressed archive is decompressed once,
    into a temporary file without a name, so that every image is one read at an offset: several workers may
    read at once and memory stays flat. The digest covers the whole uncompressed content.

    Parameters
    ----------
    path
        ``.tar``, or a ``.tar`` compressed by gzip, bzip2 or xz.
    under
        Take the images below this folder of the archive alone.
    reading
        How the images are decoded.

    Raises
    ------
    InputError
        When it is no tar archive, is cut short, has no images, or two class folders share their name.
    """

    def __init__(self, path: Path, under: str = "", reading: Reading = UPRIGHT_ON_WHITE) -> None:
        super().__init__(reading)
        self._path = path
        opened = OpenedFiles([path] if path.is_file() else [])
        self._file, content = uncompressed(path)
        # What was decompressed lies in a file of our own, which nobody else can change.
        self.opened = opened if str(self._file.name) == str(path) else None
        members = {name: place for name, place in _images(self._file, path) if _is_below(name, under)}
        if not members:
            raise InputError(f"{path}: no images in class folders{f' below {under}' if under else ''}")
        folders: dict[str, PurePosixPath] = {}
        for name in members:
            folder = PurePosixPath(name).parent
            other = folders.setdefault(folder.name, folder)
            if other != folder:
                raise InputError(
                    f"{path}: class folders {other} and {folder} share their name; choose with under=FOLDER"
                )
        self.name = path.name.partition(".")[0]
        self.classes = sorted(folders)
        label = {name: k for k, name in enumerate(self.classes)}
        self._names = sorted(members, key=lambda name: (PurePosixPath(name).parent.name, name))
        self._places = np.array([members[name] for name in self._names], dtype=np.int64)
        self.labels = np.array(
            [label[PurePosixPath(name).parent.name] for name in self._names], dtype=np.int64
        )
        self.look_through("tar", content, under, digest_bytes=False)

    def content(self, place: int) -> bytes:
        """Read one member."""
        offset, size = self._places[place]
        return os.pread(self._file.fileno(), int(size), int(offset))

    def where(self, place: int) -> str:
        """Give the archive and the name of one member."""
        return f"{self._path}: {self._names[place]}"

    def __getstate__(self) -> dict[str, Any]:
        # A worker started afresh (not forked) inherits no open file: it opens its own.
        return {key: value for key, value in self.__dict__.items() if key != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._file, _ = uncompressed(self._path)


def open_tar(spec: Spec) -> ImageArchive:
    """Open ``tar:PATH?under=FOLDER``.

    Raises
    ------
    InputError
        As :class:`ImageArchive`.
    """
    path = Path(spec.need_name("tar:path/to/images.tar.gz"))
    return ImageArchive(path, spec.options.get("under", ""), image_reading(spec))


def uncompressed(path: Path) -> tuple[IO[bytes], str]:
    """Open an archive's uncompressed bytes, and give their SHA-256.

    Raises
    ------
    InputError
        When there is no such file, or it is damaged.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as stream:
        start = stream.read(8)
    unpack = next((unpack for magic, unpack in _DECOMPRESSORS.items() if start.startswith(magic)), None)
    plain = path.open("rb") if unpack is None else tempfile.TemporaryFile()  # noqa: SIM115, it stays open
    state = hashlib.sha256()
    try:
        with path.open("rb") if unpack is None else unpack(path) as stream:
            while chunk := stream.read(_BYTES_AT_ONCE):
                state.update(chunk)
                if unpack is not None:
                    plain.write(chunk)
    except (EOFError, lzma.LZMAError, zlib.error, OSError) as error:
        plain.close()
        if isinstance(error, OSError) and error.errno is not None:  # a full disk is not the archive's fault
            raise
        raise InputError(f"{path}: damaged or cut short ({error}); fetch it again") from None
    plain.flush()
    return plain, state.hexdigest()


def _images(file: IO[bytes], path: Path) -> list[tuple[str, tuple[int, int]]]:
    """Name, offset and size of every image that lies in a folder."""
    found = []
    file.seek(0)
    try:
        with tarfile.open(fileobj=file, mode="r:") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # else every member is kept
                name = member.name.removeprefix("./")
                if member.isreg() and is_image_name(name) and _has_class(name):
                    found.append((name, (member.offset_data, member.size)))
            file.seek(archive.offset)
            if len(file.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
                raise InputError(f"{path}: cut short, the end of the archive is missing; fetch it again")
    except tarfile.TarError as error:
        raise InputError(f"{path}: no tar archive or a damaged one ({error}); fetch it again") from None
    return found


def _has_class(name: str) -> bool:
    folders = PurePosixPath(name).parts[:-1]
    return bool(folders) and not LEFT_BY_ARCHIVERS & set(folders)


def _is_below(name: str, under: str) -> bool:
    return PurePosixPath(name).is_relative_to(under.strip("/"))
