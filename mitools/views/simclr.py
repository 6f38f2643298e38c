"""SimCLR's augmentations for a whole batch at once, on the device, as a pure function of random numbers."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from mitools.views.auto_augment import AUTO_DRAWS, auto_augmented
from mitools.views.recipes import AugmentationRecipe

DRAWS = 11
"""Random numbers an image: area, aspect, row, column, flip, jitter or not, brightness, contrast, saturation,
hue, grey or not."""

ASPECTS = (3 / 4, 4 / 3)
LUMA = (0.299, 0.587, 0.114)

# From red, green, blue to luma and two axes of colour (YIQ), in which a change of hue is a rotation.
_TO_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


def draw_count(recipe: AugmentationRecipe) -> int:
    """Count the random numbers that an image needs: DRAWS, and those of AutoAugment where it is asked for."""
    return DRAWS if recipe.auto is None else DRAWS + AUTO_DRAWS


def augmented(images: Tensor, draws: Tensor, recipe: AugmentationRecipe) -> Tensor:
    """Draw one view of each image.

    The steps are those of Chen et al. (2020, appendix A) for small images: random resized crop, flip,
    colour jitter, grey; no blur (B.9). The jitter's four parts come in one fixed order, and hue is turned
    in YIQ space. AutoAugment follows where it is asked for.

    Parameters
    ----------
    images
        Shape (B, 3, H, W), float, in [0, 1].
    draws
        Shape (B, draw_count(recipe)), uniform in [0, 1): every random choice. Equal draws give equal views,
        on every device and for every split of a batch over processes.
    recipe
        How strong each step is.

    Returns
    -------
    Tensor
        Shape (B, 3, H, W), in [0, 1].
    """
    area, aspect, row, column, flip, jitter, brightness, contrast, saturation, hue, grey = draws[:, :DRAWS].T
    if recipe.crop_area < 1 or recipe.flip > 0:
        images = _cropped(images, recipe.crop_area, area, aspect, row, column, flip < recipe.flip)
    if recipe.jitter_strength > 0:
        reach = 0.8 * recipe.jitter_strength
        brightness, contrast, saturation = (_factor(u, reach) for u in (brightness, contrast, saturation))
        turn = 2 * math.pi * 0.2 * recipe.jitter_strength * (2 * hue - 1)
        jittered = _jittered(images, brightness, contrast, saturation, turn)
        images = torch.where(_each(jitter < recipe.jitter), jittered, images)
    if recipe.grey > 0:
        images = torch.where(_each(grey < recipe.grey), _luma(images).expand_as(images), images)
    return images if recipe.auto is None else auto_augmented(images, draws[:, DRAWS:], recipe.auto)


def _cropped(
    images: Tensor, least: float, area: Tensor, aspect: Tensor, row: Tensor, column: Tensor, flip: Tensor
) -> Tensor:
    """Crop a box of random area and aspect, flip it or not, and bring it to the image's size (bilinear)."""
    share = least + (1 - least) * area
    low, high = (math.log(bound) for bound in ASPECTS)
    ratio = torch.exp(low + (high - low) * aspect) if least < 1 else torch.ones_like(aspect)
    width = (share * ratio).sqrt().clamp(max=1.0)
    height = (share / ratio).sqrt().clamp(max=1.0)
    # The box's centre in [-1, 1], and x = centre + width * x' (mirrored for a flip).
    centre_x, centre_y = (1 - width) * (2 * column - 1), (1 - height) * (2 * row - 1)
    zero = torch.zeros_like(width)
    mirrored = torch.where(flip, -width, width)
    theta = torch.stack([mirrored, zero, centre_x, zero, height, centre_y], dim=1).reshape(-1, 2, 3)
    grid = functional.affine_grid(theta, list(images.shape), align_corners=False)
    return functional.grid_sample(images, grid, padding_mode="border", align_corners=False)


def _jittered(
    images: Tensor, brightness: Tensor, contrast: Tensor, saturation: Tensor, turn: Tensor
) -> Tensor:
    images = (images * _each(brightness)).clamp(0, 1)
    mean = _luma(images).mean(dim=(1, 2, 3), keepdim=True)
    images = torch.lerp(mean.expand_as(images), images, _each(contrast)).clamp(0, 1)
    images = torch.lerp(_luma(images).expand_as(images), images, _each(saturation)).clamp(0, 1)
    return torch.einsum("bij,bjhw->bihw", _turns(turn), images).clamp(0, 1)


def _turns(angle: Tensor) -> Tensor:
    """Give the linear map of colours that turns the hue of each image, shape (B, 3, 3)."""
    to_yiq = angle.new_tensor(_TO_YIQ)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).reshape(-1, 3, 3)
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq


def _luma(images: Tensor) -> Tensor:
    return torch.einsum("c,bchw->bhw", images.new_tensor(LUMA), images)[:, None]


def _factor(uniform: Tensor, reach: float) -> Tensor:
    """Give a factor between max(0, 1 - reach) and 1 + reach."""
    low = max(0.0, 1 - reach)
    return low + (1 + reach - low) * uniform


def _each(values: Tensor) -> Tensor:
    return values[:, None, None, None]
