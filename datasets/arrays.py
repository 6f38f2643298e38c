"""Items and labels that the caller holds in arrays, lists or a table, as labelled data."""

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.arrays import as_array
from mitools.core.centring import Centring, find_centring, to_single
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import FEW_NAMES, nearest
from mitools.datasets.base import LabelledData
from mitools.datasets.in_memory import ImageArray
from mitools.datasets.readers.columns import named_apart, number_classes
from mitools.datasets.readers.features import FeatureRows
from mitools.datasets.readers.label_arrays import is_one_hot
from mitools.datasets.readers.text import TextTable
from mitools.datasets.targets import Targets, classes_by_value, one_class, read_targets, require_choice

LABEL_COLUMNS = ("label", "labels")
"""Columns of a table that are taken for the labels where none is named."""

_BYTES_AT_ONCE = 1 << 26
_CHANNELS = (1, 3)


def number_labels(values: Any, names: Sequence[str] | None = None) -> tuple[list[str], NDArray[np.int64]]:
    """Give the classes that labels name numbers, in the order of their own numbers, or else of their names.

    Parameters
    ----------
    values
        One whole number or name an item, or one-hot rows (n, classes), in anything that
        :func:`mitools.core.arrays.as_array` takes.
    names
        What the classes are called, where the labels are numbers into it; the numbers themselves when None.
        Of two classes that share a name the number tells (ImageNet has two called crane).

    Returns
    -------
    tuple
        The names of the classes that occur, and the labels, shape (n,).

    Raises
    ------
    InputError
        When there is not one whole number or name an item.

    Examples
    --------
    >>> number_labels([7, 3, 7])
    (['3', '7'], array([1, 0, 1]))
    """
    array = as_array(values, "labels")
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim == 2 and array.size and array.dtype.kind in "fiub" and is_one_hot(array):
        array = array.argmax(axis=1)
    if array.ndim != 1 or not len(array):
        raise InputError(f"labels have shape {array.shape}; give one class number or name an item")
    if array.dtype.kind == "f":
        if not (np.isfinite(array).all() and (array == np.round(array)).all()):
            raise InputError("labels are not whole numbers; give one class number or name an item")
        if np.abs(array).max() > 2.0 ** (np.finfo(array.dtype).nmant + 1):
            raise InputError(
                f"labels are {array.dtype} and so large that different whole numbers are the same;"
                " give them as integers or as texts"
            )
        array = array.astype(np.int64)
    if array.dtype.kind not in "iubU":
        raise InputError(f"labels hold {array.dtype}; give one class number or name an item")
    classes, labels = number_classes(array)
    if names is not None and array.dtype.kind in "iu" and array.min() >= 0 and array.max() < len(names):
        every = named_apart([str(name) for name in names])
        classes = [every[int(number)] for number in classes]
    return classes, labels


def labelled_or_targets(
    values: Any, names: Sequence[str] | None = None, target: str | None = None, called: str = "y"
) -> tuple[list[str], NDArray[np.int64], Targets | None]:
    """Give classes and labels, or one class of all and the targets that these values are.

    Parameters
    ----------
    values
        One an item, as :func:`number_labels` takes them; numbers with fractions, shape (n,) or (n, k); or 0
        and 1, shape (n, k).
    names
        As :func:`number_labels` takes them.
    target
        As :func:`mitools.datasets.targets.read_targets` takes it.
    called
        What a target without a name of its own is called.

    Raises
    ------
    InputError
        As both functions.
    """
    require_choice(target)
    array = as_array(values, "labels")
    if hasattr(values, "columns") and len(values.columns) > 1:
        columns = [(str(name), as_array(values[name], str(name))) for name in values.columns]
    else:
        columns = [(str(getattr(values, "name", None) or called), array)]
    targets = read_targets(columns, target, "labels")
    if targets is not None:
        return *one_class(len(array)), targets
    if target == "class" and array.ndim == 1:
        array = np.asarray(classes_by_value(array))
    return *number_labels(array, names), None


def labelled_arrays(items: Any, labels: Any, target: str | None = None) -> LabelledData:
    """Take ``(X, y)`` as labelled data.

    Parameters
    ----------
    items
        Rows of numbers (n, d); pixels (n, height, width), (n, height, width, 3) or (n, 3, height, width) in
        uint8; n texts.
    labels
        As :func:`labelled_or_targets` takes them.
    target
        What they are, where that is not to be recognised.

    Raises
    ------
    InputError
        When the two differ in length, rows are not finite, or items are none of these.
    """
    array = as_array(items, "X")
    classes, numbers, targets = labelled_or_targets(labels, target=target)
    if len(array) != len(numbers):
        raise InputError(f"X has {len(array)} items and y has {len(numbers)} labels; they must pair up")
    digest = digest_text("arrays", digest_array(array), digest_array(numbers), *classes)
    if targets is not None:
        digest = digest_text(digest, digest_targets(targets))
    if array.dtype.kind == "U" and array.ndim == 1:
        return TextTable("texts", classes, array.tolist(), numbers, digest, targets)
    if array.dtype == np.uint8 and array.ndim in (3, 4):
        return ImageArray("images", classes, _height_width_channels(array), numbers, digest, targets)
    if array.ndim != 2 or not array.size or array.dtype.kind not in "fiub":
        raise InputError(
            f"X has shape {array.shape} of {array.dtype}; give rows of numbers (n, d), pixels in uint8"
            " (n, height, width, 3), or n texts"
        )
    features, centring = as_features(array, "X")
    # What earlier versions kept of such rows was read without the shift.
    digest = digest_text(digest, "centred") if centring else digest
    return FeatureRows("rows", classes, features, numbers, digest, centring, targets=targets)


def labelled_table(
    table: Any, label: str | Sequence[str] | None = None, target: str | None = None
) -> LabelledData:
    """Take a DataFrame as labelled data: one column of labels, and all others numbers, or one of texts.

    Parameters
    ----------
    table
        One row an item.
    label
        The column of labels, or several; ``label`` or ``labels`` when None.
    target
        As :func:`labelled_or_targets` takes it.

    Raises
    ------
    InputError
        When there is no such column, or several that may be meant, or none beside it, or another holds
        neither numbers nor is alone.
    """
    columns = [str(column) for column in table.columns]
    if label is not None and not isinstance(label, str):
        return _several_columns(table.set_axis(columns, axis=1), [str(name) for name in label], target)
    found = [name for name in ([label] if label else LABEL_COLUMNS) if name in columns]
    if not found:
        wanted = label or LABEL_COLUMNS[0]
        raise InputError(
            f"the table has no column {wanted!r}; name the column of labels as label=NAME:"
            f" {nearest(wanted, columns, FEW_NAMES)}"
        )
    if len(found) > 1:  # the other one would be a feature that gives the class away
        both = " and ".join(map(repr, found))
        raise InputError(
            f"the table has columns {both}; name the one of labels as label=NAME, drop the other"
        )
    if columns.count(found[0]) > 1:
        raise InputError(f"the table has several columns {found[0]!r}; rename all but the one of labels")
    table = table.set_axis(columns, axis=1)
    items = table.drop(columns=found[0])
    if items.shape[1] == 0:
        raise InputError(f"the table has no column beside {found[0]!r}; give the features as well")
    return labelled_arrays(items, table[found[0]], target)


def _several_columns(table: Any, names: Sequence[str], target: str | None) -> LabelledData:
    missing = next((name for name in names if name not in table), None)
    if missing is not None:
        raise InputError(
            f"the table has no column {missing!r}; nearest:"
            f" {nearest(missing, list(table.columns), FEW_NAMES)}"
        )
    items = table.drop(columns=list(names))
    if items.shape[1] == 0:
        raise InputError("the table has no column beside its labels; give the features as well")
    return labelled_arrays(items, table[list(names)], target)


def as_features(array: NDArray[Any], name: str) -> tuple[NDArray[np.floating], Centring | None]:
    """Give rows as float32, or float16 as they are, and what was taken off their columns.

    Columns that float32 does not resolve where they lie are shifted first, all others are as they were.

    Parameters
    ----------
    array
        Shape (n, d), numbers.
    name
        What messages call it.

    Raises
    ------
    InputError
        When a number is not finite as float32; its row is named.
    """
    centring = find_centring(array)
    if array.dtype not in (np.float16, np.float32):
        array = to_single(array, centring)
    for places in _spans(array):
        finite = np.isfinite(array[places]).all(axis=1)
        if not finite.all():
            raise InputError(
                f"{name} is not finite as float32, first in row {places.start + int(np.argmin(finite))};"
                " leave such rows out"
            )
    return array, centring


def digest_targets(targets: Targets) -> str:
    """Name targets by their kind, names and values."""
    return digest_text(targets.kind, *targets.names, digest_array(targets.values))


def digest_array(array: NDArray[Any]) -> str:
    """SHA-256 over an array's dtype, shape and numbers, a bounded part of it at a time."""
    state = hashlib.sha256(f"{array.dtype} {array.shape};".encode())
    for places in _spans(array):
        state.update(array[places].tobytes())
    return state.hexdigest()


def _spans(array: NDArray[Any]) -> Iterator[slice]:
    """Cut the rows into spans of bounded size."""
    step = max(1, _BYTES_AT_ONCE * len(array) // max(1, array.nbytes))
    return (slice(start, start + step) for start in range(0, len(array), step))


def _height_width_channels(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if images.ndim == 4 and images.shape[3] not in _CHANNELS:
        if images.shape[1] not in _CHANNELS:
            raise InputError(f"X has shape {images.shape}; images in uint8 have 1 or 3 channels")
        images = np.moveaxis(images, 1, 3)
    return images[..., 0] if images.ndim == 4 and images.shape[3] == 1 else images
