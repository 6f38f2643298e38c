"""Uniform random numbers that depend on a seed, an item and a view's number, and on nothing else."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.backends.seeding import derive_seed

Words = NDArray[np.uint64]
"""32-bit words in 64 bits, which hold the product of two."""

_ROUNDS = 10
_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


def uniform_draws(seed: int, items: NDArray[np.int64], view: int, count: int) -> Tensor:
    """Draw numbers for one view of each item.

    They are those of a counter-based generator, whose every number is a function of its place: an item's
    are the same in every batch, order and process, and on every machine.

    Parameters
    ----------
    seed
        At least 0.
    items
        Shape (B,): positions in the data set, at least 0.
    view
        Which of an item's views, from 0.
    count
        Numbers an item.

    Returns
    -------
    Tensor
        Shape (B, count), float32, uniform in [0, 1) in steps of 2^-24.

    Examples
    --------
    >>> together = uniform_draws(seed=0, items=np.array([7, 3]), view=1, count=5)
    >>> bool((uniform_draws(0, np.array([3]), 1, 5) == together[1:]).all())
    True
    """
    blocks = -(-count // 4)
    counter = np.empty((len(items), blocks, 4), dtype=np.uint64)
    place = items.astype(np.uint64)[:, None]
    counter[..., 0], counter[..., 1] = place & _LOW, place >> _HALF
    counter[..., 2], counter[..., 3] = view, np.arange(blocks)
    words = _philox(counter, derive_seed(seed)).reshape(len(items), 4 * blocks)
    numbers = words[:, :count] >> np.uint64(8)
    return torch.from_numpy(numbers.astype(np.float32) * np.float32(2**-24))


def _philox(counter: Words, key: int) -> Words:
    """Turn counters into random words: Philox4x32-10 (Salmon et al. 2011, Parallel random numbers).

    Parameters
    ----------
    counter
        Shape (..., 4), 32-bit words.
    key
        Of 64 bits.

    Returns
    -------
    Words
        Shape (..., 4).
    """
    a, b, c, d = np.moveaxis(counter, -1, 0)
    left, right = key & 0xFFFFFFFF, key >> 32
    for _ in range(_ROUNDS):
        first, second = a * np.uint64(0xD2511F53), c * np.uint64(0xCD9E8D57)
        a, b = (second >> _HALF) ^ b ^ np.uint64(left), second & _LOW
        c, d = (first >> _HALF) ^ d ^ np.uint64(right), first & _LOW
        left, right = (left + 0x9E3779B9) & 0xFFFFFFFF, (right + 0xBB67AE85) & 0xFFFFFFFF
    return np.stack([a, b, c, d], axis=-1)
