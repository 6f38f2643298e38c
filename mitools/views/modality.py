"""What data have beside the image, as views: depth, surface normals, segmentation, partner images."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.specs import MOST_DIGITS
from mitools.views.specs import ViewSpec, option_text

FAR = 10.0
"""Depth in metres that becomes 1 where none is given: as far as the depth cameras of indoor data see."""

NEAREST, FARTHEST = 1e-3, 1e5
"""Of the depth that becomes 1, in metres: single precision computes in between."""

UNKNOWN = 255
"""The number that a pixel without a class has in :class:`mitools.datasets.base.MultimodalData`."""


@dataclass(frozen=True)
class DepthView:
    """The depth of an item: 0 at the camera, 1 from `far` on.

    Parameters
    ----------
    far
        In metres.
    """

    far: float = FAR
    channels = 1
    draws = 0
    modality = "depth"

    @property
    def name(self) -> str:
        """``depth``, with ``?far=`` where it is not 10."""
        return "depth" if self.far == FAR else f"depth?far={option_text(self.far)}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Scale depths (B, 1, H, W) in metres; gives the same shape."""
        return (items / self.far).clamp(0, 1)


@dataclass(frozen=True)
class NormalsView:
    """The surface normals of an item: each coordinate from [-1, 1] to [0, 1]."""

    name = "normals"
    channels = 3
    draws = 0
    modality = "normals"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Scale unit vectors (B, 3, H, W); gives the same shape."""
        return (items + 1) / 2


@dataclass(frozen=True)
class SegmentationView:
    """The segmentation of an item: the number of each pixel's class, or one channel a class.

    Parameters
    ----------
    classes
        How many channels of zeros and ones, class k in channel k; a pixel without a class, or with one beyond
        them, is 0 in all. None for one channel of class numbers over 255, which is 1 where there is no class.
    """

    classes: int | None = None
    draws = 0
    modality = "segmentation"

    @property
    def name(self) -> str:
        """``segmentation``, with ``?classes=`` where they are channels."""
        return "segmentation" if self.classes is None else f"segmentation?classes={self.classes}"

    @property
    def channels(self) -> int:
        """One, or one a class."""
        return self.classes or 1

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Make floats of class numbers (B, 1, H, W), uint8; gives (B, channels, H, W)."""
        if self.classes is None:
            return items.float() / UNKNOWN
        numbers = torch.arange(self.classes, device=items.device)[:, None, None]
        return (items == numbers).float()


@dataclass(frozen=True)
class PartnerView:
    """Another image of the item, as ``cdp?partners=color+digit,color`` makes them: RGB.

    Parameters
    ----------
    number
        Which of them, from 1.
    """

    number: int = 1
    channels = 3
    draws = 0
    rgb = True

    @property
    def name(self) -> str:
        """``partner:1``."""
        return f"partner:{self.number}"

    @property
    def modality(self) -> str:
        """The same."""
        return self.name

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Scale pixels (B, 3, H, W), uint8, to [0, 1]; gives the same shape."""
        return items.float() / 255


def depth_view(spec: ViewSpec) -> DepthView:
    """Make the view ``depth?far=10``.

    Raises
    ------
    InputError
        When `far` is no number from 0.001 to 100,000, or another option is given.
    """
    spec.without_parts()
    spec.only("far")
    return DepthView(spec.between("far", FAR, NEAREST, FARTHEST))


def normals_view(spec: ViewSpec) -> NormalsView:
    """Make the view ``normals``, which takes no options."""
    spec.without_parts()
    spec.only()
    return NormalsView()


def segmentation_view(spec: ViewSpec) -> SegmentationView:
    """Make the view ``segmentation`` or ``segmentation?classes=N``.

    Raises
    ------
    InputError
        When N is no whole number from 1 to 255, or another option is given.
    """
    spec.without_parts()
    spec.only("classes")
    return SegmentationView(spec.integer("classes", 0, at_least=1, at_most=UNKNOWN) or None)


def partner_view(spec: ViewSpec) -> PartnerView:
    """Make the view ``partner:1``, ``partner:2``, ...; ``partner`` is the first.

    Raises
    ------
    InputError
        When the number is no whole number of at least 1, or an option is given.
    """
    spec.without_number()
    spec.only()
    number = spec.name or "1"
    if not re.fullmatch(rf"[1-9][0-9]{{,{MOST_DIGITS - 1}}}", number):
        raise InputError(
            f"view {spec.text!r:.100}: {number!r:.40} is no number of a partner; write partner:1"
        )
    return PartnerView(int(number))
