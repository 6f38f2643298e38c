"""The network of a run: the encoder that a recipe names, with a head."""

from collections.abc import Callable

import torch
from torch import nn

from mitools.backends.seeding import derive_seed, seeded
from mitools.core.errors import InputError
from mitools.encoders.architectures.build import build_architecture
from mitools.training.networks.heads import EncoderWithHead


def build_network(
    encoder: str, shape: tuple[int, ...], make_head: Callable[[int], nn.Module], seed: int = 0
) -> EncoderWithHead:
    """Build an encoder and its head with the untrained weights of a seed.

    Parameters
    ----------
    encoder
        A network by name, as a recipe's ``encoder`` takes it.
    shape
        Of an image or a view of it, (channels, height, width).
    make_head
        Makes the head from the width of the encoder's output.
    seed
        Of the run.

    Raises
    ------
    InputError
        When the encoder is unknown or does not read such images.
    """
    with seeded(derive_seed(seed, 4)):
        network = build_architecture(encoder, derive_seed(seed, 5) % 2**31, channels=shape[0]).module
        try:
            with torch.no_grad():
                width = network.eval()(torch.zeros(1, *shape)).shape[1]
        except (RuntimeError, ValueError, IndexError, AssertionError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(f"encoder {encoder} fails on images of {tuple(shape)} ({reason})") from None
        return EncoderWithHead(network, make_head(width), width)
