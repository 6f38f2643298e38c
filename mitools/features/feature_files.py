"""The files that features lie in: safetensors with a digest, written in shards that outlive a stop."""

import fcntl
import hashlib
import json
import math
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.files import parse_json, whole_file, write_text

_UNKNOWN = "0" * 64
_CHUNK = 1 << 20
_CODES = {"float32": ("F32", 4, "<f4"), "float16": ("F16", 2, "<f2")}
"""Of each kind of number: what safetensors calls it, its bytes, what numpy calls it."""


def read_feature_file(path: Path, key: str) -> tuple[NDArray[np.floating], NDArray[np.int64]]:
    """Map a file's values, shape (n, views, d), and read its labels, shape (n,).

    Raises
    ------
    FileNotFoundError
        When there is no such file.
    ValueError, LookupError, TypeError
        When it is damaged, or another key's.
    """
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        text = stream.read(min(length, _CHUNK))
        document: dict[str, Any] = parse_json(text)
        shape = tuple(document["values"]["shape"])
        dtype = {code: name for name, (code, _, _) in _CODES.items()}[document["values"]["dtype"]]
        digest = document["__metadata__"]["sha256"]
        if length.to_bytes(8, "little") + text != _header(key, shape, dtype, digest):
            raise ValueError("foreign or damaged")
        state = hashlib.sha256(_header(key, shape, dtype, _UNKNOWN))
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    if state.hexdigest() != digest:
        raise ValueError("damaged")
    start = 8 + length
    labels = np.fromfile(path, "<i8", shape[0], offset=start)
    # Copy on write: torch wants writable memory, and the file must not change.
    values = np.memmap(path, _CODES[dtype][2], "c", offset=start + labels.nbytes, shape=shape)
    return values.view(np.ndarray), labels


class PartialFile:
    """A feature file in the making.

    Its rows are hashed as they are written. A seal syncs them to the disk and notes the hash so far in a
    journal beside the file, so that a later process can check what is there and go on behind it.

    Parameters
    ----------
    stream
        The file, open for reading and writing.
    journal
        Where the seals are noted; without one there are none.
    """

    def __init__(self, stream: IO[bytes], journal: Path | None) -> None:
        self._stream = stream
        self._journal = journal
        self._state = hashlib.sha256()
        self._key, self._dtype = "", "float32"
        self._shape: tuple[int, ...] = ()
        self.seals: dict[int, str] = {}
        """The hash of everything up to a number of rows, by that number."""

    def begin(self, key: str, shape: tuple[int, ...], dtype: str, labels: NDArray[np.int64]) -> None:
        """Start anew: the header, then the labels."""
        self._stream.seek(0)
        self._stream.truncate()
        self._state, self.seals = hashlib.sha256(), {}
        self._key, self._shape, self._dtype = key, shape, dtype
        self._put(_header(key, shape, dtype, _UNKNOWN))
        self._put(labels.tobytes())

    def append(self, values: NDArray[np.floating]) -> None:
        """Write the next rows."""
        self._put(np.ascontiguousarray(values, dtype=_CODES[self._dtype][2]).data)

    def seal(self, rows: int) -> None:
        """Sync the first `rows` rows, which are all so far, and note their hash."""
        if self._journal is None:
            return
        self._stream.flush()
        os.fsync(self._stream.fileno())
        self.seals[rows] = self._state.hexdigest()
        note = {"shape": self._shape, "dtype": self._dtype, "seals": list(self.seals.items())}
        write_text(self._journal, json.dumps(note))

    def sealed(self) -> Sequence[int]:
        """Numbers of rows that the journal holds a seal of."""
        return [rows for rows, _ in self._noted()["seals"]]

    def resume(self, rows: int, key: str, dtype: str, labels: NDArray[np.int64]) -> bool:
        """Go on behind the first `rows` rows in the file; False where they are not what was sealed."""
        note = self._noted()
        seals = dict(note["seals"])
        shape = tuple(note["shape"])
        begun = _header(key, shape, dtype, _UNKNOWN) + labels.tobytes()
        self._stream.seek(0)
        state = hashlib.sha256(begun)
        intact = self._stream.read(len(begun)) == begun and note["dtype"] == dtype
        left = rows * math.prod(shape[1:]) * _CODES[dtype][1]
        while intact and left:
            chunk = self._stream.read(min(left, _CHUNK))
            intact = bool(chunk)
            state.update(chunk)
            left -= len(chunk)
        if not intact or state.hexdigest() != seals.get(rows):
            return False
        self._stream.truncate()
        self._key, self._shape, self._dtype, self._state = key, shape, dtype, state
        self.seals = {earlier: digest for earlier, digest in seals.items() if earlier <= rows}
        return True

    def finish(self) -> None:
        """Put the digest into the header."""
        self._stream.seek(0)
        self._stream.write(_header(self._key, self._shape, self._dtype, self._state.hexdigest()))
        self._stream.flush()

    def _put(self, content: bytes | memoryview) -> None:
        self._state.update(content)
        self._stream.write(content)

    def _noted(self) -> dict[str, Any]:
        nothing: dict[str, Any] = {"shape": [0], "dtype": "", "seals": []}
        if self._journal is None:
            return nothing
        try:
            note = parse_json(self._journal.read_bytes())
            shape = [int(size) for size in note["shape"]]
            return {"shape": shape, "dtype": note["dtype"], "seals": [(int(r), d) for r, d in note["seals"]]}
        except (FileNotFoundError, ValueError, LookupError, TypeError):
            return nothing


@contextmanager
def open_partial(path: Path) -> Iterator[PartialFile]:
    """Open the file that is to become `path`, alone; it takes its place when the block ends well.

    Otherwise it stays, hidden, as far as it is sealed; without a seal, or where the disk failed, it goes. A
    process that finds another at work on the same file writes one of its own, without seals.

    Raises
    ------
    OSError
        When the folder cannot be written or the disk is full.
    """
    partial, journal = (path.with_name(f".{path.stem}.{ending}") for ending in ("partial", "seals"))
    stream = _locked(partial)
    if stream is None:
        with whole_file(path) as temporary, temporary.open("w+b") as stream:
            yield PartialFile(stream, None)
        return
    with stream:  # the lock lasts until it is closed
        file = PartialFile(stream, journal)
        try:
            yield file
            journal.unlink(missing_ok=True)
            os.replace(partial, path)
        except BaseException as error:
            if not file.seals or isinstance(error, OSError):
                journal.unlink(missing_ok=True)
                partial.unlink(missing_ok=True)
            raise


def _locked(path: Path) -> IO[bytes] | None:
    """Open a file, made if absent, that no other process has open this way; None where one has."""
    while True:
        stream = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held by another, or a file system without locks
            stream.close()
            return None
        # Whoever held it before may have renamed or removed it between the two calls.
        if path.exists() and os.path.samestat(os.fstat(stream.fileno()), path.stat()):
            return stream
        stream.close()


def _header(key: str, shape: tuple[int, ...], dtype: str, digest: str) -> bytes:
    """Make what begins a safetensors file; its length does not depend on the digest."""
    code, size, _ = _CODES[dtype]
    n = shape[0]
    values = size * math.prod(shape)
    document = {
        "__metadata__": {"key": key, "sha256": digest},
        "labels": {"dtype": "I64", "shape": [n], "data_offsets": [0, 8 * n]},
        "values": {"dtype": code, "shape": list(shape), "data_offsets": [8 * n, 8 * n + values]},
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text
