"""Scenes: images of one object on a floor before a wall, with depth, normals and segmentation."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.names import check_name
from mitools.datasets.synthetic.base import SyntheticImages, item_numbers
from mitools.datasets.synthetic.random_draws import Part
from mitools.datasets.synthetic.scenes.layout import TRUTH, WORDS, camera_of, draw_codes, draw_layout, some_of
from mitools.datasets.synthetic.scenes.ray_casting import SEGMENTS, camera_normals, cast_rays, segmentation
from mitools.datasets.synthetic.scenes.shading import shade
from mitools.datasets.synthetic.scenes.shapes import SHAPES

SMALLEST = 16
"""Pixels a side below which the shape of an object cannot be seen."""

_PIXELS_AT_ONCE = 1 << 18  # their tensors stay in the processor's cache
_STREAM = 0  # of random words


class Rendering(NamedTuple):
    """A batch of scenes, in the terms of :class:`mitools.datasets.base.MultimodalData`.

    Attributes
    ----------
    image
        Shape (batch, 3, size, size), uint8.
    depth
        Shape (batch, 1, size, size), float32, metres along the optical axis.
    normals
        Shape (batch, 3, size, size), float32, unit vectors in the camera's frame.
    segmentation
        Shape (batch, 1, size, size), uint8: a position in ``Scenes.segments``.
    """

    image: Tensor
    depth: Tensor
    normals: Tensor
    segmentation: Tensor


class Scenes(SyntheticImages):
    """One object on a floor before a wall; meets :class:`mitools.datasets.base.MultimodalData`.

    The object is a box, a sphere, a cylinder or a cone, of one of eight colours and four materials (matt,
    glossy, striped, checked), at one of four places, in light from one of four directions, seen from one of
    four viewpoints. These six attributes are uniform and independent, so their entropies are known. Sizes,
    exact places and directions, the turn of the object and the colours of floor and wall are drawn
    independently of them. Image, depth, normals and segmentation come of one ray through the centre of each
    pixel, whose meeting with the surfaces has a closed form: they agree to less than a millimetre.

    Item i depends on (seed, part, i) alone; nothing is kept of the images but the last batch rendered, so
    that the modalities of an item cost one rendering. Pixels are made of sums, products, quotients and square
    roots in single precision, which every machine rounds alike.

    Parameters
    ----------
    n
        Number of scenes.
    part
        ``train`` or ``test``: no random number in common.
    seed
        In [0, 2^64).
    size
        Height and width in pixels.
    label
        The attributes whose combination is the label: ``shape``, ``colour``, ``material``, ``pose``,
        ``light``, ``camera``.
    transform
        Applied to every PIL image that is read as an item.

    Attributes
    ----------
    camera
        The :class:`mitools.datasets.pinhole.Pinhole` that every depth map is taken by.
    segments
        The classes of the segmentation.

    Raises
    ------
    InputError
        When an argument is out of range or `label` names no attribute.

    Examples
    --------
    >>> data = Scenes(100, size=32)
    >>> image, label = data[0]
    >>> image.size, data.classes[label], data.entropy_bits()
    ((32, 32), 'sphere', 2.0)
    >>> data.modality(0, "depth").shape
    (1, 32, 32)
    """

    modalities = ("depth", "normals", "segmentation")

    def __init__(
        self,
        n: int = 10_000,
        *,
        part: Part = "train",
        seed: int = 0,
        size: int = 64,
        label: Sequence[str] = ("shape",),
        transform: Callable[[Image.Image], Any] | None = None,
    ) -> None:
        if size < SMALLEST:
            raise InputError(f"size={size} must be at least {SMALLEST}; smaller objects cannot be told apart")
        for name in label:
            check_name("label of scenes", name, TRUTH.names)
        super().__init__(n, part, seed, TRUTH, label, transform)
        self.name, self.size, self.camera, self.segments = "scenes", size, camera_of(size), SEGMENTS
        self._device = torch.device("cpu")
        self._last = self._nothing()
        self.digest = digest_text(f"scenes 1: {n} {part} {seed} {size} {self.shared} {transform!r}")

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_last": self._nothing()}

    def to(self, device: torch.device | str) -> Self:
        """Render on this device from now on; returns the data set itself."""
        self._device = torch.device(device)
        self._last = self._nothing()
        return self

    def _nothing(self) -> tuple[NDArray[np.int64], Rendering]:
        """Give the last batch of a data set that has rendered none."""
        return np.empty(0, dtype=np.int64), self._empty(0)

    @property
    def _at_once(self) -> int:
        return max(1, _PIXELS_AT_ONCE // self.size**2)

    def codes(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw the attributes: shape (n, 6) for items of shape (n,)."""
        return draw_codes(self._draws.words(items, _STREAM, 2))

    def compose(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw a batch of images: shape (batch, 3, size, size), uint8, on the device of the data set."""
        items = item_numbers(indices, len(self))
        return self._one(int(items[0])).image if len(items) == 1 else self._remembered(items).image.clone()

    def modality(self, index: int, name: str) -> NDArray[np.float32] | NDArray[np.uint8]:
        """Read the ``depth``, ``normals`` or ``segmentation`` of one item.

        Raises
        ------
        InputError
            When it is another modality.
        """
        check_name("modality of scenes", name, self.modalities)
        (item,) = item_numbers(index, len(self))
        array: NDArray = getattr(self._one(int(item)), name)[0].cpu().numpy()
        return array

    def _one(self, item: int) -> Rendering:
        """Take one item from the last batch, or render it; of items read in order, several at a time."""
        items, found = self._last
        rows = np.flatnonzero(items == item)
        if not rows.size:
            ahead = self._at_once if items.size and item == items[-1] + 1 else 1
            found = self._remembered(np.arange(item, min(item + ahead, len(self))))
        row = int(rows[0]) if rows.size else 0
        # Copies, so that a caller who changes them changes no later reading.
        return Rendering(*(tensor[row : row + 1].clone() for tensor in found))

    def _remembered(self, items: NDArray[np.int64]) -> Rendering:
        found = self.render(items)
        self._last = items, found
        return found

    def render(self, indices: ArrayLike | Tensor) -> Rendering:
        """Render the image and every modality of a batch of items, on the device of the data set.

        Raises
        ------
        IndexError
            When an index is out of range.
        """
        items = item_numbers(indices, len(self))
        layout = draw_layout(self._draws.words(items, _STREAM, WORDS))
        found = self._empty(len(items))
        for number, name in enumerate(SHAPES):
            members = np.flatnonzero(layout.codes[:, 0] == number)
            for start in range(0, len(members), self._at_once):
                rows = members[start : start + self._at_once]
                some = some_of(layout, rows)
                surfaces = cast_rays(some, name, self.camera, self.size, self._device)
                found.image[rows] = shade(surfaces, some)
                found.depth[rows] = surfaces.depth[:, None]
                found.normals[rows] = camera_normals(surfaces, some)
                found.segmentation[rows] = segmentation(surfaces, name)
        return found

    def _empty(self, n: int) -> Rendering:
        """Give the tensors of n scenes, to be filled."""

        def empty(channels: int, dtype: torch.dtype) -> Tensor:
            return torch.empty((n, channels, self.size, self.size), dtype=dtype, device=self._device)

        return Rendering(
            empty(3, torch.uint8), empty(1, torch.float32), empty(3, torch.float32), empty(1, torch.uint8)
        )
