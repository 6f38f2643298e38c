"""From a picture to what a network reads."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.specs import Spec
from mitools.encoders.spec_options import one_of

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
PREPROCESS_OPTIONS = ("image_size", "resize", "crop", "interpolation", "mean", "std")

RESIZES = ("shorter_side", "squash")
ASSUMED = "assumed: ImageNet's mean and std"

_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "nearest": Image.Resampling.NEAREST,
}


@dataclass(frozen=True)
class Preprocess:
    """How images become a batch: resize, crop, normalise.

    Work is shared between two steps so that the batch travels as bytes: :meth:`evaluate` makes uint8 pixels
    of one image, :meth:`finish` normalises a whole batch. Views are drawn between the two: of images that
    have the network's size already, and are not normalised yet.

    Attributes
    ----------
    size
        Height and width of the input in pixels, or None for the images' own size.
    crop_fraction
        The part of the resized image that the centre crop keeps along each side, in (0, 1].
    resize
        ``shorter_side`` keeps the aspect ratio and crops the overhang, ``squash`` distorts.
    interpolation
        ``bilinear``, ``bicubic``, ``lanczos`` or ``nearest``.
    mean, std
        One number a channel, for pixels in [0, 1].
    sides
        Height and width of an input that is no square, to which images are squashed; `size` is then None.
    """

    size: int | None = None
    crop_fraction: float = 1.0
    resize: Literal["shorter_side", "squash"] = "shorter_side"
    interpolation: str = "bilinear"
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD
    sides: tuple[int, int] | None = None

    @property
    def key(self) -> str:
        """Everything above as one line; equal lines mean equal pixels."""
        shape = (
            "native size"
            if self.size is None
            else f"{self.resize} {self._scale(self.size)} {self.interpolation}, centre crop {self.size}"
        )
        if self.sides is not None:
            shape = f"squash {self.sides[0]}x{self.sides[1]} {self.interpolation}"
        mean, std = (",".join(str(float(value)) for value in values) for values in (self.mean, self.std))
        return f"{shape}, mean {mean}, std {std}"

    def evaluate(self, image: Image.Image) -> Tensor:
        """Resize and crop one RGB image; returns uint8 of shape (3, height, width)."""
        if self.sides is not None:
            image = image.resize(self.sides[::-1], _RESAMPLING[self.interpolation])
        elif self.size is not None:
            image = self._crop(self._resized(image, self.size), self.size)
        return torch.from_numpy(np.array(image)).permute(2, 0, 1)

    def finish(self, pixels: Tensor) -> Tensor:
        """Normalise uint8 pixels of shape (..., 3, height, width) to float32 ``(x / 255 - mean) / std``."""
        return self.normalise(pixels / 255)

    def normalise(self, images: Tensor) -> Tensor:
        """Normalise images in [0, 1], of shape (..., 3, height, width), to ``(x - mean) / std``."""
        mean, std = (
            torch.tensor(values, device=images.device).reshape(3, 1, 1) for values in (self.mean, self.std)
        )
        return (images - mean) / std

    def overridden(self, spec: Spec) -> "Preprocess":
        """Apply those of :data:`PREPROCESS_OPTIONS` that a spec has.

        A size given by hand is the size after resizing: nothing beyond the overhang is cropped, unless
        ``crop=`` says so.

        Raises
        ------
        InputError
            When an option is not of its form.
        """
        changes: dict[str, Any] = {}
        if "image_size" in spec.options:
            size = spec.integer("image_size", 0, at_least=1)
            changes = {"size": size, "crop_fraction": 1.0, "resize": "shorter_side"}
        if "crop" in spec.options:
            changes["crop_fraction"] = _fraction(spec, "crop")
        for key, accepted in (("resize", RESIZES), ("interpolation", tuple(_RESAMPLING))):
            if key in spec.options:
                changes[key] = one_of(spec, key, accepted, accepted[0])
        changes |= {key: _three_numbers(spec, key) for key in ("mean", "std") if key in spec.options}
        return replace(self, **changes)

    def _scale(self, size: int) -> int:
        return math.floor(size / self.crop_fraction)

    def _resized(self, image: Image.Image, size: int) -> Image.Image:
        scale = self._scale(size)
        width, height = image.size
        if self.resize == "squash":
            target = (scale, scale)
        else:  # torchvision's and timm's rounding
            shorter = min(width, height)
            target = (int(scale * width / shorter), int(scale * height / shorter))
        return image if target == image.size else image.resize(target, _RESAMPLING[self.interpolation])

    @staticmethod
    def _crop(image: Image.Image, size: int) -> Image.Image:
        left, top = (round((side - size) / 2) for side in image.size)
        return image if image.size == (size, size) else image.crop((left, top, left + size, top + size))


def timm_preprocess(config: Mapping[str, Any], name: str) -> Preprocess:
    """Read timm's data config (``timm.data.resolve_model_data_config``).

    Raises
    ------
    InputError
        When the model wants something else than RGB squares, or padding.
    """
    channels, height, width = config["input_size"]
    resizes: dict[str, Literal["shorter_side", "squash"]] = {"center": "shorter_side", "squash": "squash"}
    if (
        channels != 3
        or height != width
        or config["crop_mode"] not in resizes
        or config["interpolation"] not in _RESAMPLING
    ):
        raise InputError(
            f"timm model {name!r} reads {channels}x{height}x{width} images by {config['crop_mode']} crop, "
            f"{config['interpolation']}; only RGB squares by center or squash are supported"
        )
    return Preprocess(
        size=height,
        crop_fraction=config["crop_pct"],
        resize=resizes[config["crop_mode"]],
        interpolation=config["interpolation"],
        mean=tuple(config["mean"]),
        std=tuple(config["std"]),
    )


def crop_fraction(crop: int, resized: int) -> float:
    """Give the fraction by which a centre crop of `crop` pixels belongs to sides of exactly `resized`."""
    # A hair below the quotient, so that rounding never takes a pixel from crop / fraction.
    return 1.0 if crop == resized else math.nextafter(crop / resized, 0.0)


def preprocess_origin(source: str, spec: Spec) -> str:
    """Say where a preprocessing comes from: its source, and what the spec changed of it."""
    changed = [key for key in PREPROCESS_OPTIONS if key in spec.options]
    return f"{source}; {', '.join(changed)} as the spec says" if changed else source


def _fraction(spec: Spec, key: str) -> float:
    try:
        value = float(spec.options[key])
    except ValueError:
        value = math.nan
    if not 0 < value <= 1:
        raise InputError(f"spec {spec.text!r}: {key}={spec.options[key]} must be a number in (0, 1]")
    return value


def _three_numbers(spec: Spec, key: str) -> tuple[float, float, float]:
    text = spec.options[key]
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        first = second = third = math.nan
    values = (first, second, third)
    if not all(map(math.isfinite, values)) or (key == "std" and min(values) <= 0):
        kind = "positive numbers" if key == "std" else "numbers"
        raise InputError(f"spec {spec.text!r}: {key}={text} must be three {kind}, as {key}=0.5,0.5,0.5")
    return values
