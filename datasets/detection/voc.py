"""Images annotated in the format of PASCAL VOC: one XML file an image."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree

import numpy as np
from PIL.Image import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.detection.base import Objects, boxes_within, image_states, path_inside, read_image

VOC_CLASSES = (
    "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow", "diningtable",
    "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor",
)  # fmt: skip
"""Of PASCAL VOC itself (Everingham et al. 2010)."""

_SIDES = ("xmin", "ymin", "xmax", "ymax")


class _Annotated(NamedTuple):
    """What an XML file says."""

    image: Path
    width: int
    height: int
    names: list[str]
    boxes: np.ndarray
    ignored: np.ndarray


class VocData:
    """Images and boxes of one or several folders of PASCAL VOC.

    VOC counts pixels from 1 and its boxes hold their last pixel, so 1 is taken off left and top. Difficult
    objects are ignored. Meets :class:`mitools.datasets.detection.base.DetectionData`; it has no masks.

    Parameters
    ----------
    folders
        Such as ``VOCdevkit/VOC2007``, each with ``Annotations``, ``JPEGImages`` and ``ImageSets/Main``.
    part
        A list in ``ImageSets/Main``: ``trainval``, ``test``.

    Raises
    ------
    InputError
        When a folder or a file is missing or damaged, a box lies outside its image, or there are no boxes.
    """

    has_masks = False

    def __init__(self, folders: Sequence[Path], part: str) -> None:
        texts: list[str] = []
        self._items: list[_Annotated] = []
        for folder in folders:
            for name in _listed(folder, part):
                path = folder / "Annotations" / f"{name}.xml"
                texts.append(_text(path))
                self._items.append(_annotated(texts[-1], path, folder))
        found = {name for item in self._items for name in item.names}
        if not found:
            raise InputError(f"{folders[0]}: {part} holds no boxes; detection needs annotated objects")
        self.name = "+".join(folder.name for folder in folders) + f"-{part}"
        self.classes: Sequence[str] = VOC_CLASSES if found <= set(VOC_CLASSES) else sorted(found)
        self._numbers = {name: number for number, name in enumerate(self.classes)}
        self.digest = digest_text("voc", *texts, *image_states([item.image for item in self._items]))

    def __len__(self) -> int:
        """Count the images."""
        return len(self._items)

    def objects_in(self, index: int) -> int:
        """Count the objects of an image that are not difficult."""
        return int((~self._items[index].ignored).sum())

    def __getitem__(self, index: int) -> tuple[Image, Objects]:
        """Read one image and its objects.

        Raises
        ------
        InputError
            When the image cannot be read.
        """
        one = self._items[index]
        labels = np.array([self._numbers[name] for name in one.names], dtype=np.int64)
        return read_image(one.image, one.width, one.height), Objects(one.boxes, labels, one.ignored)


def open_voc(spec: Spec) -> VocData:
    """Open ``voc:FOLDER?part=trainval``, or several folders together, ``voc:FOLDER,FOLDER``.

    Raises
    ------
    InputError
        As :class:`VocData`.
    """
    folders = spec.need_name("voc:VOCdevkit/VOC2007?part=trainval").split(",")
    return VocData([Path(folder) for folder in folders], spec.options.get("part", "trainval"))


def _listed(folder: Path, part: str) -> list[str]:
    path = folder / "ImageSets" / "Main" / f"{part}.txt"
    if not path.is_file():
        raise InputError(f"{path}: no such list; name a folder of PASCAL VOC and a part=, such as trainval")
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: no readable annotation ({error})") from None


def _annotated(text: str, path: Path, folder: Path) -> _Annotated:
    try:
        root = ElementTree.fromstring(text)
        width, height = (int(root.findtext(f"size/{side}", "")) for side in ("width", "height"))
        objects = root.findall("object")
        names = [one.findtext("name", "") for one in objects]
        boxes = np.array(
            [[float(one.findtext(f"bndbox/{side}", "")) for side in _SIDES] for one in objects],
            dtype=np.float64,
        ).reshape(-1, 4)
        file = root.findtext("filename", f"{path.stem}.jpg")
    except (ElementTree.ParseError, ValueError) as error:
        raise InputError(f"{path}: no annotation in the format of PASCAL VOC ({error})") from None
    image = path_inside(folder / "JPEGImages", file, path)
    boxes[:, :2] -= 1
    wide, high = np.full(len(boxes), width), np.full(len(boxes), height)
    called = [f"{path}: object {number} ({name})" for number, name in enumerate(names, start=1)]
    ignored = np.array([one.findtext("difficult", "0").strip() == "1" for one in objects], dtype=bool)
    return _Annotated(image, width, height, names, boxes_within(boxes, wide, high, called), ignored)
