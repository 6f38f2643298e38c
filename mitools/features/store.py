"""Features kept on disk: named by what they were computed from, written whole, verified on reading."""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mitools.core.files import digest_text
from mitools.features.feature_files import PartialFile, open_partial, read_feature_file

FeatureDtype = Literal["float32", "float16"]


class StoredFeatures(NamedTuple):
    """Features read back: `values` (n, views, d), mapped from the file as written; `labels` (n,) int64."""

    values: NDArray[np.floating]
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

    Each file holds ``values`` (n, views, d), float32 or float16, and ``labels`` (n,) int64. Its metadata
    holds the SHA-256 of everything else in the file, which is checked whenever the file is opened.

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
            return StoredFeatures(*read_feature_file(path, key))
        except FileNotFoundError:
            return None
        except (ValueError, LookupError, TypeError):
            path.unlink(missing_ok=True)
            return None

    @contextmanager
    def write(
        self, key: str, labels: NDArray[np.int64], dtype: FeatureDtype = "float32"
    ) -> Iterator["FeatureWriter"]:
        """Give a writer to which the rows are appended; the file appears when the block ends well.

        Rows behind a seal outlive whatever else ends the block (an error, Ctrl-C, ``kill -9``): the next
        writer of the key can go on from there. What is not sealed is removed, or overwritten by the next.

        Raises
        ------
        OSError
            When the folder cannot be written or the disk is full; nothing is left behind then.
        """
        self.root.mkdir(parents=True, exist_ok=True)
        with open_partial(self.path(key)) as partial:
            writer = FeatureWriter(partial, key, labels, dtype)
            yield writer
            writer.finish()


class FeatureWriter:
    """Writes one file of a store row by row, so that features are never held in memory whole.

    Parameters
    ----------
    partial
        The file in the making.
    key
        The key the file is for.
    labels
        Shape (n,): one an item; their number is that of the items to come.
    dtype
        How numbers are kept.
    """

    def __init__(
        self, partial: PartialFile, key: str, labels: NDArray[np.int64], dtype: FeatureDtype = "float32"
    ) -> None:
        self._partial = partial
        self._key = key
        self._labels = np.ascontiguousarray(labels, dtype=np.int64)
        self._dtype = dtype
        self._rows = 0

    def append(self, values: NDArray[np.floating]) -> None:
        """Append the features of the next items, shape (items, views, d)."""
        if not self._rows:
            shape = (len(self._labels), *values.shape[1:])
            self._partial.begin(self._key, shape, self._dtype, self._labels)
        self._partial.append(values)
        self._rows += len(values)

    def seal(self) -> None:
        """Bring the rows appended so far to the disk, where a later writer of the key will find them."""
        self._partial.seal(self._rows)

    def sealed(self) -> Sequence[int]:
        """Say at which numbers of rows an earlier writer of this key left seals, in rising order."""
        return self._partial.sealed()

    def resume(self, rows: int) -> bool:
        """Go on behind the first `rows` rows of an earlier writer; False where they are damaged."""
        intact = self._partial.resume(rows, self._key, self._dtype, self._labels)
        self._rows = rows if intact else 0
        return intact

    def restart(self) -> None:
        """Forget what was appended or resumed."""
        self._rows = 0

    def finish(self) -> None:
        """Put the digest into the header.

        Raises
        ------
        ValueError
            When there are not as many rows as labels.
        """
        if self._rows != len(self._labels) or not self._rows:
            raise ValueError(f"{self._rows} rows were written for {len(self._labels)} labels")
        self._partial.finish()


def resume_together(writers: Sequence[FeatureWriter]) -> int:
    """Let several writers of the same items go on from the last seal they share; return its rows, or 0."""
    shared = set.intersection(*(set(writer.sealed()) for writer in writers))
    for rows in sorted(shared, reverse=True):
        if all(writer.resume(rows) for writer in writers):
            return rows
    for writer in writers:
        writer.restart()
    return 0
