"""One encoder a view, side by side: each draws its own view of an item, and their rows are joined."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mitools.backends.precision import computing_in_float32
from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.inputs.preprocess import IMAGENET_MEAN, IMAGENET_STD
from mitools.encoders.inputs.view_inputs import frames_as_channels, normalised_view
from mitools.views.base import View, is_rgb, modality_of, view_key
from mitools.views.registry import make_view

DESCRIPTION = "views.json"
"""Of which views the weights beside it are the encoders of."""


class ViewEncoder(nn.Module):
    """The encoder of one view, with the view in front of it.

    Where something in a view of RGB is random (an augmentation, the place of a patch), the encoder reads the
    whole image as it is; any other random number is 0.5.

    Parameters
    ----------
    view
        What the network was trained on.
    architecture
        The network by name, as recipes have it; of an opened one its
        :attr:`~mitools.encoders.architectures.build.Architecture.identity`.
    channels
        Of the network's input.
    network
        Maps (B, channels, h, w) to (B, d).
    """

    mean: Tensor
    std: Tensor

    def __init__(self, view: View, architecture: str, channels: int, network: nn.Module) -> None:
        super().__init__()
        self.view = view
        self.architecture = architecture
        self.channels = channels
        self.network = network
        for name, values in (("mean", IMAGENET_MEAN), ("std", IMAGENET_STD)):
            self.register_buffer(name, torch.tensor(values).reshape(3, 1, 1), persistent=False)

    @property
    def modality(self) -> str:
        """What of an item is read."""
        return modality_of(self.view)

    @property
    def identity(self) -> str:
        """All that its rows depend on beside weights and input, as one line."""
        return f"{view_key(self.view)} {self.architecture} of {self.channels} channels"

    def forward(self, items: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Map items to rows (B, d).

        Parameters
        ----------
        items
            Images, shape (B, 3, H, W), in [0, 1]; or what the items have by modality, images as uint8.
        """
        if not isinstance(items, Tensor):
            items = items[self.modality]
            items = items.float() / 255 if self.modality == "image" else items
        with computing_in_float32(items.device):
            view = normalised_view(self.view, self._drawn(items), self.mean, self.std)
        rows: Tensor = self.network(frames_as_channels(view))
        return rows

    def _drawn(self, items: Tensor) -> Tensor:
        if self.view.draws and is_rgb(self.view) and self.modality == "image":
            return items
        return self.view(items, torch.full((len(items), self.view.draws), 0.5, device=items.device))


class ViewEncoders(nn.Module):
    """Encoders of several views side by side, whose rows are concatenated.

    Parameters
    ----------
    encoders
        One a view.
    """

    def __init__(self, encoders: Sequence[ViewEncoder]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)

    @property
    def parts(self) -> list[ViewEncoder]:
        """The encoders, one a view."""
        return [part for part in self.encoders if isinstance(part, ViewEncoder)]

    @property
    def modalities(self) -> tuple[str, ...]:
        """What of an item is read."""
        return tuple(dict.fromkeys(part.modality for part in self.parts))

    @property
    def identity(self) -> str:
        """All that its rows depend on beside weights and input."""
        return digest_text("views", *(part.identity for part in self.parts))

    def description(self) -> list[dict[str, Any]]:
        """Say of which views and networks it is made, as JSON values; see :func:`view_encoders`."""
        return [
            {"view": part.view.name, "encoder": part.architecture, "channels": part.channels}
            for part in self.parts
        ]

    def of(self, names: Sequence[str]) -> "ViewEncoders":
        """Take the encoders of some views, in the order named: by their names, or by their places from 0.

        Raises
        ------
        InputError
            When there is no such view; those that there are are named.
        """
        known = [part.view.name for part in self.parts]
        found = []
        for name in names:
            if name not in known and not (name.isascii() and name.isdigit() and int(name) < len(known)):
                raise InputError(f"there is no encoder of a view {name!r}; views: {', '.join(known)}")
            found.append(self.parts[known.index(name) if name in known else int(name)])
        return ViewEncoders(found)

    def forward(self, items: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Map items to rows (B, d), the views' one after the other; see :meth:`ViewEncoder.forward`."""
        return torch.cat([part(items) for part in self.parts], dim=1)


def view_encoders(description: Sequence[Mapping[str, Any]]) -> ViewEncoders:
    """Build the untrained encoders of a description; a view of the user's own runs its code.

    Raises
    ------
    InputError
        When a view or a network of it cannot be made.
    """
    parts = []
    for one in description:
        architecture = build_architecture(one["encoder"], channels=one["channels"])
        view = make_view(one["view"])
        parts.append(ViewEncoder(view, architecture.identity, one["channels"], architecture.module))
    return ViewEncoders(parts)
