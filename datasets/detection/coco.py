"""Images annotated in COCO's format: one JSON file for all."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file, digest_text, read_json
from mitools.core.optional_packages import need
from mitools.core.specs import Spec
from mitools.datasets.detection.base import Objects, boxes_within, image_states, path_inside, read_image

PARTS = {"images": ("id", "file_name", "width", "height"), "categories": ("id", "name"),
         "annotations": ("image_id", "category_id", "bbox")}  # fmt: skip
"""Lists that a file of COCO's holds, and what every entry of them has."""


class CocoData:
    """Images and objects of an annotation file in COCO's format (Lin et al. 2014).

    Classes come in the order of their numbers. Crowds (``iscrowd``) are ignored; boxes without area, of which
    COCO itself has a few, are left out. Meets :class:`mitools.datasets.detection.base.DetectionData`.

    Parameters
    ----------
    annotations
        The JSON file, such as ``instances_train2017.json``.
    images
        The folder in which ``file_name`` is found.

    Raises
    ------
    InputError
        When the file is no COCO file, holds no boxes, a box lies outside its image, or an image is missing.
    """

    def __init__(self, annotations: Path, images: Path) -> None:
        content = _read(annotations)
        self.name = annotations.stem
        categories = sorted(content["categories"], key=lambda one: one["id"])
        self.classes: Sequence[str] = [one["name"] for one in categories]
        self._images = content["images"]
        self._paths = [path_inside(images, one["file_name"], annotations) for one in self._images]
        objects = _placed(content, annotations)
        place = {one["id"]: index for index, one in enumerate(self._images)}
        label = {one["id"]: index for index, one in enumerate(categories)}
        owners = np.array([_known(place, one, "image_id", annotations) for one in objects], dtype=np.int64)
        labels = np.array([_known(label, one, "category_id", annotations) for one in objects], dtype=np.int64)
        boxes = np.array([one["bbox"] for one in objects], dtype=np.float64)
        boxes[:, 2:] += boxes[:, :2]
        sizes = np.array([[one["width"], one["height"]] for one in self._images], dtype=np.int64)[owners]
        names = [f"{annotations}: annotation {one.get('id', '?')}" for one in objects]
        placed = boxes_within(boxes, sizes[:, 0], sizes[:, 1], names)
        ignored = np.array([bool(one.get("iscrowd", 0)) for one in objects])
        has_area = (placed[:, 2:] > placed[:, :2]).all(axis=1)
        self.has_masks = all(
            one.get("segmentation")
            for one, is_ignored in zip(objects, ignored, strict=True)
            if not is_ignored
        )
        self._rows: list[list[int]] = [[] for _ in self._images]
        for row in np.flatnonzero(has_area):
            self._rows[owners[row]].append(int(row))
        self._boxes, self._labels, self._ignored = placed, labels, ignored
        self._segmentations = [one.get("segmentation") for one in objects]
        self.digest = digest_text("coco", digest_file(annotations), *image_states(self._paths))

    def __len__(self) -> int:
        """Count the images."""
        return len(self._images)

    def objects_in(self, index: int) -> int:
        """Count the objects of an image that are not ignored."""
        return int((~self._ignored[self._rows[index]]).sum())

    def __getitem__(self, index: int) -> tuple[Image, Objects]:
        """Read one image and its objects.

        Raises
        ------
        InputError
            When the image cannot be read, or masks need pycocotools and it is not installed.
        """
        one, rows = self._images[index], self._rows[index]
        image = read_image(self._paths[index], one["width"], one["height"])
        masks = None
        if self.has_masks:
            drawn = [_mask(self._segmentations[row], one["height"], one["width"]) for row in rows]
            masks = np.stack(drawn) if drawn else np.zeros((0, one["height"], one["width"]), dtype=bool)
        return image, Objects(self._boxes[rows], self._labels[rows], self._ignored[rows], masks)


def open_coco(spec: Spec) -> CocoData:
    """Open ``coco:ANNOTATIONS.json?images=FOLDER``.

    Raises
    ------
    InputError
        As :class:`CocoData`, or when no folder is named.
    """
    annotations = Path(spec.need_name("coco:instances_val2017.json?images=val2017"))
    if "images" not in spec.options:
        raise InputError(f"spec {spec.text!r}: name the folder of the images, as ?images=val2017")
    return CocoData(annotations, Path(spec.options["images"]))


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Read a file and check that it is built as COCO's are."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    content = read_json(path)
    for part, keys in PARTS.items():
        entries = content.get(part) if isinstance(content, dict) else None
        if not isinstance(entries, list):
            raise InputError(
                f"{path}: no annotations in COCO's format (no list {part!r}); it holds lists"
                f" {', '.join(PARTS)}"
            )
        for number, entry in enumerate(entries):
            absent = [key for key in keys if not isinstance(entry, dict) or key not in entry]
            if absent:
                raise InputError(
                    f"{path}: no annotations in COCO's format ({part}[{number}] has no {absent[0]!r})"
                )
    return content


def _placed(content: Mapping[str, list[dict[str, Any]]], path: Path) -> list[dict[str, Any]]:
    """Give the annotations, which must have boxes."""
    objects = content["annotations"]
    for one in objects:
        box = one["bbox"]
        if (
            not isinstance(box, list)
            or len(box) != 4
            or not all(isinstance(side, int | float) for side in box)
        ):
            raise InputError(
                f"{path}: annotation {one.get('id', '?')}: bbox {box!r:.60} is not x, y, width, height"
            )
    if not objects:
        raise InputError(f"{path}: holds no boxes; detection needs annotated objects")
    return objects


def _known(places: Mapping[Any, int], one: Mapping[str, Any], key: str, path: Path) -> int:
    if one[key] not in places:
        raise InputError(
            f"{path}: annotation {one.get('id', '?')} names {key} {one[key]!r}, which is not listed"
        )
    return places[one[key]]


def _mask(segmentation: Any, height: int, width: int) -> NDArray[np.bool_]:
    """Draw polygons or run lengths: shape (height, width)."""
    tools = need("pycocotools.mask", "detection", "masks of COCO")
    if not segmentation:
        return np.zeros((height, width), dtype=bool)
    if isinstance(segmentation, list):
        runs = tools.merge(tools.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        runs = tools.frPyObjects(segmentation, height, width)
    else:
        runs = segmentation
    found: NDArray[np.bool_] = tools.decode(runs).astype(bool)
    return found
