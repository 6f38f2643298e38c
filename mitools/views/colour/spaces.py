"""The colour spaces by name: their channels, and between what values the channels of sRGB colours lie."""

from collections.abc import Callable
from functools import cached_property
from typing import TypeAlias

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.colour import conversions

Bounds: TypeAlias = tuple[tuple[float, float], ...]


class ColourSpace:
    """A colour space.

    Parameters
    ----------
    channels
        The names of its channels, one or two letters each.
    convert
        Maps sRGB images (B, 3, H, W) in [0, 1] to it.
    bounds
        The least and the greatest value of each channel; where they are not given they are those of the
        eight corners of the RGB cube (black, white, the three primaries and what two of them mix to), between
        which all other colours lie.
    """

    def __init__(
        self,
        channels: tuple[str, str, str],
        convert: Callable[[Tensor], Tensor],
        bounds: Bounds | None = None,
    ) -> None:
        self.channels, self.convert, self._bounds = channels, convert, bounds

    @cached_property
    def bounds(self) -> Bounds:
        """The least and the greatest value of each channel over all sRGB colours."""
        if self._bounds is not None:
            return self._bounds
        ends = torch.tensor([0.0, 1.0], dtype=torch.float64)
        corners = self.convert(torch.cartesian_prod(ends, ends, ends)[:, :, None, None])[:, :, 0, 0]
        return tuple(zip(corners.amin(0).tolist(), corners.amax(0).tolist(), strict=True))

    def scaled(self, images: Tensor) -> Tensor:
        """Convert sRGB images (B, 3, H, W), and bring the bounds of each channel to 0 and 1."""
        low, high = images.new_tensor(self.bounds).T[:, :, None, None]
        return (self.convert(images) - low).div_(high - low)

    def indices(self, letters: str, spec: str) -> tuple[int, ...]:
        """Read the letters of some channels: ``dbdr`` of YDbDr is (1, 2).

        Parameters
        ----------
        letters
            In any order; none stands for all channels.
        spec
            What they were read from, for the error.

        Raises
        ------
        InputError
            When a letter is none of the space's, or a channel is named twice.
        """
        found: list[int] = []
        rest = letters.lower()
        while rest:
            index = next((k for k, name in enumerate(self.channels) if rest.startswith(name)), None)
            if index is None or index in found:
                why = f"{rest!r} begins with no channel" if index is None else "a channel is named twice"
                raise InputError(f"view {spec!r}: {why}; accepted: some of {', '.join(self.channels)}")
            found.append(index)
            rest = rest[len(self.channels[index]) :]
        return tuple(found) or (0, 1, 2)


def _same(images: Tensor) -> Tensor:
    return images


SPACES: dict[str, ColourSpace] = {
    "rgb": ColourSpace(("r", "g", "b"), _same),
    "xyz": ColourSpace(("x", "y", "z"), conversions.rgb_to_xyz),
    "lab": ColourSpace(("l", "a", "b"), conversions.rgb_to_lab),
    "yuv": ColourSpace(("y", "u", "v"), conversions.rgb_to_yuv),
    "yiq": ColourSpace(("y", "i", "q"), conversions.rgb_to_yiq),
    "ycbcr": ColourSpace(("y", "cb", "cr"), conversions.rgb_to_ycbcr),
    "ypbpr": ColourSpace(("y", "pb", "pr"), conversions.rgb_to_ypbpr),
    "ydbdr": ColourSpace(("y", "db", "dr"), conversions.rgb_to_ydbdr),
    # A hue goes round and ends at no corner of the cube.
    "hsv": ColourSpace(("h", "s", "v"), conversions.rgb_to_hsv, ((0.0, 1.0),) * 3),
    "hed": ColourSpace(("h", "e", "d"), conversions.rgb_to_hed),
}
"""The ten spaces of Tian et al. (2020, Contrastive multiview coding, Fig. 5)."""
