"""Generated scenes with the box and the mask of their object, exact to the pixel."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image

from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.datasets.detection.base import Objects
from mitools.datasets.synthetic.open import open_scenes
from mitools.datasets.synthetic.scenes.ray_casting import SEGMENTS
from mitools.datasets.synthetic.scenes.scenes import Scenes
from mitools.datasets.synthetic.scenes.shapes import SHAPES

KEPT = 2048
"""Scenes kept in memory, 16 kB each at 64x64 pixels: a detector sees each of them many times."""

_FIRST = SEGMENTS.index(SHAPES[0])


class SceneObjects:
    """Scenes as detection reads them: one object an image, its class the shape.

    The mask is every pixel whose ray meets the object, the box the smallest one around these pixels. Meets
    :class:`mitools.datasets.detection.base.DetectionData`.

    Parameters
    ----------
    scenes
        Where images and segmentations come from.

    Examples
    --------
    >>> data = SceneObjects(Scenes(4, size=32))
    >>> image, objects = data[0]
    >>> objects.boxes.shape, objects.masks.shape, data.classes[objects.labels[0]]
    ((1, 4), (1, 32, 32), 'sphere')
    """

    has_masks = True

    def __init__(self, scenes: Scenes) -> None:
        self.name = scenes.name
        self.classes: Sequence[str] = SHAPES
        self.digest = digest_text("objects of scenes", scenes.digest)
        self._scenes = scenes
        self._read = lru_cache(maxsize=KEPT)(self._render)

    def __len__(self) -> int:
        """Count the images."""
        return len(self._scenes)

    def objects_in(self, index: int) -> int:
        """Every image has one object."""
        return 1

    def __getitem__(self, index: int) -> tuple[Image.Image, Objects]:
        """Render one image and its object."""
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} out of range for {len(self)} scenes")
        picture, objects = self._read(index)
        return picture.copy(), objects

    def _render(self, index: int) -> tuple[Image.Image, Objects]:
        found = self._scenes.render([index])
        segments = found.segmentation[0, 0].numpy()
        mask = segments >= _FIRST
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        box = np.array([[columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]], dtype=np.float32)
        label = np.array([segments[mask][0] - _FIRST], dtype=np.int64)
        picture = Image.fromarray(found.image[0].permute(1, 2, 0).contiguous().numpy())
        return picture, Objects(box, label, np.zeros(1, dtype=bool), mask[None])


def open_scene_objects(spec: Spec) -> SceneObjects:
    """Open ``scenes?n=1000&size=64&part=train&seed=0``.

    Raises
    ------
    InputError
        As :func:`mitools.datasets.synthetic.open.open_scenes`.
    """
    return SceneObjects(open_scenes(spec))
