"""One string opens data for detection."""

from collections.abc import Callable
from typing import NamedTuple

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.core.specs import Spec, parse_spec
from mitools.datasets.detection.base import DetectionData
from mitools.datasets.detection.coco import open_coco
from mitools.datasets.detection.segmented import open_scene_objects
from mitools.datasets.detection.voc import open_voc
from mitools.datasets.sources import DATA_SOURCES


class DetectionSource(NamedTuple):
    """What opens a source's specs, and the options that it reads."""

    opener: Callable[[Spec], DetectionData]
    options: tuple[str, ...]


DETECTION_SOURCES: dict[str, DetectionSource] = {
    "coco": DetectionSource(open_coco, ("images",)),
    "scenes": DetectionSource(open_scene_objects, ("n", "part", "seed", "size")),
    "voc": DetectionSource(open_voc, ("part",)),
}
"""Sources of images with boxes, by name."""


def open_detection(text: str) -> DetectionData:
    """Open the images and objects that a spec names.

    Parameters
    ----------
    text
        ``coco:ANNOTATIONS.json?images=FOLDER``, ``voc:FOLDER?part=trainval`` (several folders with commas),
        or ``scenes?n=1000&size=64``.

    Raises
    ------
    InputError
        When the spec cannot be read, its data have no boxes, or they cannot be read.

    Examples
    --------
    >>> data = open_detection("scenes?n=10&size=32&part=test")
    >>> len(data), data.has_masks, list(data.classes)
    (10, True, ['box', 'sphere', 'cylinder', 'cone'])
    """
    spec = parse_spec(text, {**DATA_SOURCES, **DETECTION_SOURCES})
    if spec.source not in DETECTION_SOURCES:
        known = nearest(spec.source, DETECTION_SOURCES, len(DETECTION_SOURCES))
        raise InputError(f"spec {text!r}: {spec.source} has no boxes; detection reads {known}")
    source = DETECTION_SOURCES[spec.source]
    spec.only(*source.options)
    return source.opener(spec)
