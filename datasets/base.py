"""What the rest of the toolkit may ask of a data set."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeAlias, Union, runtime_checkable

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


@runtime_checkable
class MultimodalData(LabelledData, Protocol):
    """Labelled images of which more is known than their pixels: depth, surface normals, frames.

    The modalities, all over the pixels of the image:

    - ``depth``: (1, H, W), float32, metres along the optical axis;
    - ``normals``: (3, H, W), float32, unit vectors in the camera's frame (x right, y down, z away);
    - ``segmentation``: (1, H, W), uint8, the number of a pixel's class; 255 where it has none;
    - ``clip``: (T, 3, H, W), uint8, RGB frames in order.
    """

    @property
    def modalities(self) -> Sequence[str]:
        """What the data have beside ``image``."""
        ...

    def modality(self, index: int, name: str) -> "NDArray[np.float32] | NDArray[np.uint8] | None":
        """Read one modality of one item; None where this item lacks it."""
        ...


def modalities_of(data: LabelledData) -> tuple[str, ...]:
    """Name everything that views of the data can be drawn from, ``image`` first."""
    return ("image", *(data.modalities if isinstance(data, MultimodalData) else ()))
