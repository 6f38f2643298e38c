"""InfoMin's augmentation: views that share little beyond what the task needs."""

from dataclasses import dataclass
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from mitools.core.recipes import Recipe
from mitools.views.augmentation.rand_augment import LEVELS, STEP_DRAWS, rand_augmented
from mitools.views.augmentation.resized_crop import CROP_DRAWS, drawn_boxes, resized
from mitools.views.augmentation.steps import blurred_at_random, each, factor, greyed, hue_turned, toned
from mitools.views.recipes import Share
from mitools.views.specs import ViewSpec, recipe_of_options, spec_text

FURTHER_DRAWS = 9
"""Random numbers an image beside those of crop and RandAugment: flip, jitter or not, brightness, contrast,
saturation, hue, blur or not, its width, grey or not."""


class InfoMinRecipe(Recipe):
    """How strong each step of InfoMin's augmentation is; the defaults are the paper's for ImageNet.

    Attributes
    ----------
    crop_area
        The least share of the image's area that a random crop keeps (c in Fig. 13).
    flip
        Probability of a horizontal flip.
    strength
        Of brightness, contrast and saturation (0.8 times this) and hue (0.2 times this); x in Fig. 14.
    jitter
        Probability of the colour jitter.
    blur
        Probability of a Gaussian blur.
    steps
        Of RandAugment; 0 leaves it out.
    magnitude
        Of RandAugment's steps, from 0 to 30. The paper's own code takes the strongest of another table.
    grey
        Probability of grey.
    """

    crop_area: Annotated[float, Field(gt=0, le=1)] = 0.2
    flip: Share = 0.5
    strength: Annotated[float, Field(ge=0, le=2.5)] = 1.0
    jitter: Share = 0.8
    blur: Share = 0.5
    steps: Annotated[int, Field(ge=0, le=8)] = 2
    magnitude: Annotated[int, Field(ge=0, lt=LEVELS)] = 10
    grey: Share = 0.2


PAPER = InfoMinRecipe()
"""What ``infomin`` means without options."""


@dataclass(frozen=True)
class InfoMinView:
    """One random augmentation of an image (Tian et al. 2020, What makes for good views, Appendix C.1).

    In this order: random resized crop, flip, colour jitter, Gaussian blur, RandAugment, grey. The jitter's
    four parts come in one fixed order: brightness, contrast, saturation, hue.

    Parameters
    ----------
    recipe
        How strong each step is.

    Examples
    --------
    >>> import torch
    >>> view = InfoMinView(InfoMinRecipe(strength=0.5))
    >>> view.name
    'infomin?strength=0.5'
    >>> view(torch.rand(4, 3, 32, 32), torch.rand(4, view.draws)).shape
    torch.Size([4, 3, 32, 32])
    """

    recipe: InfoMinRecipe = PAPER
    channels = 3

    @property
    def name(self) -> str:
        """``infomin`` with the options that differ from the paper's."""
        return spec_text("infomin", self.recipe, PAPER)

    @property
    def draws(self) -> int:
        """Random numbers an image."""
        return CROP_DRAWS + FURTHER_DRAWS + STEP_DRAWS * self.recipe.steps

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Augment images once.

        Parameters
        ----------
        items
            Shape (B, 3, H, W), in [0, 1].
        draws
            Shape (B, self.draws), uniform in [0, 1).

        Returns
        -------
        Tensor
            Shape (B, 3, H, W), in [0, 1].
        """
        recipe, (height, width) = self.recipe, items.shape[-2:]
        crop, further, steps = draws.tensor_split([CROP_DRAWS, CROP_DRAWS + FURTHER_DRAWS], dim=1)
        flip, jitter, brightness, contrast, saturation, hue, blur, blur_width, grey = further.T
        boxes = drawn_boxes(crop, height, width, recipe.crop_area)
        images = resized(items, boxes, flip < recipe.flip, (height, width))
        tones = (factor(uniform, 0.8 * recipe.strength) for uniform in (brightness, contrast, saturation))
        jittered = hue_turned(toned(images, *tones), 0.2 * recipe.strength * (2 * hue - 1))
        images = torch.where(each(jitter < recipe.jitter), jittered, images)
        images = blurred_at_random(images, recipe.blur, blur, blur_width)
        if recipe.steps:
            images = rand_augmented(images, steps, recipe.magnitude)
        return greyed(images, grey < recipe.grey)


def infomin_view(spec: ViewSpec) -> InfoMinView:
    """Make the view ``infomin?crop_area=0.2&strength=1``; its options are the keys of :class:`InfoMinRecipe`.

    Raises
    ------
    InputError
        When an option is unknown or out of its range.
    """
    return InfoMinView(recipe_of_options(spec, InfoMinRecipe))
