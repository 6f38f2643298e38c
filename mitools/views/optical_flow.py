"""Optical flow around a frame of a clip, as a view: slow, and computed on the CPU."""

import threading
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from mitools.core.optional_packages import need
from mitools.views.clip import ANY, frame_number, frames_of, random_frames
from mitools.views.specs import ViewSpec

FLOWS = 10
"""Fields of flow in a view, as Tian et al. (2020, Contrastive multiview coding, 4.2) take."""

FASTEST = 20.0
"""Pixels a frame that become 0 and 1; what moves faster counts as this fast, as in two-stream networks."""

LUMA = (0.299, 0.587, 0.114)

KEPT_BYTES = 256 << 20
"""How much memory a process keeps fields of flow in: 8,000 of 64 x 64 pixels."""


@dataclass(frozen=True)
class OpticalFlowView:
    """TV-L1 optical flow (Zach et al. 2007) between successive frames around one frame, by scikit-image.

    There are ten fields of flow, from frame t - 5 to frame t + 5; each has two channels, the motion to the
    right and the motion down, 0.5 for none. The computation takes tens of milliseconds a field of 64 x 64
    pixels, on the CPU wherever the clips lie. Two frames that come again, as in the next epoch, are not
    computed again: a process keeps the latest fields, 256 MiB of them.

    Parameters
    ----------
    frame
        t, counted from 1; None for the middle of the clip.
    at_random
        Whether t is a random frame, the same as that of ``frame:any``.

    Raises
    ------
    InputError
        When scikit-image is not installed.
    """

    frame: int | None = None
    at_random: bool = False
    channels = 2 * FLOWS
    modality = "clip"

    def __post_init__(self) -> None:
        need("skimage", "flow", f"view {self.name!r}")

    @property
    def name(self) -> str:
        """``optical_flow``, ``optical_flow:T`` around frame T, or ``optical_flow:any``."""
        if self.at_random:
            return f"optical_flow:{ANY}"
        return "optical_flow" if self.frame is None else f"optical_flow:{self.frame}"

    @property
    def draws(self) -> int:
        """One around a random frame."""
        return int(self.at_random)

    @property
    def draws_together(self) -> str | None:
        """What all views around a random frame have in common."""
        return f"frame:{ANY}" if self.at_random else None

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Compute the flows of clips.

        Parameters
        ----------
        items
            Shape (B, T, 3, H, W), uint8.
        draws
            Shape (B, self.draws), uniform in [0, 1).

        Returns
        -------
        Tensor
            Shape (B, 20, H, W), float32 in [0, 1], on the device of the clips.

        Raises
        ------
        InputError
            When the clips do not reach five frames to either side of the frame.
        """
        if self.at_random:
            frames = random_frames(items, draws, -FLOWS // 2, FLOWS // 2, self.name)
        else:
            centre = (items.shape[1] + 1) // 2 if self.frame is None else self.frame
            frames = frames_of(items, centre - FLOWS // 2, centre + FLOWS // 2, self.name)
        grey = torch.einsum("c,btchw->bthw", frames.new_tensor(LUMA), frames).cpu().numpy()
        flows = np.stack([[_KEPT.between(*pair) for pair in pairwise(clip)] for clip in grey])
        scaled = 0.5 + torch.from_numpy(flows).flatten(1, 2) / (2 * FASTEST)
        return scaled.clamp(0, 1).to(items.device)


class _KeptFields:
    """The latest fields of flow, by what both frames show."""

    def __init__(self) -> None:
        self._fields: OrderedDict[bytes, np.ndarray] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def between(self, before: np.ndarray, after: np.ndarray) -> np.ndarray:
        """Give the motion to the right and down from one frame to the next, shape (2, H, W)."""
        digest = blake2b(repr(before.shape).encode(), digest_size=16)
        digest.update(before.tobytes())
        digest.update(after.tobytes())
        key = digest.digest()
        with self._lock:
            if key in self._fields:
                self._fields.move_to_end(key)
                return self._fields[key]
        field = _flow(before, after)
        with self._lock:
            if key not in self._fields:
                self._fields[key] = field
                self._bytes += field.nbytes
            while self._bytes > KEPT_BYTES:
                _, oldest = self._fields.popitem(last=False)
                self._bytes -= oldest.nbytes
        return field


_KEPT = _KeptFields()


def _flow(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Compute the motion to the right and down, shape (2, H, W)."""
    from skimage.registration import optical_flow_tvl1

    down, right = optical_flow_tvl1(before, after)
    return np.stack([right, down])


def optical_flow_view(spec: ViewSpec) -> OpticalFlowView:
    """Make the view ``optical_flow``, ``optical_flow:T`` around frame T, or ``optical_flow:any``.

    Raises
    ------
    InputError
        When T is no number from 1 on, an option is given, or scikit-image is not installed.
    """
    spec.without_number()
    spec.only()
    if not spec.name:
        return OpticalFlowView()
    frame = frame_number(spec, "optical_flow:6")
    return OpticalFlowView(frame, at_random=frame is None)
