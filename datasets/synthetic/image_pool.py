"""Images held in memory by class, from which one is drawn once its class is known."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mitools.datasets.synthetic.random_draws import below


@dataclass(frozen=True)
class Pool:
    """Images of one size, grouped by class.

    Attributes
    ----------
    name
        Where they come from, for tables and digests.
    classes
        Class names.
    counts
        Shape (classes,), int64: images in each class, all positive.
    images
        Shape (m, side, side) for glyphs, (m, 3, side, side) for photographs; uint8; those of the
        first class first, then those of the second, and so on.
    """

    name: str
    classes: tuple[str, ...]
    counts: NDArray[np.int64]
    images: NDArray[np.uint8]

    @classmethod
    def grouped(
        cls, name: str, classes: Sequence[str], labels: NDArray[np.int64], images: NDArray[np.uint8]
    ) -> "Pool":
        """Group images by their labels, keeping the order within a class."""
        order = np.argsort(labels, kind="stable")
        counts = np.bincount(labels, minlength=len(classes)).astype(np.int64)
        return cls(name, tuple(classes), counts, np.ascontiguousarray(images[order]))

    def pick(self, labels: NDArray[np.int64], words: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Draw an image of each named class, all its images equally likely.

        Parameters
        ----------
        labels
            Shape (n,): class numbers.
        words
            Shape (n,): a random 32-bit word each.

        Returns
        -------
        NDArray[np.int64]
            Shape (n,): positions in `images`.
        """
        first = np.cumsum(self.counts) - self.counts
        return first[labels] + below(words, self.counts[labels])

    @property
    def side(self) -> int:
        """Height and width of the images in pixels."""
        return self.images.shape[-1]

    @property
    def choice_bits(self) -> float:
        """Entropy in bits of the image picked when the class is uniform."""
        return float(np.log2(len(self.classes)) + np.log2(self.counts).mean())

    @cached_property
    def digest(self) -> str:
        """SHA-256 of classes, counts and pixels, in hexadecimal."""
        state = hashlib.sha256("\0".join(self.classes).encode())
        state.update(self.counts.tobytes())
        state.update(repr(self.images.shape).encode())
        state.update(np.ascontiguousarray(self.images).data)
        return state.hexdigest()
