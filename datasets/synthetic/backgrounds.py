"""Photographs and textures that lie behind the glyphs, cut square and resized to one size."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text
from mitools.core.specs import Spec, parse_spec
from mitools.datasets.base import LabelledData
from mitools.datasets.images.decode import decode_image, is_image_name
from mitools.datasets.readers.folder import ImageFolder
from mitools.datasets.readers.tar import open_tar
from mitools.datasets.selection import Selection, take_evenly
from mitools.datasets.synthetic.image_pool import Pool
from mitools.datasets.synthetic.random_draws import Draws, Part, below
from mitools.datasets.synthetic.textures import make_textures

MOST_IMAGES = 2000
MOST_BYTES = 256 << 20
"""No more images of one source are kept than these two allow (2,000 of 96x96 take 55 MB)."""

_SMALLEST_SIDE = 32
_LEAST_PER_CLASS = 5
_TEST_EVERY = 5
_SAMPLE_WINDOWS = 128
_SAMPLE_SPLIT = 240  # of 427 rows; train windows lie above it, test windows below
_SAMPLE_EDGES = (100, 81)  # windows are 100 to 180 pixels wide before resizing


def open_backgrounds(text: str, part: Part, side: int, with_classes: bool) -> Pool:
    """Open the backgrounds that a spec names.

    Parameters
    ----------
    text
        ``embedded`` (nothing to download: ten classes of textures, or windows of scikit-learn's two sample
        photographs where no classes are asked for), ``folder:PATH`` (class folders, or the images
        themselves), ``tar:PATH?under=FOLDER`` (class folders inside) or ``stl10:DIR`` (STL-10's binary
        files).
    part
        ``train`` and ``test`` have no image in common: STL-10's own parts; of a folder or tar, every fifth
        image of a class is for testing; train windows lie in the upper part of the sample photographs,
        test windows in the lower.
    side
        Height and width to which the images, cut square about their centre, are resized.
    with_classes
        Whether the class of the background will be a label.

    Raises
    ------
    InputError
        When the spec cannot be read, an image is damaged or smaller than 32 pixels, a class has fewer
        than 5 images, or classes are asked for and there is only one.
    """
    spec = parse_spec(text, ["embedded", "folder", "stl10", "tar"])
    spec.only(*(["under"] if spec.source == "tar" else []))
    if spec.source == "embedded":
        return make_textures(part, side) if with_classes else _sample_windows(part, side)
    if spec.source == "stl10":
        return _stl10(spec, part, side)
    data = open_tar(spec) if spec.source == "tar" else _open_folder(spec)
    if with_classes and len(data.classes) < 2:
        raise InputError(
            f"{text}: one class of backgrounds; put the images into one folder a class, two or more"
        )
    if not with_classes:
        data = Selection(data, np.arange(len(data)), np.zeros(len(data), dtype=np.int64), [data.name])
    return _resized(_part_of(data, part, side), part, side)


class _FlatFolder:
    """Images that lie directly in a folder, as one class."""

    def __init__(self, root: Path) -> None:
        self._files = sorted(path for path in root.iterdir() if is_image_name(path.name) and path.is_file())
        self.name, self.classes = root.resolve().name, [root.resolve().name]
        contents = (f"{path.name} {digest_file(path)}" for path in self._files)
        self.digest = digest_text("backgrounds", *contents)
        self.labels = np.zeros(len(self._files), dtype=np.int64)

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        path = self._files[index]
        return decode_image(path.read_bytes(), str(path)), 0


def _open_folder(spec: Spec) -> LabelledData:
    root = Path(spec.need_name("folder:path/to/images"))
    if root.is_dir() and any(is_image_name(path.name) for path in root.iterdir()):
        return _FlatFolder(root)
    return ImageFolder(root)


def _part_of(data: LabelledData, part: Part, side: int) -> LabelledData:
    """Every fifth image of each class for testing, the others for training; evenly thinned when many."""
    counts = np.bincount(data.labels, minlength=len(data.classes))
    if counts.min() < _LEAST_PER_CLASS:
        where = f" of class {data.classes[int(counts.argmin())]!r}" if len(counts) > 1 else ""
        raise InputError(
            f"{data.name}: {counts.min()} images{where} are too few for backgrounds; "
            f"at least {_LEAST_PER_CLASS} are needed, so that train and test share none"
        )
    order = np.argsort(data.labels, kind="stable")
    rank = np.arange(len(data)) - np.repeat(np.cumsum(counts) - counts, counts)
    of_test = rank % _TEST_EVERY == _TEST_EVERY - 1
    chosen = order[of_test if part == "test" else ~of_test]
    most = max(min(MOST_IMAGES, MOST_BYTES // (3 * side**2)), len(data.classes))
    return take_evenly(Selection(data, chosen, data.labels[chosen], data.classes), most)


def _resized(data: LabelledData, part: Part, side: int) -> Pool:
    images = np.empty((len(data), 3, side, side), dtype=np.uint8)
    for position, image in enumerate(_photographs(data)):
        if min(image.size) < _SMALLEST_SIDE:
            raise InputError(
                f"{data.name}: an image of class {data.classes[data.labels[position]]!r} has {image.width}x"
                f"{image.height} pixels; backgrounds need at least {_SMALLEST_SIDE}x{_SMALLEST_SIDE}"
            )
        images[position] = _square(image, side)
    return Pool.grouped(f"{data.name}-{part}", data.classes, data.labels, images)


def _photographs(data: LabelledData) -> Iterator[Image.Image]:
    for index in range(len(data)):
        image, _ = data[index]
        assert isinstance(image, Image.Image)  # folders and tars hold nothing else
        yield image


def _square(image: Image.Image, side: int) -> NDArray[np.uint8]:
    """Cut a square about the centre and resize it: shape (3, side, side)."""
    edge = min(image.size)
    left, top = (image.width - edge) // 2, (image.height - edge) // 2
    square = image.crop((left, top, left + edge, top + edge))
    if edge != side:
        square = square.resize((side, side), Image.Resampling.BICUBIC)
    return np.asarray(square).transpose(2, 0, 1)


@lru_cache(maxsize=4)
def _sample_windows(part: Part, side: int) -> Pool:
    from sklearn.datasets import load_sample_images

    words = Draws(0, part).words(np.arange(_SAMPLE_WINDOWS), stream=0, count=4)
    photographs = [
        image[:_SAMPLE_SPLIT] if part == "train" else image[_SAMPLE_SPLIT:]
        for image in load_sample_images().images
    ]
    images = np.empty((_SAMPLE_WINDOWS, 3, side, side), dtype=np.uint8)
    for number, (mirror, size, row, column) in enumerate(words):
        photograph = photographs[number % len(photographs)]
        edge = _SAMPLE_EDGES[0] + int(below(size, _SAMPLE_EDGES[1]))
        top, left = (
            int(below(row, photograph.shape[0] - edge)),
            int(below(column, photograph.shape[1] - edge)),
        )
        window = photograph[top : top + edge, left : left + edge]
        mirrored = window[:, ::-1] if below(mirror, 2) else window
        images[number] = _square(Image.fromarray(np.ascontiguousarray(mirrored)), side)
    return Pool(f"photographs-{part}", ("photograph",), np.array([_SAMPLE_WINDOWS], dtype=np.int64), images)


def _stl10(spec: Spec, part: Part, side: int) -> Pool:
    from torchvision.datasets import STL10

    folder = spec.need_name("stl10:path/to/folder")
    try:
        data = STL10(folder, split=part, download=False)
    except (RuntimeError, OSError, ValueError):
        raise InputError(
            f"{folder}: no STL-10 files here or damaged ones; name the folder that has stl10_binary/ inside"
        ) from None
    labels = np.asarray(data.labels, dtype=np.int64)
    images = np.empty((len(labels), 3, side, side), dtype=np.uint8)
    for position, image in enumerate(data.data):
        images[position] = _square(Image.fromarray(image.transpose(1, 2, 0)), side)
    return Pool.grouped(f"stl10-{part}", data.classes, labels, images)
