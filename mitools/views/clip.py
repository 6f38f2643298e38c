"""Frames of a clip as views."""

import re
from dataclasses import dataclass

from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.specs import ViewSpec


@dataclass(frozen=True)
class FramesView:
    """Some successive frames of a clip.

    Parameters
    ----------
    first, last
        Both are in it; the first frame of a clip is number 1.
    """

    first: int
    last: int
    channels = 3
    draws = 0
    modality = "clip"
    rgb = True

    @property
    def name(self) -> str:
        """``frames:1-10``."""
        return f"frames:{self.first}-{self.last}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Take the frames out of clips.

        Parameters
        ----------
        items
            Shape (B, T, 3, H, W), uint8.
        draws
            Shape (B, 0).

        Returns
        -------
        Tensor
            Shape (B, last - first + 1, 3, H, W), in [0, 1].

        Raises
        ------
        InputError
            When the clips are shorter.
        """
        return frames_of(items, self.first, self.last, self.name)


@dataclass(frozen=True)
class FrameView:
    """One frame of a clip.

    Parameters
    ----------
    number
        From 1.
    """

    number: int
    channels = 3
    draws = 0
    modality = "clip"
    rgb = True

    @property
    def name(self) -> str:
        """``frame:20``."""
        return f"frame:{self.number}"

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Take the frame out of clips (B, T, 3, H, W), uint8; gives (B, 3, H, W) in [0, 1]."""
        return frames_of(items, self.number, self.number, self.name)[:, 0]


def frames_of(clips: Tensor, first: int, last: int, view: str) -> Tensor:
    """Take successive frames out of clips.

    Parameters
    ----------
    clips
        Shape (B, T, 3, H, W), uint8.
    first, last
        Both are taken, counted from 1.
    view
        Whose frames they are, for the error.

    Returns
    -------
    Tensor
        Shape (B, last - first + 1, 3, H, W), float32 in [0, 1].

    Raises
    ------
    InputError
        When the clips have no such frames.
    """
    length = clips.shape[1]
    if first < 1 or last > length:
        needed = f"frame {first} is" if first == last else f"frames {first} to {last} are"
        raise InputError(f"view {view!r}: the clips have frames 1 to {length}, and {needed} needed")
    return clips[:, first - 1 : last] / 255


def frames_view(spec: ViewSpec) -> FramesView:
    """Make the view ``frames:FIRST-LAST``.

    Raises
    ------
    InputError
        When they are no two numbers in order, from 1 on, or an option is given.
    """
    spec.without_number()
    spec.only()
    found = re.fullmatch(r"(\d+)-(\d+)", spec.name)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"view {spec.text!r}: which frames? write the first and the last, counted from 1, as frames:1-10"
        )
    return FramesView(int(found[1]), int(found[2]))


def frame_view(spec: ViewSpec) -> FrameView:
    """Make the view ``frame:NUMBER``.

    Raises
    ------
    InputError
        When it is no number from 1 on, or an option is given.
    """
    spec.without_number()
    spec.only()
    if not re.fullmatch(r"0*[1-9]\d*", spec.name):
        raise InputError(f"view {spec.text!r}: which frame? write its number, counted from 1, as frame:20")
    return FrameView(int(spec.name))
