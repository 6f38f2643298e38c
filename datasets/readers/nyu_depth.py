"""NYU-Depth-V2: indoor images with depth and the class of every pixel, from the authors' one file.

Silberman, Hoiem, Kohli, Fergus, "Indoor segmentation and support inference from RGBD images", ECCV 2012.
"""

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.names import check_name, nearest
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.datasets.base import LabelledData
from mitools.datasets.opened_files import OpenedFiles
from mitools.datasets.pinhole import Pinhole, normals_from_depth
from mitools.datasets.readers.columns import as_they_are
from mitools.datasets.selection import Selection

NO_SEGMENT = 255
"""The class of pixels that have none."""

_CAMERA = Pinhole(518.858, 519.470, 324.582, 252.736)  # of the authors' toolbox, whose first pixel is 1
_CAMERA_WIDTH = 640
_NORMALS_RADIUS = 4  # pixels: the depth of a Kinect is noisy
_AXES = {"images": 4, "depths": 3, "labels": 3}
_CELLS = ("names", "sceneTypes", "scenes")
_SPLITS = {"train": "trainNdxs", "test": "testNdxs"}


class NYUDepth:
    """The labelled images of NYU-Depth-V2; meets :class:`mitools.datasets.base.MultimodalData`.

    The label of an item is its type of scene (kitchen, bedroom, ...); images of one scene are one group.
    ``depth`` is the file's, whose holes the authors have filled; ``normals`` are computed from it in windows
    of 9 x 9 pixels; ``segmentation`` names the classes that cover most pixels of the whole file. Items are
    read from the file on demand.

    Parameters
    ----------
    path
        ``nyu_depth_v2_labeled.mat``.
    segments
        Classes of the segmentation, 1 to 255; all other pixels have none.

    Attributes
    ----------
    groups
        Shape (n,): the name of the scene that each image was taken in.
    camera
        The :class:`mitools.datasets.pinhole.Pinhole` that took the images.

    Raises
    ------
    InputError
        When h5py is not installed, or the file is missing or is no labelled file of NYU-Depth-V2.
    """

    modalities = ("depth", "normals", "segmentation")

    def __init__(self, path: Path, segments: int = 40) -> None:
        if not 1 <= segments <= NO_SEGMENT:
            raise InputError(f"segments={segments} must lie between 1 and {NO_SEGMENT}")
        self._path, self._count = path, segments
        self._opened: tuple[int, Any] | None = None
        if not path.is_file():
            raise InputError(f"{path}: no such file")
        self.opened = OpenedFiles([path])
        file = self._file
        _check_layout(path, file)
        types, self.groups = (as_they_are(_texts(file, file[cell])) for cell in ("sceneTypes", "scenes"))
        self.name = "nyu_depth"
        names, labels = np.unique(types, return_inverse=True)
        self.classes: Sequence[str] = [str(name) for name in names]
        self.labels: NDArray[np.int64] = labels.astype(np.int64)
        scale = file["images"].shape[2] / _CAMERA_WIDTH
        self.camera = Pinhole(*(scale * value for value in _CAMERA))
        self.digest = digest_text("nyu_depth 1", digest_file(path), str(segments))

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image and its label.

        Raises
        ------
        InputError
            When the file is damaged.
        """
        return Image.fromarray(self._read("images", index).transpose(2, 1, 0)), int(self.labels[index])

    def modality(self, index: int, name: str) -> NDArray[np.float32] | NDArray[np.uint8]:
        """Read the ``depth``, ``normals`` or ``segmentation`` of one item.

        Raises
        ------
        InputError
            When it is another modality, or the file is damaged.
        """
        check_name(f"modality of {self.name}", name, self.modalities)
        if name == "segmentation":
            found: NDArray[np.uint8] = self._segment_of[self._read("labels", index).T][None]
            return found
        depth = self._read("depths", index).T.astype(np.float32)
        return depth[None] if name == "depth" else normals_from_depth(depth, self.camera, _NORMALS_RADIUS)

    @property
    def segments(self) -> Sequence[str]:
        """The classes of the segmentation, that of most pixels first."""
        names = _texts(self._file, self._file["names"])
        return [names[number - 1] for number in self._most_pixels]

    @cached_property
    def _most_pixels(self) -> NDArray[np.int64]:
        """The numbers of the classes that cover most pixels of the file; 0 in the file is no class."""
        counts = np.zeros(1 << 16, dtype=np.int64)
        for item in range(len(self)):
            counts += np.bincount(self._read("labels", item).ravel(), minlength=len(counts))
        counts[0] = 0
        order = np.argsort(-counts, kind="stable")[: self._count]
        return order[counts[order] > 0]

    @cached_property
    def _segment_of(self) -> NDArray[np.uint8]:
        """The class in the segmentation of every number in the file."""
        table = np.full(1 << 16, NO_SEGMENT, dtype=np.uint8)
        table[self._most_pixels] = np.arange(len(self._most_pixels))
        return table

    def _read(self, field: str, index: int) -> NDArray[Any]:
        try:
            array: NDArray[Any] = self._file[field][range(len(self))[index]]
        except OSError as error:
            raise InputError(
                f"{self._path}: item {index} cannot be read ({error}); fetch the file again"
            ) from None
        return array

    @property
    def _file(self) -> Any:
        """The open file; a process opens its own, for HDF5 must not share one across a fork."""
        if self._opened is None or self._opened[0] != os.getpid():
            h5py = need("h5py", "nyu", "nyu_depth")
            try:
                self._opened = os.getpid(), h5py.File(self._path, "r")
            except OSError:
                raise InputError(
                    f"{self._path}: no HDF5 file, so not the labelled file of NYU-Depth-V2"
                    " (nyu_depth_v2_labeled.mat)"
                ) from None
        return self._opened[1]

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}


def open_nyu_depth(spec: Spec) -> LabelledData:
    """Open ``nyu_depth:FILE.mat?splits=FILE.mat&part=train|test&segments=N``.

    ``splits`` is the authors' ``splits.mat``, which names the 795 images of ``train`` and the 654 of
    ``test``; without it all 1,449 are taken.

    Raises
    ------
    InputError
        As :class:`NYUDepth`, or when the splits cannot be read or do not fit.
    """
    data = NYUDepth(
        Path(spec.need_name("nyu_depth:nyu_depth_v2_labeled.mat")), spec.integer("segments", 40, 1)
    )
    if ("splits" in spec.options) != ("part" in spec.options):
        raise InputError(
            f"spec {spec.text!r}: splits=FILE and part= go together; write splits=splits.mat&part=train"
        )
    if "splits" not in spec.options:
        return data
    part = spec.options["part"]
    if part not in _SPLITS:
        raise InputError(f"spec {spec.text!r}: part={part} is unknown; accepted: {nearest(part, _SPLITS)}")
    items = read_splits(Path(spec.options["splits"]), part, len(data))
    return Selection(data, items, data.labels[items], data.classes)


def read_splits(path: Path, part: str, n: int) -> NDArray[np.int64]:
    """Read which of `n` items make a part of the authors' split: shape (m,), the first being 0.

    Raises
    ------
    InputError
        When the file is missing, has no such split, or names items that the data lack.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    try:
        found = loadmat(path)[_SPLITS[part]].ravel()
    except (KeyError, MatReadError, NotImplementedError, OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: not the splits of NYU-Depth-V2 (splits.mat with {' and '.join(_SPLITS.values())}:"
            f" {' '.join(str(error).split())[:100]})"
        ) from None
    items = found.astype(np.int64) - 1  # MATLAB counts from 1
    if not items.size or items.min() < 0 or items.max() >= n:
        raise InputError(f"{path}: {_SPLITS[part]} must name some of the {n} images, counted from 1")
    return items


def _check_layout(path: Path, file: Any) -> None:
    """Refuse a file that is laid out otherwise than the authors'."""
    reason = ""
    missing = [name for name in (*_AXES, *_CELLS) if name not in file]
    if missing:
        reason = f"it has no {missing[0]!r}"
    else:
        wrong = [name for name, axes in _AXES.items() if file[name].ndim != axes]
        counts = {name: len(file[name]) for name in _AXES}
        counts |= {name: file[name].size for name in ("sceneTypes", "scenes")}
        if wrong or file["images"].shape[1] != 3:
            reason = f"{(wrong or ['images'])[0]!r} has shape {file[(wrong or ['images'])[0]].shape}"
        elif len(set(counts.values())) > 1:
            reason = f"it has {', '.join(f'{count} {name}' for name, count in counts.items())}"
    if reason:
        raise InputError(f"{path}: not the labelled file of NYU-Depth-V2: {reason}")


def _texts(file: Any, cells: Any) -> list[str]:
    """Read a MATLAB cell array of strings, which refers to arrays of UTF-16 code units."""
    arrays = [file[reference] for reference in cells[()].ravel()]
    units = [b"" if "MATLAB_empty" in array.attrs else array[()].ravel().astype("<u2") for array in arrays]
    return [bytes(one).decode("utf-16-le", "surrogatepass") for one in units]
