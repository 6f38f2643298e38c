"""An image cut into its low and its high frequencies."""

import math
from dataclasses import dataclass

from torch import Tensor

from mitools.views.gaussian_blur import blurred
from mitools.views.specs import ViewSpec, option_text

SIGMA = 0.7
"""In pixels, where none is given: at which Tian et al. (2020, What makes for good views, B.3) find that the
two share most on STL-10."""

NARROWEST, WIDEST = 1e-3, 1e4
"""Of sigma: below, a Gaussian is one pixel, and above wider than images; single precision does both."""

REACH = 4
"""Standard deviations at which the Gaussian is cut off."""


@dataclass(frozen=True)
class BlurView:
    """The low frequencies of an image: blurred by a Gaussian.

    Parameters
    ----------
    sigma
        Standard deviation in pixels, above 0.
    """

    sigma: float = SIGMA
    channels = 3
    draws = 0

    @property
    def name(self) -> str:
        """``blur?sigma=0.7``."""
        return f"blur?sigma={option_text(self.sigma)}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Blur images (B, 3, H, W), mirrored at their borders; gives the same shape."""
        return _low(items, self.sigma)


@dataclass(frozen=True)
class ResidualView:
    """The high frequencies of an image: what a blur takes away, about 0.5.

    Blur and residual add up to the image, 0.5 brighter. The values lie about 0.5, and beyond [0, 1] only at
    sharp edges.

    Parameters
    ----------
    sigma
        Of the blur: standard deviation in pixels, above 0.

    Examples
    --------
    >>> import torch
    >>> images, none = torch.rand(2, 3, 32, 32), torch.empty(2, 0)
    >>> both = BlurView(1.0)(images, none) + ResidualView(1.0)(images, none)
    >>> torch.allclose(both, images + 0.5)
    True
    """

    sigma: float = SIGMA
    channels = 3
    draws = 0
    rgb = False

    @property
    def name(self) -> str:
        """``residual?sigma=0.7``."""
        return f"residual?sigma={option_text(self.sigma)}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Take the blur from images (B, 3, H, W) and add 0.5; gives the same shape."""
        return items - _low(items, self.sigma) + 0.5


def _low(images: Tensor, sigma: float) -> Tensor:
    height, width = (min(math.ceil(REACH * sigma), side - 1) for side in images.shape[-2:])
    return blurred(images, images.new_full((len(images),), sigma), (height, width))


def blur_view(spec: ViewSpec) -> BlurView:
    """Make the view ``blur?sigma=0.7``.

    Raises
    ------
    InputError
        When sigma is no number from 0.001 to 10,000, or another option is given.
    """
    return BlurView(_sigma(spec))


def residual_view(spec: ViewSpec) -> ResidualView:
    """Make the view ``residual?sigma=0.7``; errors are those of :func:`blur_view`."""
    return ResidualView(_sigma(spec))


def _sigma(spec: ViewSpec) -> float:
    spec.without_parts()
    spec.only("sigma")
    return spec.between("sigma", SIGMA, NARROWEST, WIDEST)
