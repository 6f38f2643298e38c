"""SimCLR's augmentations for a whole batch at once, on the device, as a pure function of random numbers."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.recipes import make_recipe
from mitools.views.augmentation.auto_augment import AUTO_DRAWS, auto_augmented
from mitools.views.augmentation.steps import blurred_at_random, each, factor, greyed, toned
from mitools.views.recipes import AugmentationRecipe
from mitools.views.specs import ViewSpec, option_value, spec_text

DRAWS = 11
"""Random numbers an image: area, aspect, row, column, flip, jitter or not, brightness, contrast, saturation,
hue, grey or not."""

BLUR_DRAWS = 2
"""Random numbers an image where a blur may come: whether, and how wide."""

SOLARISED_FROM = 128 / 255
"""The least value that is inverted (PIL.ImageOps.solarize)."""

PAPER = AugmentationRecipe(jitter_strength=1.0, blur="large")
"""What ``simclr`` means without options: the augmentation of Chen et al. (2020) for ImageNet (Appendix A)."""

ASPECTS = (3 / 4, 4 / 3)

# From red, green, blue to luma and two axes of colour (YIQ), in which a change of hue is a rotation.
_TO_YIQ = ((0.299, 0.587, 0.114), (0.5959, -0.2746, -0.3213), (0.2115, -0.5227, 0.3112))


@dataclass(frozen=True)
class SimCLRView:
    """One random augmentation of an image, as SimCLR is trained on (Chen et al. 2020, Appendix A).

    Parameters
    ----------
    recipe
        How strong each step is. See :func:`augmented` for the steps.

    Examples
    --------
    >>> view = SimCLRView(AugmentationRecipe(auto="cifar10"))
    >>> view.name
    'simclr?strength=0.5&blur=0&auto=cifar10'
    >>> images = torch.rand(4, 3, 32, 32)
    >>> view(images, torch.rand(4, view.draws)).shape
    torch.Size([4, 3, 32, 32])
    """

    recipe: AugmentationRecipe = PAPER
    channels = 3

    @property
    def name(self) -> str:
        """``simclr`` with the options that differ from the paper's."""
        return spec_text("simclr", _named(self.recipe), _named(PAPER))

    @property
    def draws(self) -> int:
        """Random numbers an image."""
        return draw_count(self.recipe)

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Augment each image once, as :func:`augmented` does."""
        return augmented(items, draws, self.recipe)


_OPTIONS = {"jitter_strength": "strength"}
_FIELDS = {option: field for field, option in _OPTIONS.items()}


def _named(recipe: AugmentationRecipe) -> Iterator[tuple[str, float | str | None]]:
    """Give the options with their names in a spec."""
    return ((_OPTIONS.get(field, field), value) for field, value in recipe)


def simclr_view(spec: ViewSpec) -> SimCLRView:
    """Make the view ``simclr?strength=1&crop_area=0.08&flip=0.5&jitter=0.8&grey=0.2&blur=large``.

    The options are the keys of an :class:`~mitools.views.recipes.AugmentationRecipe`, ``strength`` standing
    for ``jitter_strength``; those left out are the paper's for ImageNet.

    Raises
    ------
    InputError
        When an option is unknown or out of its range.
    """
    spec.without_parts()
    spec.only(*(_OPTIONS.get(field, field) for field in AugmentationRecipe.model_fields))
    given = {_FIELDS.get(key, key): option_value(text) for key, text in spec.options.items()}
    return SimCLRView(make_recipe(PAPER.model_dump() | given, AugmentationRecipe, f"view {spec.text!r}"))


def draw_count(recipe: AugmentationRecipe) -> int:
    """Count the random numbers an image needs: DRAWS, and those of a blur, solarising and AutoAugment."""
    blur, auto = BLUR_DRAWS if recipe.blur else 0, AUTO_DRAWS if recipe.auto else 0
    return DRAWS + blur + (1 if recipe.solarise else 0) + auto


def augmented(images: Tensor, draws: Tensor, recipe: AugmentationRecipe) -> Tensor:
    """Draw one view of each image.

    The steps are those of Chen et al. (2020, appendix A): random resized crop, flip, colour jitter, grey,
    and where the recipe has it a blur whose width is uniform between 0.1 and 2 pixels, cut off at a tenth of
    the image. The jitter's four parts come in one fixed order, and hue is turned in YIQ space. Solarising
    (VICReg) and AutoAugment follow where they are asked for.

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
        brightness, contrast, saturation = (factor(u, reach) for u in (brightness, contrast, saturation))
        turn = 2 * math.pi * 0.2 * recipe.jitter_strength * (2 * hue - 1)
        jittered = _hue_turned(toned(images, brightness, contrast, saturation), turn)
        images = torch.where(each(jitter < recipe.jitter), jittered, images)
    if recipe.grey > 0:
        images = greyed(images, grey < recipe.grey)
    further = draws[:, DRAWS:]
    if recipe.blur:
        images = blurred_at_random(images, recipe.blur, *further[:, :BLUR_DRAWS].T)
        further = further[:, BLUR_DRAWS:]
    if recipe.solarise:
        images = torch.where(each(further[:, 0] < recipe.solarise), _solarised(images), images)
        further = further[:, 1:]
    return images if recipe.auto is None else auto_augmented(images, further, recipe.auto)


def _cropped(
    images: Tensor, least: float, area: Tensor, aspect: Tensor, row: Tensor, column: Tensor, flip: Tensor
) -> Tensor:
    """Crop a box of random area and aspect, flip it or not, and bring it to the image's size (bilinear).

    A box that sticks out is cut to the image; torchvision draws another in its place, whose area is smaller
    (0.49 of the image on average, and 0.54 here, for areas from 0.08 on).
    """
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


def _hue_turned(images: Tensor, turn: Tensor) -> Tensor:
    return torch.einsum("bij,bjhw->bihw", _turns(turn), images).clamp(0, 1)


def _solarised(images: Tensor) -> Tensor:
    """Invert what is bright."""
    return torch.where(images >= SOLARISED_FROM, 1 - images, images)


def _turns(angle: Tensor) -> Tensor:
    """Give the linear map of colours that turns the hue of each image, shape (B, 3, 3)."""
    to_yiq = angle.new_tensor(_TO_YIQ)
    cos, sin, zero, one = angle.cos(), angle.sin(), torch.zeros_like(angle), torch.ones_like(angle)
    turn = torch.stack([one, zero, zero, zero, cos, -sin, zero, sin, cos], dim=1).reshape(-1, 3, 3)
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq
