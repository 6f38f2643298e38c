"""Files that are whole or absent: written beside their place and renamed into it, and named by content."""

import errno
import hashlib
import json
import os
import re
import secrets
import shutil
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

from mitools.core.errors import InputError, reason_of

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)
"""Numbers of the errors that say that a disk, or one's share of it, is full."""


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it into place when the block ends well.

    Whatever ends the block early (an error, Ctrl-C, a full disk) removes the temporary file and leaves
    an older file at `path` as it was. A process killed outright leaves only a hidden ``.tmp`` file, which
    :func:`remove_leftovers` takes away.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = _beside(path)
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give a temporary folder beside `folder` to fill; rename it into place when the block ends well.

    Whatever ends the block early removes it. A process killed outright leaves it, hidden, until the next
    comes to fill the same folder.

    Raises
    ------
    OSError
        When the folder cannot be made, or `folder` is there and not empty.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    remove_leftovers(folder)
    temporary = _beside(folder)
    temporary.mkdir()
    try:
        yield temporary
        os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _beside(path: Path) -> Path:
    """Name a hidden path beside another that says who writes there."""
    owner = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
    return path.with_name(f".{path.stem}.{owner}.tmp{path.suffix}")


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed have left of a file or folder in the making.

    Only those of this machine are known to have ended.
    """
    host = re.escape(socket.gethostname())
    name = rf"\.{re.escape(path.stem)}\.{host}-(\d+)-[0-9a-f]{{8}}\.tmp{re.escape(path.suffix)}"
    for other in path.parent.iterdir() if path.parent.is_dir() else ():
        found = re.fullmatch(name, other.name)
        if found and not _runs(int(found[1])):
            if other.is_dir():
                shutil.rmtree(other, ignore_errors=True)
            else:
                other.unlink(missing_ok=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; bytes of a file's name that are no UTF-8 become their codes."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Raise as an OSError what torch and safetensors say of a disk (it is full) in errors of their own.

    Parameters
    ----------
    path
        What is written.

    Raises
    ------
    OSError
        With its number, and the path.
    """
    handled = sys.exc_info()[1]  # of the caller: what is raised here has it as its context, for no reason
    try:
        yield
    except OSError:
        raise
    except Exception as error:
        found = re.search(r"\(os error (\d+)\)", str(error))
        cause = None if error.__context__ is handled else error.__context__
        number = int(found[1]) if found else getattr(cause, "errno", None)
        if number is None:
            raise
        raise OSError(number, os.strerror(number), str(path)) from None


def parse_json(text: str | bytes) -> Any:
    """Read JSON that anybody may have written.

    Raises
    ------
    ValueError
        When it is no JSON, is no UTF-8, or is nested so deep that Python gives up.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("brackets in brackets without end") from None


def read_json(path: Path) -> Any:
    """Read a JSON file that anybody may have written.

    Raises
    ------
    InputError
        When it cannot be read or is no JSON.
    """
    try:
        return parse_json(path.read_bytes())
    except (ValueError, OSError) as error:
        raise InputError(f"{path}: damaged, or no JSON ({reason_of(error, 200)})") from None


def writable_folder(folder: str | os.PathLike[str]) -> Path:
    """Take a folder that is there or can be made; nothing is made yet.

    Raises
    ------
    InputError
        When it is no path, something else lies in its place, or nothing can be written there.
    """
    if not isinstance(folder, str | os.PathLike) or not isinstance(os.fspath(folder), str):
        raise InputError(f"a folder is a path, not {folder!r} of type {type(folder).__name__}")
    path = Path(folder)
    try:
        with suppress(OSError):
            path.lstat()  # a name that no path can have is a ValueError
        nearest = next(place for place in (path, *path.absolute().parents) if os.path.lexists(place))
        if not nearest.is_dir():
            raise InputError(f"{path}: a file lies where a folder is needed ({nearest}); name another folder")
        with TemporaryFile(dir=nearest):
            pass
    except (OSError, ValueError, StopIteration) as error:
        if isinstance(error, InputError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"folder {path} cannot be written ({reason}); name another folder") from None
    return path


def writable_file(file: str | os.PathLike[str]) -> Path:
    """Take the path of a file that can be written; its folder as :func:`writable_folder`.

    Raises
    ------
    InputError
        When it is no path, a folder lies there, or its folder cannot be written.
    """
    if isinstance(file, str | os.PathLike) and Path(file).is_dir():
        raise InputError(f"{file} is a folder; name a file")
    if not isinstance(file, str | os.PathLike):
        raise InputError(f"a file is a path, not {file!r} of type {type(file).__name__}")
    writable_folder(Path(file).parent)
    return Path(file)


@contextmanager
def folder_or_scratch(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Give the folder named, or one that is gone when the block ends.

    Raises
    ------
    InputError
        As :func:`writable_folder`, before the block begins.
    """
    if folder is not None:
        yield writable_folder(folder)
        return
    with TemporaryDirectory(prefix="mitools-") as scratch:
        yield Path(scratch)


def digest_file(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def digest_text(*parts: str) -> str:
    """SHA-256 of several strings, kept apart by their lengths, in hexadecimal."""
    state = hashlib.sha256()
    for part in parts:
        # Names of files need not be UTF-8: Python reads their bytes as lone surrogates.
        encoded = part.encode("utf-8", "surrogatepass")
        state.update(len(encoded).to_bytes(8, "little"))
        state.update(encoded)
    return state.hexdigest()
