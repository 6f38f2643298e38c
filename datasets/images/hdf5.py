"""Images in an HDF5 file: an array of pixels, or the bytes of one image file a row."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.datasets.images.decode import image_reading, sixteen_to_eight
from mitools.datasets.images.encoded import EncodedImages
from mitools.datasets.images.tables import (
    IMAGE_COLUMNS,
    Labelling,
    choose_column,
    label_columns,
    labelled,
)
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.readers.columns import as_they_are
from mitools.datasets.readers.label_arrays import is_one_hot

_CHANNELS = (1, 3)


class PixelArray:
    """Images in an array of an HDF5 file, read one by one; meets :class:`mitools.datasets.base.LabelledData`.

    Parameters
    ----------
    spec
        With ``target=`` or without.
    path
        The file.
    images, labels
        The names of its arrays: uint8 or uint16 of shape (n, H, W), (n, H, W, 3) or (n, 3, H, W), and n
        whole numbers or names each.

    Raises
    ------
    InputError
        When an array is missing or of another shape, or they differ in length.
    """

    def __init__(self, spec: Spec, path: Path, images: str, labels: Sequence[str]) -> None:
        self.opened = OpenedFiles([path])
        self._file = _File(path)
        self._images = images
        array = self._file.array(images)
        shape, kind = array.shape, array.dtype
        self._first = len(shape) == 4 and shape[3] not in _CHANNELS and shape[1] in _CHANNELS
        if kind not in (np.uint8, np.uint16) or not (
            len(shape) == 3 or (len(shape) == 4 and (self._first or shape[3] in _CHANNELS))
        ):
            raise InputError(
                f"{path}: {images} has shape {shape} of {kind}; images are uint8 or uint16,"
                " (n, height, width), (n, height, width, 3) or (n, 3, height, width)"
            )
        self.name = path.stem
        self.classes, self.labels, self.targets = _labelled(spec, self._file, labels)
        if len(self.labels) != shape[0]:
            raise InputError(f"{path}: {shape[0]} images and {len(self.labels)} labels; they must pair up")
        read_as = [] if self.targets is None else [self.targets.kind]
        self.digest = digest_text("hdf5", digest_file(path), images, *labels, *read_as)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image in mode RGB and its label."""
        pixels = np.asarray(self._file.array(self._images)[index])
        if self._first:
            pixels = np.moveaxis(pixels, 0, 2)
        if pixels.ndim == 3 and pixels.shape[2] == 1:
            pixels = pixels[..., 0]
        if pixels.dtype == np.uint16:
            pixels = sixteen_to_eight(pixels)
        return Image.fromarray(np.ascontiguousarray(pixels)).convert("RGB"), int(self.labels[index])

    def column(self, name: str) -> NDArray[Any]:
        """Read another array of the file, one value an item."""
        return as_they_are(self._file.values(name))


class StoredFiles(EncodedImages):
    """Image files in an array of bytes of an HDF5 file; meets :class:`mitools.datasets.base.LabelledData`.

    Raises
    ------
    InputError
        When the labels are missing, or differ in length.
    """

    def __init__(self, spec: Spec, path: Path, images: str, labels: Sequence[str]) -> None:
        super().__init__(image_reading(spec))
        self.opened = OpenedFiles([path])
        self._file, self._images, self.name = _File(path), images, path.stem
        self.classes, self.labels, self.targets = _labelled(spec, self._file, labels)
        stored = self._file.array(images).shape
        if stored != self.labels.shape:
            raise InputError(f"{path}: {stored} images and {len(self.labels)} labels; they must pair up")
        self.look_through("hdf5", *map(str, self.labels), *self.classes, column=images)

    def content(self, place: int) -> bytes:
        """Read one image file."""
        return np.asarray(self._file.array(self._images)[place]).tobytes()

    def where(self, place: int) -> str:
        """Give the file and the row."""
        return f"{self._file.path}: {self._images}[{place}]"

    def column(self, name: str) -> NDArray[Any]:
        """Read another array of the file, one value an item."""
        return as_they_are(self._file.values(name))[self.kept]


def open_hdf5(spec: Spec) -> PixelArray | StoredFiles:
    """Open ``hdf5:FILE?image=ARRAY&label=ARRAY``; arrays in groups are named ``group/array``.

    Raises
    ------
    InputError
        When h5py is missing (``pip install "mitools[hdf5]"``), the file is missing or damaged, or as
        :class:`PixelArray` and :class:`StoredFiles`.
    """
    path = Path(spec.need_name("hdf5:FILE.h5?image=images&label=labels"))
    file = _File(path)
    names = file.names()
    images = choose_column(spec, "image", (*IMAGE_COLUMNS, "X", "x", "data"), names, str(path))
    labels = label_columns(spec, names, str(path))
    stored = file.array(images).dtype
    if stored.kind == "O" or len(file.array(images).shape) == 1:
        return StoredFiles(spec, path, images, labels)
    return PixelArray(spec, path, images, labels)


def _labelled(spec: Spec, file: "_File", labels: Sequence[str]) -> Labelling:
    return labelled(spec, [(name, file.values(name), None) for name in labels], str(file.path))


class _File:
    """An HDF5 file that every process opens for itself, when it first reads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._opened: tuple[int, Any] | None = None
        need("h5py", "hdf5", "hdf5")
        if not path.is_file():
            raise InputError(f"{path}: no such file")

    def array(self, name: str) -> Any:
        import h5py

        if self._opened is None or self._opened[0] != os.getpid():
            try:
                self._opened = os.getpid(), h5py.File(self.path, "r")
            except OSError as error:
                reason = " ".join(str(error).split())[:200]
                raise InputError(f"{self.path}: no readable HDF5 file ({reason}); fetch it again") from None
        file = self._opened[1]
        if name not in file or not isinstance(file[name], h5py.Dataset):
            raise InputError(f"{self.path}: no array {name!r}; it has {', '.join(self.names())}")
        return file[name]

    def names(self) -> list[str]:
        import h5py

        found: list[str] = []
        try:
            with h5py.File(self.path, "r") as file:
                file.visititems(
                    lambda name, one: found.append(name) if isinstance(one, h5py.Dataset) else None
                )
        except OSError as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"{self.path}: no readable HDF5 file ({reason}); fetch it again") from None
        return found

    def values(self, name: str) -> Sequence[Any]:
        """Read an array of one number or name an item; one of several comes as it is, shape (n, k)."""
        values = np.asarray(self.array(name)[()])
        if values.ndim == 2 and values.shape[1] == 1:
            values = values[:, 0]
        if values.ndim == 2 and values.dtype.kind in "fiub":
            if is_one_hot(values):
                return values.argmax(axis=1).tolist()
            rows: Any = values
            return rows
        if values.ndim != 1:
            raise InputError(f"{self.path}: {name} has shape {values.shape}; give one number or name an item")
        return [
            one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one
            for one in values.tolist()
        ]

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path, "_opened": None}
