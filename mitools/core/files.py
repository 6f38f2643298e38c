"""Files that are whole or absent: written beside their place and renamed into it, and named by content."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path` to write to; rename it into place when the block ends well.

    Whatever ends the block early (an error, Ctrl-C, a full disk) removes the temporary file and leaves
    an older file at `path` as it was. A process killed outright leaves only a hidden ``.tmp`` file.

    Raises
    ------
    OSError
        When the folder cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}-{secrets.token_hex(4)}.tmp{path.suffix}")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


@contextmanager
def folder_or_scratch(folder: str | os.PathLike[str] | None) -> Iterator[Path]:
    """Give the folder named, or one that is gone when the block ends."""
    if folder is not None:
        yield Path(folder)
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
        encoded = part.encode()
        state.update(len(encoded).to_bytes(8, "little"))
        state.update(encoded)
    return state.hexdigest()
