"""Features that were extracted elsewhere, with their labels, in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mitools.core.centring import Centring, find_centring, to_single
from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.specs import Spec
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.columns import number_classes
from mitools.datasets.readers.feature_formats import read_arrays
from mitools.datasets.readers.label_arrays import one_label_a_row
from mitools.datasets.targets import Targets, classes_by_value, one_class, read_targets

_ROWS_AT_ONCE = 8192


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
        Shape (n, d), float16 or float32 as stored, possibly mapped from the file; what is stored as float64
        or whole numbers is float32, after `centring`.
    labels
        Shape (n,), int64.
    digest
        Changes when any row or label does.
    centring
        What was taken off columns that float32 does not resolve where they lie, such as time stamps; None
        where it resolves all.
    opened
        The files, where rows are read from them on demand.
    targets
        What the rows are compared with where that is not one class each.
    """

    name: str
    classes: Sequence[str]
    features: NDArray[np.floating]
    labels: NDArray[np.int64]
    digest: str
    centring: Centring | None = None
    opened: OpenedFiles | None = None
    targets: Targets | None = None

    def __len__(self) -> int:
        """Count the rows."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], int]:
        """Read one row, shape (d,), and its label."""
        return self.features[index].astype(np.float32), int(self.labels[index])


def open_features(spec: Spec) -> FeatureRows:
    """Open ``features:PATH`` (npz, safetensors, parquet), or ``features:PATH.npy?labels=PATH.npy``.

    ``label=NAME`` and ``features=NAME`` name the arrays, or the columns of a Parquet file, where they are not
    called by one of their usual names (:mod:`mitools.datasets.readers.feature_formats`).

    Raises
    ------
    InputError
        As :func:`read_features`.
    """
    path = Path(spec.need_name("features:path/to/features.npz"))
    labels = spec.options.get("labels")
    label, name = spec.options.get("label"), spec.options.get("features")
    return read_features(path, Path(labels) if labels else None, label, name, spec.options.get("target"))


def read_features(
    path: Path,
    labels_path: Path | None = None,
    label: str | None = None,
    name: str | None = None,
    target: str | None = None,
) -> FeatureRows:
    """Read features (n, d) and labels (n,), from any file that ``feature_formats`` lists.

    Features are numbers, labels whole numbers or names, as
    :func:`mitools.datasets.readers.label_arrays.one_label_a_row` takes them. float16 and float32 stay as
    they are, and on disk until they are used in npy and safetensors files. Others become float32; columns
    that it does not resolve where they lie, such as time stamps, are shifted first
    (:class:`mitools.core.centring.Centring`).

    Parameters
    ----------
    path
        The file.
    labels_path
        A npy file of the labels, for a npy file of features.
    label
        The array or column of labels.
    name
        The array or column of features.
    target
        What the labels are, as :func:`mitools.datasets.targets.read_targets` takes it.

    Raises
    ------
    InputError
        When a file is missing, damaged or of another kind, an array is missing or of another shape or
        dtype, their lengths differ, or a feature is not finite. Arrays of Python objects are refused unread.
    """
    files = [file for file in (path, labels_path) if file and file.is_file()]
    opened = OpenedFiles(files)
    features, values = read_arrays(path, labels_path, label, name)
    if features.dtype.kind not in "fiu" or features.ndim != 2 or not features.size:
        raise InputError(
            f"{path}: features has shape {features.shape} of {features.dtype}; it must be (n, d) of numbers"
        )
    where = str(labels_path or path)
    targets = read_targets([(label or "label", values)], target, where)
    if targets is None:
        if target == "class" and values.ndim == 1:
            values = np.asarray(classes_by_value(values))
        values = one_label_a_row(values, f"{where}: labels")
    if len(values) != len(features):
        raise InputError(f"{path}: {len(features)} features and {len(values)} labels; they must pair up")
    centring = find_centring(features)
    if features.dtype not in (np.float16, np.float32):
        features = to_single(features, centring)
    for start in range(0, len(features), _ROWS_AT_ONCE):
        finite = np.isfinite(features[start : start + _ROWS_AT_ONCE]).all(axis=1)
        if not finite.all():
            row = start + int(np.argmin(finite))
            raise InputError(
                f"{path}: features are not finite as float32, first in row {row}; drop such rows"
            )
    classes, labels = one_class(len(values)) if targets else number_classes(values)
    digests = [digest_file(file) for file in files]
    digests += [chosen for chosen in (label, name) if chosen]
    digests += ["centred"] if centring else []
    digests += [targets.kind] if targets else []
    digest = digest_text("features", *digests)
    return FeatureRows(path.stem, classes, features, labels, digest, centring, opened, targets)
