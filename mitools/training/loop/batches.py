"""Which items are in which step: a function of seed and step alone, so that a stopped run goes on exactly."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.training.methods.base import Pairing

Items = NDArray[np.int64]


class BatchSampler:
    """The items of every step.

    Every epoch is a permutation of the items; what does not fill a batch at its end is left out. With
    same-class pairs, the second view of an item is another item of its class.

    Parameters
    ----------
    labels
        Shape (n,).
    batch_size
        Items a step, over all processes.
    pairing
        What the views show: an item, or in the second view another item of its class.
    seed
        Of the permutations and the partners.

    Raises
    ------
    InputError
        When the batch is larger than the data, or a class has one item where a pair of it is needed.
    """

    def __init__(self, labels: Items, batch_size: int, pairing: Pairing, seed: int) -> None:
        if batch_size > len(labels):
            raise InputError(f"batch_size {batch_size} is larger than the data's {len(labels)} items")
        self.labels = labels
        self.batch_size = batch_size
        self.pairing = pairing
        self.seed = seed
        self.steps_per_epoch = len(labels) // batch_size
        if pairing == "same_class":
            counts = np.bincount(labels)
            if (alone := np.flatnonzero(counts == 1)).size:
                raise InputError(
                    f"class {alone[0]} has one item, but same-class pairs need two; add items or leave it out"
                )
            # Items of one class side by side, and where each item stands among its own.
            self._by_class = np.argsort(labels, kind="stable")
            self._start = np.concatenate([[0], np.cumsum(counts)])[labels]
            self._count = counts[labels]
            place = np.empty(len(labels), dtype=np.int64)
            place[self._by_class] = np.arange(len(labels))
            self._place = place - self._start

    def items(self, step: int) -> tuple[Items, ...]:
        """Give the items of the views of a step: one array of shape (K,), or two for same-class pairs."""
        epoch, position = divmod(step, self.steps_per_epoch)
        start = position * self.batch_size
        first = self._order(epoch)[start : start + self.batch_size]
        if self.pairing != "same_class":
            return (first,)
        # Any of the others of the class, each as likely: skip from one's own place around the circle.
        rng = np.random.default_rng([self.seed, 1, step])
        skip = 1 + (rng.random(len(first)) * (self._count[first] - 1)).astype(np.int64)
        place = (self._place[first] + skip) % self._count[first]
        return first, self._by_class[self._start[first] + place]

    def _order(self, epoch: int) -> Items:
        return _permutation(len(self.labels), self.seed, epoch)


@lru_cache(maxsize=4)
def _permutation(n: int, seed: int, epoch: int) -> Items:
    return np.random.default_rng([seed, 0, epoch]).permutation(n)
