"""What the rest of the toolkit may ask of a data set."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

Item = Image | NDArray[np.float32] | str


class LabelledData(Protocol):
    """A map-style data set of labelled items.

    An item is a PIL image in mode RGB, a row of numbers (float32, shape (d,)) for data that comes as
    feature vectors, or a text. Items are read on demand and may be read from several workers at once.
    """

    @property
    def name(self) -> str:
        """A short name for tables and figures."""
        ...

    @property
    def classes(self) -> Sequence[str]:
        """The class names; label k stands for ``classes[k]``."""
        ...

    @property
    def labels(self) -> NDArray[np.int64]:
        """Shape (n,), in ``range(len(classes))``."""
        ...

    @property
    def digest(self) -> str:
        """Changes when any item or label does; part of every key under which results are kept."""
        ...

    def __len__(self) -> int:
        """Count the items."""
        ...

    def __getitem__(self, index: int) -> tuple[Item, int]:
        """Read one item and its label."""
        ...
