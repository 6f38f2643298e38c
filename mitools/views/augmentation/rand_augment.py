"""RandAugment for a whole batch at once, as a pure function of random numbers."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from mitools.views.augmentation.auto_augment import step_applied

LEVELS = 31
"""Strengths that a step has, from 0, the weakest."""

STEP_DRAWS = 2
"""Random numbers an image and step: which one, and in which direction."""


def rand_augmented(images: Tensor, draws: Tensor, magnitude: int) -> Tensor:
    """Take steps of RandAugment (Cubuk et al. 2020) on each image, as torchvision does.

    Every step is one of torchvision's 14, all equally likely. Images that draw the same step go through it
    together, so that a batch costs 24 calls a step at the most.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), float, in [0, 1]; worked on as 256 levels.
    draws
        Shape (B, STEP_DRAWS * steps), uniform in [0, 1): for one step after another which it is, and whether
        it goes in the negative direction (below 0.5).
    magnitude
        Strength of all steps, from 0 to 30.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), in [0, 1].
    """
    transform = _transform()
    space = transform._AUGMENTATION_SPACE
    pixels = (images * 255).round().to(torch.uint8)
    # On the CPU, where the choice of a call is made: asking a GPU for every one would wait for it.
    for which, direction in draws.cpu().T.unflatten(0, (-1, STEP_DRAWS)):
        number = (which * len(space)).long()
        for place, (name, (strengths, signed)) in enumerate(space.items()):
            levels = strengths(LEVELS, *images.shape[-2:])
            strength = 0.0 if levels is None else float(levels[magnitude])
            reverse = (direction <= 0.5) & (signed and levels is not None)
            step_applied(pixels, (number == place) & ~reverse, transform, name, strength)
            step_applied(pixels, (number == place) & reverse, transform, name, -strength)
    return pixels.float() / 255


@lru_cache(maxsize=1)
def _transform() -> Any:
    """Give torchvision's transform, whose tables and steps are used; it draws for one image at a time."""
    from torchvision.transforms import v2

    return v2.RandAugment(num_magnitude_bins=LEVELS)
