"""What the rest of the toolkit may ask of a data set."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL.Image import Image

if TYPE_CHECKING:
    from torch import Tensor

Item: TypeAlias = Union[Image, NDArray[np.float32], str, "Tensor", Mapping[str, "Tensor"]]


class LabelledData(Protocol):
    """A map-style data set of labelled items.

    An item is a PIL image in mode RGB, a row of numbers (float32, shape (d,)) for data that comes as
    feature vectors, a text, or a tensor (or several by name) that the caller's own code has made for one
    network and that goes into it as it is. Items are read on demand and may be read from several workers at
    once.
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
