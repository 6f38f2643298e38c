"""The views that a learned generator makes: ``flow:RUN#0`` and ``flow:RUN#1``."""

import copy
import re
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from mitools.core.errors import InputError
from mitools.views.colour.spaces import SPACES
from mitools.views.colour.view import ColourView
from mitools.views.flow.generator import CHANNELS, FlowGenerator
from mitools.views.flow.generator_file import GENERATOR, read_generator
from mitools.views.specs import ViewSpec

PARTS = (slice(0, 1), slice(1, CHANNELS))
"""The channels of view 0 and of view 1: {X1, X2:3}."""

OWN_CHECKPOINT = "."
"""In the name of a run's own views, the folder in which the name is written."""


@dataclass(frozen=True)
class FlowInput(ColourView):
    """A colour space as generators read it: all channels alike from [0, 1] to [-1, 1], RGB too."""

    @property
    def rgb(self) -> bool:
        """Never: it is not normalised as pixels are."""
        return False


@dataclass(frozen=True)
class FlowView:
    """Channels of an image that an invertible generator has transformed.

    Parameters
    ----------
    run
        Folder that the generator lies in, as it was named.
    number
        0 for the first channel, 1 for the second and third, None for all three.
    space
        The colour space that the generator reads.
    generator
        Maps (B, 3, H, W), about [-1, 1], to the same shape.
    digest
        Of the generator's file.
    """

    run: str
    number: int | None
    space: str
    generator: FlowGenerator = field(compare=False, repr=False)
    digest: str = ""
    draws = 0
    rgb = False
    _copies: dict[torch.device, FlowGenerator] = field(
        default_factory=dict, init=False, compare=False, repr=False
    )

    @property
    def name(self) -> str:
        """``flow:runs/views#0``."""
        return f"flow:{self.run}" if self.number is None else f"flow:{self.run}#{self.number}"

    @property
    def channels(self) -> int:
        """1 of view 0, 2 of view 1, 3 of both."""
        return CHANNELS if self.number is None else PARTS[self.number].stop - PARTS[self.number].start

    def __call__(self, items: Tensor, draws: Tensor) -> Tensor:
        """Transform images (B, 3, H, W) in [0, 1]; gives (B, channels, H, W), about [0, 1].

        Raises
        ------
        InputError
            When the images have another number of channels.
        """
        if items.shape[1] != CHANNELS:
            raise InputError(
                f"view {self.name!r}: the generator reads images of 3 channels, not {items.shape[1]}"
            )
        colours = ColourView(self.space)(items, draws)
        values = self._on(items.device)(2 * colours - 1).values
        return (values[:, PARTS[self.number]] if self.number is not None else values).add(1).div(2)

    def _on(self, device: torch.device) -> FlowGenerator:
        if device not in self._copies:
            self._copies[device] = copy.deepcopy(self.generator).to(device)
        return self._copies[device]


def flow_view(spec: ViewSpec) -> FlowView:
    """Make the view ``flow:RUN#0`` or ``#1``, or ``flow:RUN`` of all channels.

    RUN is the folder of a run of the method ``learned_views``, of which the last checkpoint is read, or of
    one of its checkpoints.

    Raises
    ------
    InputError
        When no learned generator lies there, or there is no such view of it.
    """
    spec.only()
    folder = Path(spec.need_name("flow:runs/views#0"))
    if spec.number is not None and spec.number >= len(PARTS):
        raise InputError(
            f"view {spec.text!r}: a generator makes two views, #0 of one channel and #1 of two; there is no"
            f" #{spec.number}"
        )
    found = read_generator(_generator_file(spec.text, folder))
    if found.space not in SPACES:
        raise InputError(f"view {spec.text!r}: {folder} reads an unknown colour space {found.space!r}")
    return FlowView(spec.name, spec.number, found.space, found.generator, found.digest)


def own_view_at(name: str, checkpoint: Path) -> str:
    """Name one of a run's own views by the checkpoint that its generator lies in; other names stay."""
    prefix = f"flow:{OWN_CHECKPOINT}#"
    return f"flow:{checkpoint}#{name.removeprefix(prefix)}" if name.startswith(prefix) else name


def _generator_file(text: str, folder: Path) -> Path:
    if (folder / GENERATOR).is_file():
        return folder / GENERATOR
    checkpoints = (folder / "checkpoints").glob("epoch-*")
    kept = [one for one in checkpoints if re.fullmatch("epoch-[0-9]{4,9}", one.name)]
    found = [one / GENERATOR for one in kept if (one / GENERATOR).is_file()]
    if found:
        return max(found, key=lambda file: int(file.parent.name.removeprefix("epoch-")))
    why = (
        "is no run of learned_views, no generator lies in its checkpoints"
        if kept
        else "holds no checkpoint of a run"
        if folder.is_dir()
        else "is no folder"
    )
    raise InputError(f"view {text!r}: {folder} {why}; name a folder that mitools train learnt views in")
