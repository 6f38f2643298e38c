"""How views are drawn: the keys under ``augmentation`` in a recipe."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from mitools.core.recipes import Recipe

Share = Annotated[float, Field(ge=0, le=1)]


def _share_or_large(value: Any) -> Any:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not (value == "large" or (number and 0 <= value <= 1)):
        raise ValueError(f"must be between 0 and 1, or large, not {value!r:.60}")
    return value


ShareOrLarge = Annotated[float | Literal["large"], BeforeValidator(_share_or_large)]


class AugmentationRecipe(Recipe):
    """How a view is drawn from an image: SimCLR's steps in this order, then solarising and AutoAugment.

    The defaults are those for small images, as training takes them. A recipe may name a view instead
    (:data:`Augmentation`): ``simclr?strength=0.5``, whose defaults are the paper's for ImageNet.

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
    blur
        Probability of a Gaussian blur; ``large`` for 0.5 where an image is larger than 32 pixels and none
        where it is not, as Chen et al. have it (Appendices A and B.9).
    solarise
        Probability that values of 128 and above (of 255) are inverted, as in Barlow Twins and VICReg.
    auto
        AutoAugment's policy (Cubuk et al. 2019), learnt on the data set named; None leaves it out.
    """

    crop_area: Annotated[float, Field(gt=0, le=1)] = 0.08
    flip: Share = 0.5
    jitter_strength: Annotated[float, Field(ge=0, le=1.25)] = 0.5
    jitter: Share = 0.8
    grey: Share = 0.2
    blur: ShareOrLarge = 0.0
    solarise: Share = 0.0
    auto: Literal["cifar10", "imagenet", "svhn"] | None = None


def _read_augmentation(given: Any) -> AugmentationRecipe | str | None:
    """Make what is kept of an augmentation: keys as a recipe, SimCLR's name as its keys, another as it is."""
    if given is None or isinstance(given, AugmentationRecipe):
        return given
    if not isinstance(given, str):
        return AugmentationRecipe.model_validate(given)
    from mitools.views.augmentation.infomin import InfoMinView
    from mitools.views.augmentation.simclr import SimCLRView
    from mitools.views.registry import make_view

    view = make_view(given)
    if isinstance(view, SimCLRView):
        return view.recipe
    if not isinstance(view, InfoMinView):
        raise ValueError(f"{given!r} is no augmentation; write its keys, or simclr?strength=0.5, or infomin")
    return view.name


Augmentation = Annotated[AugmentationRecipe | str | None, BeforeValidator(_read_augmentation)]
"""An augmentation in a recipe: its keys, or the name of a view, ``simclr`` or ``infomin`` with options."""
