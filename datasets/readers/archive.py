"""A tar archive that is read in place: its members by name, each one read at an offset."""

import bz2
import gzip
import hashlib
import lzma
import os
import tarfile
import tempfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from mitools.core.errors import InputError
from mitools.datasets.opened_files import OpenedFiles

ARCHIVE_ENDINGS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
"""How the name of an archive ends."""

_DECOMPRESSORS: dict[bytes, Callable[[Path], Any]] = {
    b"\x1f\x8b": gzip.GzipFile,
    b"BZh": bz2.BZ2File,
    b"\xfd7zXZ\0": lzma.LZMAFile,
}
_BYTES_AT_ONCE = 1 << 20

Place = tuple[int, int]
"""Where a member begins in the uncompressed archive, and its bytes."""


class Archive:
    """A tar archive, which is never extracted.

    A compressed one is decompressed once, into a temporary file without a name, so that every member is one
    read at an offset: several workers may read at once and memory stays flat.

    Parameters
    ----------
    path
        ``.tar``, or a ``.tar`` compressed by gzip, bzip2 or xz.

    Attributes
    ----------
    digest
        SHA-256 of the whole uncompressed content.
    opened
        The archive, where it is read from on demand; None where what is read is a decompressed copy, which
        nobody else can change.

    Raises
    ------
    InputError
        When there is no such file, or it is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        opened = OpenedFiles([path] if path.is_file() else [])
        self._file, self.digest = uncompressed(path)
        self.opened = opened if str(self._file.name) == str(path) else None

    def members(self) -> dict[str, Place]:
        """List the files by name; of a name that comes twice the last, as extracting would leave it.

        Raises
        ------
        InputError
            When it is no tar archive, or damaged or cut short.
        """
        found = {}
        self._file.seek(0)
        try:
            with tarfile.open(fileobj=self._file, mode="r:") as archive:
                while (member := archive.next()) is not None:
                    archive.members.clear()  # type: ignore[attr-defined]  # else every member is kept
                    if member.isreg():
                        found[member.name.removeprefix("./")] = (member.offset_data, member.size)
                self._file.seek(archive.offset)
                if len(self._file.read(tarfile.BLOCKSIZE)) < tarfile.BLOCKSIZE:
                    raise InputError(
                        f"{self.path}: cut short, the end of the archive is missing; fetch it again"
                    )
        except tarfile.TarError as error:
            raise InputError(
                f"{self.path}: no tar archive or a damaged one ({error}); fetch it again"
            ) from None
        return found

    def read(self, place: Place) -> bytes:
        """Read one member."""
        offset, size = place
        return os.pread(self._file.fileno(), size, offset)

    def __getstate__(self) -> dict[str, Any]:
        # A worker started afresh (not forked) inherits no open file: it opens its own.
        return {key: value for key, value in self.__dict__.items() if key != "_file"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._file, _ = uncompressed(self.path)


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
