"""How views are drawn: the keys under ``augmentation`` in a recipe."""

from typing import Annotated, Literal

from pydantic import Field

from mitools.core.recipes import Recipe

Share = Annotated[float, Field(ge=0, le=1)]


class AugmentationRecipe(Recipe):
    """How a view is drawn from an image: SimCLR's steps in this order, and AutoAugment's after them.

    Attributes
    ----------
    crop_area
        The least share of the image's area that a random crop keeps; 1 leaves cropping out.
    flip
        Probability of a horizontal flip.
    jitter_strength
        Of brightness, contrast and saturation (0.8 times this) and hue (0.2 times this); 0 leaves it out.
    jitter
        Probability of the colour jitter.
    grey
        Probability of grey.
    auto
        AutoAugment's policy (Cubuk et al. 2019), learnt on the data set named; None leaves it out.
    """

    crop_area: Annotated[float, Field(gt=0, le=1)] = 0.08
    flip: Share = 0.5
    jitter_strength: Annotated[float, Field(ge=0, le=1.25)] = 0.5
    jitter: Share = 0.8
    grey: Share = 0.2
    auto: Literal["cifar10", "imagenet", "svhn"] | None = None
