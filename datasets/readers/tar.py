"""Images inside a tar archive, read by offset and never extracted."""

import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.folder import decode_image, is_image_name

_DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_BYTES_AT_ONCE = 1 << 20


class ImageArchive:
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

    Raises
    ------
    InputError
        When it is no tar archive, is cut short, has no images, or two class folders share their name.
    """

    def __init__(self, path: Path, under: str = "") -> None:
        self._path = path
        opened = OpenedFiles([path] if path.is_file() else [])
        self._file, content = _uncompressed(path)
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
        self.classes: Sequence[str] = sorted(folders)
        label = {name: k for k, name in enumerate(self.classes)}
        self._names = sorted(members, key=lambda name: (PurePosixPath(name).parent.name, name))
        self._places = np.array([members[name] for name in self._names], dtype=np.int64)
        self.labels: NDArray[np.int64] = np.array(
            [label[PurePosixPath(name).parent.name] for name in self._names], dtype=np.int64
        )
        self.digest = digest_text("tar", content, under)

    def __len__(self) -> int:
        """Count the images."""
        return len(self._names)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image in mode RGB and its label.

        Raises
        ------
        InputError
            When the member is damaged.
        """
        offset, size = self._places[index]
        content = os.pread(self._file.fileno(), int(size), int(offset))
        return decode_image(content, f"{self._path}: {self._names[index]}"), int(self.labels[index])

    def __getstate__(self) -> dict[str, Any]:
        # A worker started afresh (not forked) inherits no open file: it opens its own.
        return {key: value for key, value in self.__dict__.items() if key != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._file, _ = _uncompressed(self._path)


def open_tar(spec: Spec) -> ImageArchive:
    """Open ``tar:PATH?under=FOLDER``.

    Raises
    ------
    InputError
        As :class:`ImageArchive`.
    """
    path = Path(spec.need_name("tar:path/to/images.tar.gz"))
    return ImageArchive(path, spec.options.get("under", ""))


def _uncompressed(path: Path) -> tuple[IO[bytes], str]:
    """Open the archive's uncompressed bytes, and give their SHA-256."""
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
                if member.isreg() and is_image_name(name) and "/" in name.strip("/"):
                    found.append((name, (member.offset_data, member.size)))
            file.seek(archive.offset)
            if len(file.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
                raise InputError(f"{path}: cut short, the end of the archive is missing; fetch it again")
    except tarfile.TarError as error:
        raise InputError(f"{path}: no tar archive or a damaged one ({error}); fetch it again") from None
    return found


def _is_below(name: str, under: str) -> bool:
    return PurePosixPath(name).is_relative_to(under.strip("/"))
