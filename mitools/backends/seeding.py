"""Random numbers that depend on a seed alone and disturb nobody else's."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock

import torch

from mitools.core.errors import InputError

_ONE_AT_A_TIME = RLock()
"""The generator belongs to the process: a thread that seeded it would be given the draws of another."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw torch's CPU random numbers from `seed` inside the block; the state outside is untouched.

    Other threads wait for the end of the block before they enter one of their own.

    Raises
    ------
    InputError
        When the seed has more than 64 bits.
    """
    if not -(2**63) <= seed < 2**63:
        raise InputError(f"seed {seed} has more than 64 bits; take a smaller one")
    # The default generator alone: torch.manual_seed would reseed every accelerator as well.
    with _ONE_AT_A_TIME, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def derive_seed(*counters: int) -> int:
    """Hash non-negative counters (a seed, an item, a view) into a seed of their own, in [0, 2^63).

    Equal counters give equal seeds on every machine; neighbouring ones share nothing.
    """
    content = ",".join(map(str, counters)).encode()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little") >> 1
