"""What synthetic worlds have in common: images drawn on demand, labelled by attributes of known entropy."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.datasets.synthetic.attributes import Attributes
from mitools.datasets.synthetic.random_draws import Draws, Part

_ITEMS_AT_ONCE = 1 << 16


class SyntheticImages(ABC):
    """Images composed from random draws; meets :class:`mitools.datasets.base.LabelledData`.

    Item i depends on (seed, part, i) alone and nothing is kept of the images, so that memory does not
    grow with their number (but for the labels, once they are asked for) and any number of workers, in
    batches of any size, see the same pixels.

    Parameters
    ----------
    n
        Number of items.
    part, seed
        As for :class:`mitools.datasets.synthetic.random_draws.Draws`.
    truth
        The attributes and their joint distribution.
    shared
        The attributes whose combination is the label.
    transform
        Applied to every PIL image that is read as an item.

    Raises
    ------
    InputError
        When an argument is out of range or `shared` names no attribute.
    """

    name: str
    digest: str

    def __init__(
        self,
        n: int,
        part: Part,
        seed: int,
        truth: Attributes,
        shared: Sequence[str],
        transform: Callable[[Image.Image], Any] | None,
    ) -> None:
        if n < 1:
            raise InputError(f"n={n} must be at least 1")
        self._n, self._draws = n, Draws(seed, part)
        self.truth, self.transform = truth, transform
        self.shared = truth.ordered(shared)
        self.classes: Sequence[str] = truth.classes(self.shared)

    @abstractmethod
    def codes(self, items: NDArray[np.int64]) -> NDArray[np.int64]:
        """Draw the value of each attribute: shape (n, attributes) for items of shape (n,)."""

    @abstractmethod
    def compose(self, indices: ArrayLike | Tensor) -> Tensor:
        """Draw a batch of items.

        Parameters
        ----------
        indices
            Shape (batch,); negative ones count from the end.

        Returns
        -------
        Tensor
            Shape (batch, 3, height, width), uint8, on the device of the data set; no transform is applied.

        Raises
        ------
        IndexError
            When an index is out of range.
        """

    def __len__(self) -> int:
        """Count the items."""
        return self._n

    def __getitem__(self, index: int) -> tuple[Any, int]:
        """Read one item, transformed if a transform was given, and its label."""
        return self.__getitems__([index])[0]

    def __getitems__(self, indices: Sequence[int]) -> list[tuple[Any, int]]:
        """Read a batch of items; torch's loader asks for its batches this way."""
        items = item_numbers(indices, self._n)
        labels = self.truth.labels(self.codes(items), self.shared)
        images = self.compose(items)
        return [(self.as_item(image), int(label)) for image, label in zip(images, labels, strict=True)]

    def as_item(self, image: Tensor) -> Any:
        """Turn a composed image, shape (3, height, width), into a PIL image and apply the transform."""
        picture = Image.fromarray(image.permute(1, 2, 0).contiguous().cpu().numpy())
        return self.transform(picture) if self.transform else picture

    @cached_property
    def attributes(self) -> NDArray[np.int64]:
        """Shape (n, attributes): the codes of every item."""
        codes = np.empty((self._n, len(self.truth.names)), dtype=np.int64)
        for start in range(0, self._n, _ITEMS_AT_ONCE):
            items = np.arange(start, min(start + _ITEMS_AT_ONCE, self._n))
            codes[items] = self.codes(items)
        return codes

    @cached_property
    def labels(self) -> NDArray[np.int64]:
        """Shape (n,): number of the combination of the shared attributes."""
        return self.label_of(self.shared)

    def label_of(self, shared: Sequence[str]) -> NDArray[np.int64]:
        """Labels, shape (n,), for any other combination of attributes.

        Raises
        ------
        InputError
            When a name is no attribute.
        """
        return self.truth.labels(self.attributes, shared)

    def entropy_bits(self, shared: Sequence[str] | None = None) -> float:
        """H(C) in bits of a combination of attributes, by default that of the labels; exact."""
        return self.truth.bits(self.shared if shared is None else shared)


def item_numbers(indices: ArrayLike | Tensor, n: int) -> NDArray[np.int64]:
    """Return a batch's indices as an array, shape (batch,), counting negative ones from the end.

    Raises
    ------
    IndexError
        When one is not below `n`.
    """
    if isinstance(indices, torch.Tensor):
        indices = indices.cpu().numpy()
    items = np.atleast_1d(np.asarray(indices, dtype=np.int64))
    if items.size and not (-n <= items.min() and items.max() < n):
        raise IndexError(f"index out of range for {n} items")
    return np.where(items < 0, items + n, items)
