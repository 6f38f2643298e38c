"""What the rest of the toolkit may ask of a data set."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Item = Image | NDArray[np.float32]


class LabelledData(Protocol):
    """A map-style data set of labelled items.

    An item is a PIL image in mode RGB, or a row of numbers (float32, shape (d,)) for data that comes
    as feature vectors. Items are read on demand and may be read from several workers at once.

    Attributes
    ----------
    name
        A short name for tables and figures.
    classes
        The class names; label k stands for ``classes[k]``.
    labels
        Shape (n,), int64, in ``range(len(classes))``.
    digest
        Changes when any item or label does; part of every key under which results are kept.
    """

    name: str
    classes: Sequence[str]
    labels: NDArray[np.int64]
    digest: str

    def __len__(self) -> int:
        """Count the items."""
        ...

    def __getitem__(self, index: int) -> tuple[Item, int]:
        """Read one item and its label."""
        ...
