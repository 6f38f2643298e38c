"""What detection may ask of a data set."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

from mitools.core.errors import InputError
from mitools.core.files import digest_file
from mitools.datasets.images.decode import Reading, decode_image

MOST_BEYOND = 1.0
"""Pixels by which a box may reach beyond its image, as published ones do by rounding; they are cut off."""

_AS_STORED = Reading(upright=False)


@dataclass(frozen=True)
class Objects:
    """The objects of one image.

    Attributes
    ----------
    boxes
        Shape (m, 4), float32: left, top, right, bottom in pixels; a box of one pixel at the origin is
        (0, 0, 1, 1).
    labels
        Shape (m,), int64, in ``range(len(classes))``.
    ignored
        Shape (m,), bool: not trained on, and neither right nor wrong when found (COCO's crowds, VOC's
        difficult objects).
    masks
        Shape (m, H, W), bool; None where the data have none.
    """

    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]
    ignored: NDArray[np.bool_]
    masks: NDArray[np.bool_] | None = None


class DetectionData(Protocol):
    """A map-style data set of images and their objects."""

    @property
    def name(self) -> str:
        """A short name for tables and figures."""
        ...

    @property
    def classes(self) -> Sequence[str]:
        """The class names; label k stands for ``classes[k]``."""
        ...

    @property
    def digest(self) -> str:
        """Changes when any image or object does; part of every key under which results are kept."""
        ...

    @property
    def has_masks(self) -> bool:
        """Whether every object that is not ignored has a mask."""
        ...

    def __len__(self) -> int:
        """Count the images."""
        ...

    def objects_in(self, index: int) -> int:
        """Count the objects of an image that are not ignored, without reading it."""
        ...

    def __getitem__(self, index: int) -> tuple[Image, Objects]:
        """Read one image in mode RGB and its objects."""
        ...


def boxes_within(
    boxes: NDArray[np.float64], width: NDArray[np.int64], height: NDArray[np.int64], names: Sequence[str]
) -> NDArray[np.float32]:
    """Cut boxes off at the edges of their images; refuse one that lies further outside.

    Parameters
    ----------
    boxes
        Shape (m, 4): left, top, right, bottom.
    width, height
        Shape (m,): of each box's image.
    names
        What to call each box in an error.

    Raises
    ------
    InputError
        When a box reaches more than :data:`MOST_BEYOND` pixels beyond its image or is not finite.
    """
    edges = np.stack([width, height, width, height], axis=1)
    beyond = np.maximum(-boxes, boxes - edges).max(axis=1, initial=-np.inf)
    wrong = np.flatnonzero(~(beyond <= MOST_BEYOND))
    if wrong.size:
        first = int(wrong[0])
        shown = ", ".join(f"{value:g}" for value in boxes[first])
        raise InputError(
            f"{names[first]}: the box ({shown}) lies outside its image of {width[first]}x{height[first]}"
            " pixels; correct the annotation or leave it out"
        )
    return np.clip(boxes, 0, edges).astype(np.float32)


def read_image(path: Path, width: int, height: int) -> Image:
    """Read an image whose size its annotation states.

    Raises
    ------
    InputError
        When the file is damaged, gone, or of another size: its boxes would be misplaced.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None
    # Boxes were drawn over the pixels as they are stored.
    image = decode_image(content, str(path), _AS_STORED)
    if image.size != (width, height):
        raise InputError(
            f"{path}: has {image.width}x{image.height} pixels and its annotation says {width}x{height};"
            " use the images that were annotated"
        )
    return image


def path_inside(folder: Path, name: object, annotations: Path) -> Path:
    """Give the path of an image that an annotation names, which has to lie in the folder of the images.

    Raises
    ------
    InputError
        When it is no name, or leads out of the folder.
    """
    if not isinstance(name, str) or name.startswith("/") or ".." in Path(name).parts:
        raise InputError(f"{annotations}: names {name!r}, which is no image in {folder}; correct the name")
    return folder / name


def image_states(paths: Sequence[Path]) -> list[str]:
    """Tell images apart by name and content.

    Raises
    ------
    InputError
        When one is not there.
    """
    states = []
    for path in paths:
        try:
            states.append(f"{path.name} {digest_file(path)}")
        except OSError:
            raise InputError(f"{path}: no such image, though it is annotated; name its folder") from None
    return states
