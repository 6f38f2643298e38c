"""Frames of a clip as views."""

import re
from dataclasses import dataclass

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.core.specs import MOST_DIGITS
from mitools.views.specs import ViewSpec

ANY = "any"
"""What stands in a name for the number of a random frame."""

MARGIN = 5
"""Frames before and behind a random one: its neighbours, and the flow around it, lie inside the clip."""


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
    """One frame of a clip: always the same one, or a random one or its neighbour.

    A random frame lies at least five frames from either end of the clip. It is drawn together with its
    neighbours and the flow around it: ``frame:any``, ``frame:any?shift=2`` and ``optical_flow:any`` are drawn
    around the same frame, as Tian et al. (2020, Contrastive multiview coding, 4.2) contrast them.

    Parameters
    ----------
    number
        From 1; None for a random one.
    shift
        How many frames after the random one.
    """

    number: int | None
    shift: int = 0
    channels = 3
    modality = "clip"
    rgb = True

    @property
    def name(self) -> str:
        """``frame:20``, ``frame:any`` or ``frame:any?shift=2``."""
        which = ANY if self.number is None else self.number
        return f"frame:{which}?shift={self.shift}" if self.shift else f"frame:{which}"

    @property
    def draws(self) -> int:
        """One for a random frame."""
        return int(self.number is None)

    @property
    def draws_together(self) -> str | None:
        """What all views around a random frame have in common."""
        return f"frame:{ANY}" if self.number is None else None

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Take the frame out of clips (B, T, 3, H, W), uint8; gives (B, 3, H, W) in [0, 1].

        Raises
        ------
        InputError
            When the clips are too short.
        """
        if self.number is not None:
            return frames_of(items, self.number, self.number, self.name)[:, 0]
        return random_frames(items, draws, self.shift, self.shift, self.name)[:, 0]


def random_frames(clips: Tensor, draws: Tensor, first: int, last: int, view: str) -> Tensor:
    """Take successive frames out of clips, around a random one.

    Parameters
    ----------
    clips
        Shape (B, T, 3, H, W), uint8.
    draws
        Shape (B, 1), uniform in [0, 1): which frame, of those with five to either side.
    first, last
        Which are taken, counted from the random one, at most five from it.
    view
        Whose frames they are, for the error.

    Returns
    -------
    Tensor
        Shape (B, last - first + 1, 3, H, W), float32 in [0, 1].

    Raises
    ------
    InputError
        When no frame of the clips has five to either side.
    """
    places = clips.shape[1] - 2 * MARGIN
    if places < 1:
        raise InputError(
            f"view {view!r}: the clips have {clips.shape[1]} frames, and a random one with {MARGIN} to either"
            f" side needs {2 * MARGIN + 1}"
        )
    centre = MARGIN + (draws * places).long().clamp(max=places - 1)
    taken = centre + torch.arange(first, last + 1, device=clips.device)
    return clips[torch.arange(len(clips), device=clips.device)[:, None], taken] / 255


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
    found = re.fullmatch(rf"(\d{{1,{MOST_DIGITS}}})-(\d{{1,{MOST_DIGITS}}})", spec.name)
    if not found or not 1 <= int(found[1]) <= int(found[2]):
        raise InputError(
            f"view {spec.text!r}: which frames? write the first and the last, counted from 1, as frames:1-10"
        )
    return FramesView(int(found[1]), int(found[2]))


def frame_view(spec: ViewSpec) -> FrameView:
    """Make the view ``frame:NUMBER``, or ``frame:any?shift=0`` for a random frame or one after it.

    Raises
    ------
    InputError
        When it is no number from 1 on, the shift is beyond 5, or another option is given.
    """
    spec.without_number()
    spec.only(*(["shift"] if spec.name == ANY else []))
    shift = spec.integer("shift", 0)
    if shift > MARGIN:
        raise InputError(f"view {spec.text!r}: shift={shift} must be at most {MARGIN}")
    return FrameView(frame_number(spec, "frame:20"), shift)


def frame_number(spec: ViewSpec, example: str) -> int | None:
    """Read the number of a frame behind the colon; None for ``any``.

    Raises
    ------
    InputError
        When it is neither.
    """
    if spec.name == ANY:
        return None
    if not re.fullmatch(rf"(?=.*[1-9])\d{{1,{MOST_DIGITS}}}", spec.name):
        raise InputError(
            f"view {spec.text!r}: which frame? write its number, counted from 1, or any for a random one, as"
            f" {example}"
        )
    return int(spec.name)
