"""Single steps of augmentations, for a whole batch at once: each image has parameters of its own."""

from typing import Literal

import torch
from torch import Tensor

from mitools.views.colour.conversions import hsv_to_rgb, rgb_to_hsv
from mitools.views.gaussian_blur import blurred

LUMA = (0.299, 0.587, 0.114)

LARGEST_SHARP = 32
"""Height and width up to which Chen et al. (2020) blur nothing (Appendix B.9)."""

LARGE_BLUR, BLUR_WIDTHS = 0.5, (0.1, 2.0)
"""Their probability of a blur, and between what its standard deviation in pixels is drawn."""


def each(values: Tensor) -> Tensor:
    """Lay out one value an image, (B,), to be broadcast over its pixels: shape (B, 1, 1, 1)."""
    return values[:, None, None, None]


def factor(uniform: Tensor, reach: float) -> Tensor:
    """Give a factor between max(0, 1 - reach) and 1 + reach."""
    low = max(0.0, 1 - reach)
    return low + (1 + reach - low) * uniform


def luma(images: Tensor) -> Tensor:
    """Give the brightness of RGB images (B, 3, H, W) as the eye sees it, shape (B, 1, H, W)."""
    return torch.einsum("c,bchw->bhw", images.new_tensor(LUMA), images)[:, None]


def toned(images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor) -> Tensor:
    """Change brightness, contrast and saturation, in this order, as torchvision does.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), in [0, 1].
    brightness, contrast, saturation
        Shape (B,), at least 0: the factor of each image; 1 changes nothing.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), in [0, 1].
    """
    images = (images * each(brightness)).clamp(0, 1)
    mean = luma(images).mean(dim=(1, 2, 3), keepdim=True)
    images = torch.lerp(mean.expand_as(images), images, each(contrast)).clamp(0, 1)
    return torch.lerp(luma(images).expand_as(images), images, each(saturation)).clamp(0, 1)


def hue_turned(images: Tensor, turn: Tensor) -> Tensor:
    """Turn the hue of each image, in HSV, as torchvision does.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), in [0, 1].
    turn
        Shape (B,), in whole turns of the colour circle: 1 or -1 changes nothing.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), in [0, 1].
    """
    hue, rest = rgb_to_hsv(images).split((1, 2), dim=1)
    return hsv_to_rgb(torch.cat([hue + each(turn), rest], dim=1))


def greyed(images: Tensor, chosen: Tensor) -> Tensor:
    """Take the colour out of the images that are chosen, shape (B,) of bool."""
    return torch.where(each(chosen), luma(images).expand_as(images), images)


def blurred_at_random(
    images: Tensor, probability: float | Literal["large"], whether: Tensor, width: Tensor
) -> Tensor:
    """Blur some of the images by a Gaussian that is cut off at a tenth of the image.

    Parameters
    ----------
    images
        Shape (B, 3, H, W).
    probability
        Of a blur; ``large`` for one half where an image is larger than 32 pixels, and none elsewhere.
    whether, width
        Shape (B,), uniform in [0, 1): whether an image is blurred, and where between 0.1 and 2 pixels the
        Gaussian's standard deviation lies.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W).
    """
    sides = images.shape[-2:]
    if probability == "large":
        if max(sides) <= LARGEST_SHARP:
            return images
        probability = LARGE_BLUR
    low, high = BLUR_WIDTHS
    height_reach, width_reach = (min(max(1, side // 20), side - 1) for side in sides)
    soft = blurred(images, low + (high - low) * width, (height_reach, width_reach))
    return torch.where(each(whether < probability), soft, images)
