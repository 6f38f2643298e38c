"""Features kept on disk: named by what they were computed from, written whole, verified on reading."""

import hashlib
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.files import digest_text, whole_file

_UNKNOWN = "0" * 64
_CHUNK = 1 << 20


class StoredFeatures(NamedTuple):
    """Features read back: `values` (n, views, d) float32, mapped from the file, and `labels` (n,) int64."""

    values: NDArray[np.float32]
    labels: NDArray[np.int64]


def default_root() -> Path:
    """Name the folder where features are kept: ``$MITOOLS_CACHE``, or ``~/.cache/mitools/features``."""
    folder = os.environ.get("MITOOLS_CACHE")
    return Path(folder) if folder else Path.home() / ".cache" / "mitools" / "features"


def feature_key(*, encoder: str, preprocess: str, layer: str, data: str, views: str, precision: str) -> str:
    """Digest of all that features depend on; whatever changes gives another key, never a stale hit."""
    return digest_text("features 1", encoder, preprocess, layer, data, views, precision)


class FeatureStore:
    """A folder of safetensors files, one a key.

    Each file holds ``values`` (n, views, d) float32 and ``labels`` (n,) int64. Its metadata holds the
    SHA-256 of everything else in the file, which is checked whenever the file is opened.

    Parameters
    ----------
    root
        The folder; made when first written to.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        """Where the features of a key lie, or would lie."""
        return self.root / f"{key}.safetensors"

    def read(self, key: str) -> StoredFeatures | None:
        """Open the features of a key, memory-mapped; None when there are none.

        A damaged file is deleted and counts as none: its features are to be computed again.
        """
        path = self.path(key)
        try:
            return _read(path, key)
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError):
            path.unlink(missing_ok=True)
            return None

    @contextmanager
    def write(self, key: str, labels: NDArray[np.int64]) -> Iterator["FeatureWriter"]:
        """Give a writer to which the rows are appended; the file appears when the block ends well.

        Raises
        ------
        OSError
            When the folder cannot be written or the disk is full; nothing is left behind then.
        """
        with whole_file(self.path(key)) as temporary, temporary.open("w+b") as stream:
            writer = FeatureWriter(stream, key, labels)
            yield writer
            writer.finish()


class FeatureWriter:
    """Writes one file of a store row by row, so that features are never held in memory whole.

    Parameters
    ----------
    stream
        An empty file.
    key
        The key the file is for.
    labels
        Shape (n,): one an item; their number is that of the items to come.
    """

    def __init__(self, stream: IO[bytes], key: str, labels: NDArray[np.int64]) -> None:
        self._stream = stream
        self._key = key
        self._labels = np.ascontiguousarray(labels, dtype=np.int64)
        self._state = hashlib.sha256()
        self._shape: tuple[int, ...] = ()
        self._rows = 0

    def append(self, values: NDArray[np.float32]) -> None:
        """Append the features of the next items, shape (items, views, d)."""
        if not self._shape:
            self._shape = (len(self._labels), *values.shape[1:])
            self._put(_header(self._key, self._shape, _UNKNOWN))
            self._put(self._labels.tobytes())
        self._put(np.ascontiguousarray(values, dtype="<f4").tobytes())
        self._rows += len(values)

    def finish(self) -> None:
        """Put the digest into the header.

        Raises
        ------
        ValueError
            When there are not as many rows as labels.
        """
        if self._rows != len(self._labels) or not self._rows:
            raise ValueError(f"{self._rows} rows were written for {len(self._labels)} labels")
        self._stream.seek(0)
        self._stream.write(_header(self._key, self._shape, self._state.hexdigest()))

    def _put(self, content: bytes) -> None:
        self._state.update(content)
        self._stream.write(content)


def _header(key: str, shape: tuple[int, ...], digest: str) -> bytes:
    """Make what begins a safetensors file; its length does not depend on the digest."""
    n = shape[0]
    values = 4 * math.prod(shape)
    document = {
        "__metadata__": {"key": key, "sha256": digest},
        "labels": {"dtype": "I64", "shape": [n], "data_offsets": [0, 8 * n]},
        "values": {"dtype": "F32", "shape": list(shape), "data_offsets": [8 * n, 8 * n + values]},
    }
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _read(path: Path, key: str) -> StoredFeatures:
    with path.open("rb") as stream:
        length = int.from_bytes(stream.read(8), "little")
        text = stream.read(min(length, _CHUNK))
        document: dict[str, Any] = json.loads(text)
        shape = tuple(document["values"]["shape"])
        digest = document["__metadata__"]["sha256"]
        if length.to_bytes(8, "little") + text != _header(key, shape, digest):
            raise ValueError("foreign or damaged")
        state = hashlib.sha256(_header(key, shape, _UNKNOWN))
        while chunk := stream.read(_CHUNK):
            state.update(chunk)
    if state.hexdigest() != digest:
        raise ValueError("damaged")
    start = 8 + length
    labels = np.fromfile(path, "<i8", shape[0], offset=start)
    # Copy on write: torch wants writable memory, and the file must not change.
    values = np.memmap(path, "<f4", "c", offset=start + labels.nbytes, shape=shape)
    return StoredFeatures(values.view(np.ndarray), labels)
