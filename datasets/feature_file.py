"""Features somebody has already extracted, in an npz file."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitools.errors import InputError
from mitools.files import digest_file, digest_text
from mitools.specs import Spec

_ROWS_AT_ONCE = 8192
_DAMAGED = (OSError, ValueError, EOFError, TypeError, AttributeError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class FeatureRows:
    """Labelled rows of numbers; meets :class:`mitools.datasets.base.LabelledData`.

    Attributes
    ----------
    name
        A short name for tables and figures.
    classes
        The class names; where the file numbers its classes, the numbers as text.
    features
        Shape (n, d), float16 or float32 as stored.
    labels
        Shape (n,), int64.
    digest
        Changes when any row or label does.
    """

    name: str
    classes: Sequence[str]
    features: NDArray[np.floating]
    labels: NDArray[np.int64]
    digest: str

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], int]:
        """Read one row, shape (d,), and its label."""
        return self.features[index].astype(np.float32), int(self.labels[index])


def open_features(spec: Spec) -> FeatureRows:
    """Open ``features:PATH.npz``.

    Raises
    ------
    InputError
        As :func:`read_features`.
    """
    return read_features(Path(spec.need_name("features:path/to/features.npz")))


def read_features(path: Path) -> FeatureRows:
    """Read an npz file with the arrays ``features`` (n, d) and ``labels`` (n,).

    Features are float16, float32 or float64 (kept as float32); labels are whole numbers or names.

    Raises
    ------
    InputError
        When the file is missing, damaged or no npz, an array is missing or of another shape or dtype,
        their lengths differ, or a feature is not finite. Arrays of Python objects are refused unread.
    """
    features, values = _load(path, "features"), _load(path, "labels")
    if features.dtype not in (np.float16, np.float32, np.float64) or features.ndim != 2 or not features.size:
        raise InputError(
            f"{path}: features has shape {features.shape} of {features.dtype}; "
            "it must be (n, d) of float16, float32 or float64"
        )
    if values.ndim != 1 or values.dtype.kind not in "iubU":
        raise InputError(
            f"{path}: labels has shape {values.shape} of {values.dtype}; it must be (n,) of integers or names"
        )
    if len(values) != len(features):
        raise InputError(f"{path}: {len(features)} features and {len(values)} labels; they must pair up")
    if features.dtype == np.float64:
        with np.errstate(over="ignore"):  # an overflow is reported below, with its row
            features = features.astype(np.float32)
    for start in range(0, len(features), _ROWS_AT_ONCE):
        finite = np.isfinite(features[start : start + _ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise InputError(
                f"{path}: features are not finite as float32, first in row {row}; drop such rows"
            )
    classes, labels = np.unique(values, return_inverse=True)
    return FeatureRows(
        name=path.stem,
        classes=[str(value) for value in classes],
        features=features,
        labels=labels.astype(np.int64),
        digest=digest_text("features", digest_file(path)),
    )


def _load(path: Path, key: str) -> NDArray:
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if key not in arrays:
                raise InputError(f"{path}: no array {key!r} (it has {', '.join(arrays) or 'none'})")
            return arrays[key]
    except FileNotFoundError:
        raise InputError(f"{path}: no such file") from None
    except InputError:
        raise
    except _DAMAGED as error:
        reason = " ".join(str(error).split())
        if "allow_pickle" in reason:
            reason = f"{key} holds Python objects, which could run code; nothing was run"
        raise InputError(f"{path}: no readable npz file ({reason})") from None
