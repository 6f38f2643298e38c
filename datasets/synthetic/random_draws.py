"""Counter-based randomness: what is drawn for item i depends on the seed, the part and i alone."""

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError

Part = Literal["train", "test"]

_MULTIPLIERS = (np.uint64(0xD2511F53), np.uint64(0xCD9E8D57))
_WEYL = (0x9E3779B9, 0xBB67AE85)
_MASK = np.uint64(0xFFFFFFFF)
_WORD_BITS = np.uint64(32)
_ROUNDS = 10


def philox4x32(counter: NDArray[np.uint64], key: tuple[int, int]) -> NDArray[np.uint64]:
    """Philox4x32-10 of many counters at once.

    Integer arithmetic throughout, so every machine draws the same numbers.

    Parameters
    ----------
    counter
        Shape (..., 4); 32-bit words held in 64 bits.
    key
        Two 32-bit words.

    Returns
    -------
    NDArray[np.uint64]
        Shape (..., 4); 32 random bits in each word.

    References
    ----------
    Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
    """
    a, b, c, d = (counter[..., word] for word in range(4))
    for number in range(_ROUNDS):
        round_key = [np.uint64((k + number * step) & 0xFFFFFFFF) for k, step in zip(key, _WEYL, strict=True)]
        first, second = _MULTIPLIERS[0] * a, _MULTIPLIERS[1] * c
        a, b, c, d = (
            (second >> _WORD_BITS) ^ b ^ round_key[0],
            second & _MASK,
            (first >> _WORD_BITS) ^ d ^ round_key[1],
            first & _MASK,
        )
    return np.stack((a, b, c, d), axis=-1)


class Draws:
    """The random words of every item of one part of a data set.

    Nothing is carried from one item to the next: a word is a function of (seed, part, stream, item)
    alone. Any number of workers, in any order and in batches of any size, draw the same words.

    Parameters
    ----------
    seed
        In [0, 2^64).
    part
        ``train`` and ``test`` share no word.

    Raises
    ------
    InputError
        When the seed is out of range or the part unknown.
    """

    def __init__(self, seed: int, part: Part) -> None:
        if not 0 <= seed < 2**64:
            raise InputError(f"seed={seed} must be at least 0 and below 2^64")
        if part not in get_args(Part):
            raise InputError(f"part={part} is unknown; accepted: {' or '.join(get_args(Part))}")
        self._key = (seed & 0xFFFFFFFF, seed >> 32)
        self._part = get_args(Part).index(part)

    def words(self, items: NDArray[np.int64], stream: int, count: int) -> NDArray[np.uint64]:
        """Draw 32-bit words.

        Parameters
        ----------
        items
            Shape (n,), non-negative.
        stream
            Which of the independent sequences of an item; small and non-negative.
        count
            Words an item.

        Returns
        -------
        NDArray[np.uint64]
            Shape (n, count), values below 2^32.
        """
        blocks = -(-count // 4)
        counter = np.zeros((len(items), blocks, 4), dtype=np.uint64)
        index = np.asarray(items, dtype=np.int64).astype(np.uint64)[:, None]
        counter[..., 0], counter[..., 1] = index & _MASK, index >> _WORD_BITS
        counter[..., 2] = np.arange(blocks, dtype=np.uint64)
        counter[..., 3] = 2 * stream + self._part
        return philox4x32(counter, self._key).reshape(len(items), 4 * blocks)[:, :count]


def below(words: NDArray[np.uint64], bound: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Map 32-bit words to whole numbers in [0, bound), uniform to within bound / 2^32."""
    return ((words * np.asarray(bound, dtype=np.uint64)) >> _WORD_BITS).astype(np.int64)


def uniform(high: NDArray[np.uint64], low: NDArray[np.uint64]) -> NDArray[np.float64]:
    """Map pairs of 32-bit words to multiples of 2^-53 in [0, 1)."""
    return ((high << np.uint64(21)) | (low >> np.uint64(11))).astype(np.float64) * 2.0**-53


def categorical(u: NDArray[np.float64], probabilities: NDArray[np.float64]) -> NDArray[np.int64]:
    """Map uniform numbers to the cells of discrete distributions by inverting the cumulative sum.

    A cell of probability zero is never drawn.

    Parameters
    ----------
    u
        Shape (n,), in [0, 1).
    probabilities
        Shape (k,), one distribution for all, or (n, k), one for each.

    Returns
    -------
    NDArray[np.int64]
        Shape (n,), in ``range(k)``.
    """
    cumulative = np.cumsum(probabilities, axis=-1)
    cumulative /= cumulative[..., -1:]
    if cumulative.ndim == 1:
        return np.searchsorted(cumulative, u, side="right").astype(np.int64)
    return (cumulative <= u[:, None]).sum(axis=1, dtype=np.int64)
