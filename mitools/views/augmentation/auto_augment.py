"""AutoAugment for a whole batch at once, as a pure function of random numbers."""

from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

AUTO_DRAWS = 5
"""Random numbers an image: the sub-policy, then for each of its two steps whether and in which direction."""


def auto_augmented(images: Tensor, draws: Tensor, policy: str) -> Tensor:
    """Apply one of a policy's 25 pairs of steps to each image (Cubuk et al. 2019), as torchvision does.

    Images that draw the same step go through it together, so that a batch costs 100 calls at the most.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), float, in [0, 1]; worked on as 256 levels.
    draws
        Shape (B, AUTO_DRAWS), uniform in [0, 1). Equal draws give equal views, whatever else is in the
        batch.
    policy
        ``cifar10``, ``imagenet`` or ``svhn``: where it was learnt.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), in [0, 1].
    """
    transform = _transform(policy)
    pixels = (images * 255).round().to(torch.uint8)
    # On the CPU, where the choice of a call is made: asking a GPU for every one would wait for it.
    chosen, *rest = draws.cpu().T
    pair = (chosen * len(transform._policies)).long()
    for step, (whether, direction) in enumerate(zip(rest[0::2], rest[1::2], strict=True)):
        for number, steps in enumerate(transform._policies):
            name, probability, level = steps[step]
            takes = (pair == number) & (whether < probability)
            strengths, signed = transform._AUGMENTATION_SPACE[name]
            levels = strengths(10, *images.shape[-2:])
            magnitude = 0.0 if levels is None else float(levels[level])
            reverse = (direction < 0.5) & signed
            for strength, group in ((magnitude, takes & ~reverse), (-magnitude, takes & reverse)):
                step_applied(pixels, group, transform, name, strength)
    return pixels.float() / 255


def step_applied(pixels: Tensor, chosen: Tensor, transform: Any, name: str, strength: float) -> None:
    """Take one of torchvision's steps on the images that are chosen, in place.

    Parameters
    ----------
    pixels
        Shape (B, 3, H, W), uint8.
    chosen
        Shape (B,), bool, on the CPU.
    transform
        Torchvision's AutoAugment or RandAugment, which has the step.
    name, strength
        Of the step, as the transform's tables have them.
    """
    rows = chosen.nonzero()[:, 0].to(pixels.device)
    if len(rows):
        pixels[rows] = transform._apply_image_or_video_transform(
            pixels[rows], name, strength, interpolation=transform.interpolation, fill=transform._fill
        )


@lru_cache(maxsize=3)
def _transform(policy: str) -> Any:
    """Give torchvision's transform, whose tables and steps are used; it draws for one image at a time."""
    from torchvision.transforms import v2

    return v2.AutoAugment(v2.AutoAugmentPolicy(policy))
