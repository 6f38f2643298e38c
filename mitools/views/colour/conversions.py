"""From RGB to other colour spaces: pure functions of a batch, in each space's natural units.

Every function takes sRGB images in [0, 1], float, of shape (B, 3, H, W), gives a tensor of the same shape,
type and device, and agrees with the function of the same name in ``skimage.color`` (illuminant D65, observer
of 2 degrees).
"""

import functools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

_XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
_WHITE = (0.95047, 1.0, 1.08883)
_XYZ_OVER_WHITE = [[value / white for value in row] for row, white in zip(_XYZ, _WHITE, strict=True)]
_LUMA = (0.299, 0.587, 0.114)
_YUV = (
    _LUMA,
    (-0.14714119, -0.28886916, 0.43601035),
    (0.61497538, -0.51496512, -0.10001026),
)
_YIQ = (
    _LUMA,
    (0.59590059, -0.27455667, -0.32134392),
    (0.21153661, -0.52273617, 0.31119955),
)
_YPBPR = (_LUMA, (-0.168736, -0.331264, 0.5), (0.5, -0.418688, -0.081312))
_YCBCR = ((65.481, 128.553, 24.966), (-37.797, -74.203, 112.0), (112.0, -93.786, -18.214))
_YDBDR = (_LUMA, (-0.45, -0.883, 1.333), (-1.333, 1.116, 0.217))

_LEAST_LIGHT = 1e-6
"""What black counts as before the logarithm of HED is taken."""

_RGB_OF_STAINS = ((0.65, 0.70, 0.29), (0.07, 0.99, 0.11), (0.27, 0.57, 0.78))
"""Optical density of haematoxylin, eosin and DAB in red, green and blue (Ruifrok and Johnston 2001)."""

_STAINS = (torch.tensor(_RGB_OF_STAINS, dtype=torch.float64).inverse().T / math.log2(_LEAST_LIGHT)).tolist()
"""From the logarithm of light, over that of black, to stains."""

_BLOCK = 2**17
"""Values that a CPU converts at a time: what is computed on the way stays in its cache."""


def _in_blocks(convert: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Convert a few images at a time on a CPU, where many small steps over a whole batch wait for memory."""

    @functools.wraps(convert)
    def converted(images: Tensor) -> Tensor:
        count = max(1, _BLOCK // max(1, math.prod(images.shape[1:])))
        if images.device.type != "cpu" or len(images) <= count:
            return convert(images)
        return torch.cat([convert(part) for part in images.split(count)])

    return converted


@_in_blocks
def rgb_to_xyz(images: Tensor) -> Tensor:
    """CIE XYZ; white is (0.950, 1, 1.089)."""
    return _mapped(_linear_light(images), _XYZ)


@_in_blocks
def rgb_to_lab(images: Tensor) -> Tensor:
    """CIE L*a*b*; L from 0 to 100.

    Examples
    --------
    >>> white, red = torch.ones(3), torch.tensor([1.0, 0.0, 0.0])
    >>> lab = rgb_to_lab(torch.stack([white, red])[:, :, None, None])[:, :, 0, 0]
    >>> lab[:, 0].round().tolist(), lab[1, 1:].round().tolist()
    ([100.0, 53.0], [80.0, 67.0])
    """
    xyz = _mapped(_linear_light(images), _XYZ_OVER_WHITE)
    curve, line = _power(xyz.clamp(min=0.008856), 1 / 3), (7.787 * xyz).add_(16 / 116)
    roots = torch.lerp(line, curve, _above(xyz, 0.008856))
    lab = _mapped(roots, ((0, 116, 0), (500, -500, 0), (0, 200, -200)))
    lab[:, 0] -= 16
    return lab


def rgb_to_yuv(images: Tensor) -> Tensor:
    """YUV of PAL: luma from 0 to 1."""
    return _mapped(images, _YUV)


def rgb_to_yiq(images: Tensor) -> Tensor:
    """YIQ of NTSC: luma from 0 to 1."""
    return _mapped(images, _YIQ)


def rgb_to_ypbpr(images: Tensor) -> Tensor:
    """YPbPr: luma from 0 to 1, Pb and Pr from -0.5 to 0.5."""
    return _mapped(images, _YPBPR)


def rgb_to_ycbcr(images: Tensor) -> Tensor:
    """YCbCr of 8 bits: luma from 16 to 235, Cb and Cr from 16 to 240."""
    return _mapped(images, _YCBCR).add_(images.new_tensor((16.0, 128.0, 128.0))[:, None, None])


def rgb_to_ydbdr(images: Tensor) -> Tensor:
    """YDbDr of SECAM: luma from 0 to 1, Db and Dr from -1.333 to 1.333."""
    return _mapped(images, _YDBDR)


def rgb_to_hsv(images: Tensor) -> Tensor:
    """Hue (0 and 1 are both red), saturation and value, each from 0 to 1."""
    red, green, blue = images.unbind(dim=1)
    value = torch.maximum(torch.maximum(red, green), blue)
    span = value - torch.minimum(torch.minimum(red, green), blue)
    # What is 0 everywhere, in grey the differences and in black all, is divided by 1.
    coloured, lit = _above(span, 0), _above(value, 0)
    divisor = span + (1 - coloured)
    hue = torch.lerp((green - blue) / divisor, (blue - red) / divisor + 2, _equal(green, value))
    hue = torch.lerp(hue, (red - green) / divisor + 4, _equal(blue, value))
    hue = (hue / 6).add_(_above(-hue, 0)) * coloured
    saturation = span / (value + (1 - lit))
    return torch.stack([hue, saturation, value], dim=1)


def hsv_to_rgb(images: Tensor) -> Tensor:
    """Turn hue, saturation and value back into red, green and blue; a hue is taken modulo 1."""
    hue, saturation, value = images[:, :1], images[:, 1:2], images[:, 2:]
    # Of each channel, how far it lies below the value: a trapezoid of the hue.
    place = (images.new_tensor((5.0, 3.0, 1.0))[:, None, None] + 6 * hue).remainder(6)
    return value - value * saturation * torch.minimum(place, 4 - place).clamp(0, 1)


def rgb_to_hed(images: Tensor) -> Tensor:
    """Haematoxylin, eosin and DAB, as stains on glass would absorb; never below 0."""
    light = images.clamp(min=_LEAST_LIGHT).log2_()
    return _mapped(light, _STAINS).clamp_(min=0)


def _linear_light(images: Tensor) -> Tensor:
    """Undo the gamma of sRGB."""
    curve, line = _power((images + 0.055).mul_(1 / 1.055), 2.4), images * (1 / 12.92)
    return torch.lerp(line, curve, _above(images, 0.04045))


def _above(values: Tensor, threshold: float) -> Tensor:
    """Give 1 where a value is above the threshold and 0 elsewhere: a choice between two tensors as a weight.

    On a CPU ``torch.where`` on a comparison takes ten times as long as the arithmetic that it chooses from.
    """
    return (values.detach() - threshold).mul_(1e30).clamp_(0, 1)


def _equal(values: Tensor, greatest: Tensor) -> Tensor:
    """Give 1 where a value is the greatest of its pixel and 0 where it is less, as a weight like `_above`."""
    return (values.detach() - greatest.detach()).mul_(1e30).add_(1).clamp_(0, 1)


def _power(values: Tensor, exponent: float) -> Tensor:
    """Raise positive values, which are used up, to a power in half the time that ``pow`` takes on a CPU."""
    return values.log2_().mul_(exponent).exp2_()


def _mapped(images: Tensor, matrix: Sequence[Sequence[float]]) -> Tensor:
    """Apply a linear map (3, 3) to the channels."""
    return (images.new_tensor(matrix) @ images.flatten(2)).reshape(images.shape)
