"""Image data sets that fit in memory as one array."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mitools.datasets.targets import Targets


@dataclass(frozen=True)
class ImageArray:
    """Labelled images held in one array; meets :class:`mitools.datasets.base.LabelledData`.

    Attributes
    ----------
    name
        A short name for tables and figures.
    classes
        The class names.
    images
        Shape (n, height, width) for grey images or (n, height, width, 3) for RGB, uint8.
    labels
        Shape (n,), int64.
    digest
        Changes when any image or label does.
    targets
        What the images are compared with where that is not one class each.
    """

    name: str
    classes: Sequence[str]
    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    digest: str
    targets: Targets | None = None

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Image.Image, int]:
        """Read one image in mode RGB (a grey one has three equal channels) and its label."""
        return Image.fromarray(self.images[index]).convert("RGB"), int(self.labels[index])
