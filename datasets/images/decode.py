"""One image out of the bytes of its file: upright, without transparency, with 8 bits a channel, in RGB."""

import io
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from mitools.core.errors import InputError
from mitools.core.specs import Spec

IMAGE_ENDINGS = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})

_DAMAGE_ERRORS = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)
_BACKGROUNDS = {"white": (255, 255, 255), "black": (0, 0, 0), "grey": (128, 128, 128)}
_ORIENTATION = 274
_MOST_16_BITS = 65535


@dataclass(frozen=True)
class Reading:
    """How image files are turned into RGB.

    Attributes
    ----------
    background
        The colour, 0 to 255, that shows through where an image is transparent.
    upright
        Whether the orientation that a camera states (EXIF) is applied, as viewers do.
    skip
        Whether damaged images are left out of the data; otherwise the first one is an error.
    """

    background: tuple[int, int, int] = (255, 255, 255)
    upright: bool = True
    skip: bool = False

    @property
    def key(self) -> str:
        """What images depend on, as text."""
        return f"background {self.background} upright {self.upright}"


UPRIGHT_ON_WHITE = Reading()


def image_reading(spec: Spec) -> Reading:
    """Read the options of a spec that say how its images are decoded.

    ``background=white|black|grey`` or ``background=R,G,B`` (0 to 255), ``exif=apply|ignore`` and
    ``on_error=stop|skip``.

    Raises
    ------
    InputError
        When an option has another value.
    """
    asked = spec.options.get("background", "white")
    numbers = asked.split(",")
    if asked in _BACKGROUNDS:
        background = _BACKGROUNDS[asked]
    elif len(numbers) == 3 and all(part.isdecimal() and int(part) <= 255 for part in numbers):
        background = (int(numbers[0]), int(numbers[1]), int(numbers[2]))
    else:
        raise InputError(
            f"spec {spec.text!r}: background={asked} is no colour; write {', '.join(_BACKGROUNDS)} or three"
            " numbers from 0 to 255, as 255,255,255"
        )
    for key, accepted in (("exif", ("apply", "ignore")), ("on_error", ("stop", "skip"))):
        if spec.options.get(key, accepted[0]) not in accepted:
            raise InputError(
                f"spec {spec.text!r}: {key}={spec.options[key]} is unknown; accepted: {', '.join(accepted)}"
            )
    return Reading(background, spec.options.get("exif") != "ignore", spec.options.get("on_error") == "skip")


def is_image_name(name: str) -> bool:
    """Whether a file name is that of an image: a known ending, and not hidden (``._x.jpg``)."""
    name = os.path.basename(name)
    return os.path.splitext(name)[1].lower() in IMAGE_ENDINGS and not name.startswith(".")


def decode_image(content: bytes, where: str, reading: Reading = UPRIGHT_ON_WHITE) -> Image.Image:
    """Decode an image file into mode RGB.

    Greys of 16 bits are scaled from 0..65535 to 0..255. CMYK is converted as Pillow does, without a profile.

    Parameters
    ----------
    content
        The bytes of the file.
    where
        What to call the file in an error.
    reading
        What becomes of transparency and of a stated orientation.

    Raises
    ------
    InputError
        When it is damaged or no image, or its channels have more than 16 bits.
    """
    try:
        image: Image.Image = Image.open(io.BytesIO(content))
        image.load()
        if reading.upright and _ORIENTATION in image.getexif():
            image = ImageOps.exif_transpose(image)
    except _DAMAGE_ERRORS as error:
        reason = str(error).partition(" <_io")[0]
        raise InputError(f"{where}: cannot be read as an image ({reason}); fetch it again") from None
    if image.mode == "RGB" and "transparency" not in image.info:
        return image
    if image.mode == "F" or image.mode.startswith("I"):
        image = _eight_bits(image, where)
    if image.has_transparency_data:
        below = Image.new("RGBA", image.size, (*reading.background, 255))
        image = Image.alpha_composite(below, image.convert("RGBA"))
    return image.convert("RGB")


def _eight_bits(image: Image.Image, where: str) -> Image.Image:
    pixels = np.asarray(image)
    if image.mode == "F" or pixels.min() < 0 or pixels.max() > _MOST_16_BITS:
        raise InputError(
            f"{where}: mode {image.mode} holds numbers that are not 0 to 65535; save it with 8 or 16 bits"
        )
    return Image.fromarray(sixteen_to_eight(pixels))


def sixteen_to_eight(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    """Scale whole numbers from 0..65535 to 0..255, rounded."""
    return ((pixels.astype(np.uint32) * 255 + _MOST_16_BITS // 2) // _MOST_16_BITS).astype(np.uint8)


# What a header tells of an image, as bits.
TURNED, TRANSPARENT, DEEP = 1, 2, 4


def header_facts(content: bytes) -> int:
    """Tell from a file's header what reading it would change: a sum of TURNED, TRANSPARENT and DEEP.

    PNG, JPEG and WebP are told by their first bytes; what is none of these, or damaged, is opened.
    """
    if content.startswith(b"\x89PNG"):
        start = content[: content.find(b"IDAT") if len(content) > 64 else None]
        transparent = len(start) > 25 and (start[25] in (4, 6) or b"tRNS" in start)
        deep = len(start) > 24 and start[24] == 16
        turned = b"eXIf" in content and _is_turned(content)
        return TURNED * turned | TRANSPARENT * transparent | DEEP * deep
    if content.startswith(b"\xff\xd8"):
        return TURNED * (content.find(b"Exif\0\0", 0, 1 << 17) >= 0 and _is_turned(content))
    if content.startswith(b"BM"):
        return TRANSPARENT * (content[28:30] == b"\x20\0" and _is_transparent(content))
    return TURNED * _is_turned(content) | TRANSPARENT * _is_transparent(content)


def facts_told(facts: Mapping[int, int], reading: Reading) -> list[str]:
    """Say how many images were changed on reading, one sentence a kind.

    Parameters
    ----------
    facts
        How many images have each sum of facts.
    reading
        How they are read.
    """
    total = sum(facts.values())
    told = []
    sentences = {
        TURNED: (
            "turned as the orientation in their EXIF says",
            "exif=ignore leaves them as they are stored",
        ),
        TRANSPARENT: (
            f"with transparency laid on the colour {','.join(map(str, reading.background))}",
            "background= names another",
        ),
        DEEP: ("of 16 bits scaled to 8", ""),
    }
    for fact, (what, remedy) in sentences.items():
        count = sum(images for one, images in facts.items() if one & fact)
        if count and (fact != TURNED or reading.upright):
            told.append(f"{count:,} of {total:,} images {what}" + (f"; {remedy}" if remedy else ""))
    return told


def _is_turned(content: bytes) -> bool:
    try:
        return Image.open(io.BytesIO(content)).getexif().get(_ORIENTATION, 1) in range(2, 9)
    except _DAMAGE_ERRORS:
        return False


def _is_transparent(content: bytes) -> bool:
    try:
        return bool(Image.open(io.BytesIO(content)).has_transparency_data)
    except _DAMAGE_ERRORS:
        return False
