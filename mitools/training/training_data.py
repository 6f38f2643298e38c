"""What a method knows of the data that it is trained on, and how views of them are drawn."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor

from mitools.backends.precision import computing_in_float32
from mitools.core.errors import InputError
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.encoders.inputs.view_inputs import frames_as_channels, normalised_view
from mitools.views.base import View, modality_of

PREPROCESS = Preprocess()
"""How pixels are normalised in training; a run as an encoder does the same."""


class Modality(NamedTuple):
    """What the items have beside their images, such as depth.

    Attributes
    ----------
    values
        Shape (n, ...), as :class:`mitools.datasets.base.MultimodalData` describes it; zeros where an item
        lacks it.
    present
        Shape (n,), bool, on the CPU: which items have it.
    """

    values: Tensor
    present: Tensor


def _nothing_else(spec: str) -> Tensor:
    raise InputError(f"no other data are at hand to load {spec!r} from")


def _no_other_labels(spec: str) -> "TrainingData":
    raise InputError(f"no other data are at hand to load {spec!r} from")


def _images_alone(name: str) -> Modality:
    raise InputError(f"the data have no {name}; their items are images alone")


@dataclass(frozen=True)
class TrainingData:
    """Images with their labels, on the device of the run.

    Attributes
    ----------
    pixels
        Shape (n, 3, height, width), uint8.
    labels
        Shape (n,), int64.
    n_classes
        How many classes the data have.
    load_other
        Loads the pixels of another data spec, of the same size and on the same device; ``noise`` for
        independent uniform pixels.
    load_labelled
        Loads other labelled data by their spec, of the same size and on the same device.
    load_modality
        Loads what the items have beside their images, by its name, on the same device.
    """

    pixels: Tensor
    labels: Tensor
    n_classes: int
    load_other: Callable[[str], Tensor] = _nothing_else
    load_labelled: "Callable[[str], TrainingData]" = _no_other_labels
    load_modality: Callable[[str], Modality] = _images_alone
    _modalities: dict[str, Modality] = field(default_factory=dict, init=False, repr=False)

    def __len__(self) -> int:
        """Count the images."""
        return len(self.pixels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image: (3, height, width)."""
        return tuple(self.pixels.shape[1:])

    @cached_property
    def label_entropy_nats(self) -> float:
        """H(Y) of the labels."""
        counts = torch.bincount(self.labels).double()
        return float(torch.special.entr(counts / counts.sum()).sum())

    def modality(self, name: str) -> Modality:
        """Give what the items have beside their images; it is loaded when it is asked for first.

        Raises
        ------
        InputError
            When the data have no such modality, or it would not fit in memory.
        """
        if name not in self._modalities:
            self._modalities[name] = self.load_modality(name)
        return self._modalities[name]

    def present(self, view: View, rows: Tensor) -> Tensor | None:
        """Tell which items a view can be drawn of, shape (K,), bool, on the CPU; None where all have it."""
        name = modality_of(view)
        if name == "image" or bool((found := self.modality(name).present).all()):
            return None
        return found[rows.cpu()]

    def view_shape(self, view: View) -> tuple[int, ...]:
        """Give the shape of a view of one item, (c, h, w)."""
        return tuple(self.draw(view, torch.zeros(1, dtype=torch.int64), seed=0).shape[1:])

    def augmented(self, augmentation: View, rows: Tensor, seed: int, share: slice = slice(None)) -> Tensor:
        """Augment images before views of them are drawn, shape (k, 3, height, width), in [0, 1]."""
        return self._drawn(augmentation, self._images(rows[share]), len(rows), seed, share)

    def draw(
        self,
        view: View,
        rows: Tensor,
        seed: int,
        share: slice = slice(None),
        pixels: Tensor | None = None,
        images: Tensor | None = None,
    ) -> Tensor:
        """Draw one view of items, normalised.

        RGB is normalised as :data:`PREPROCESS` has it, every other view v as ``(v - 0.5) / 0.5``.

        Parameters
        ----------
        view
            As what they are drawn.
        rows
            Shape (K,), int64: which items.
        seed
            Of the random numbers, which are drawn for all rows: a process's share changes no one's view.
        share
            Of the rows: those that are wanted.
        pixels
            Shape (m, 3, height, width), uint8: other images than the data's own.
        images
            Shape (k, 3, height, width), in [0, 1]: the share's images where they are augmented already.

        Returns
        -------
        Tensor
            Shape (k, c, h, w), float32; the frames of a clip are side by side in its channels.

        Raises
        ------
        InputError
            When the view is of a modality that the data lack.
        """
        name = modality_of(view)
        if name != "image":
            found = self.modality(name).values
            items = found[rows[share].to(found.device)]
        else:
            items = self._images(rows[share], pixels) if images is None else images
        drawn = self._drawn(view, items, len(rows), seed, share)
        return frames_as_channels(normalised_view(view, drawn, *self._normalisation))

    @cached_property
    def _normalisation(self) -> tuple[Tensor, Tensor]:
        mean, std = (
            torch.tensor(values, device=self.pixels.device).reshape(3, 1, 1)
            for values in (PREPROCESS.mean, PREPROCESS.std)
        )
        return mean, std

    def _images(self, rows: Tensor, pixels: Tensor | None = None) -> Tensor:
        pixels = self.pixels if pixels is None else pixels
        return pixels[rows.to(pixels.device)].float().div_(255)

    def _drawn(self, view: View, items: Tensor, count: int, seed: int, share: slice) -> Tensor:
        """Draw a view of the share's items; the random numbers are those of all `count` items."""
        if view.draws:
            draws = torch.rand((count, view.draws), generator=torch.Generator().manual_seed(seed))
            draws = draws[share].to(items.device)
        else:
            draws = torch.empty(len(items), 0, device=items.device)
        with computing_in_float32(items.device):
            return view(items, draws)
