"""What a method knows of the data that it is trained on, and how views of them are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from mitools.backends.precision import computing_in_float32
from mitools.core.errors import InputError
from mitools.encoders.inputs.preprocess import Preprocess
from mitools.views.base import View

PREPROCESS = Preprocess()
"""How pixels are normalised in training; a run as an encoder does the same."""


def _nothing_else(spec: str) -> Tensor:
    raise InputError(f"no other data are at hand to load {spec!r} from")


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
    """

    pixels: Tensor
    labels: Tensor
    n_classes: int
    load_other: Callable[[str], Tensor] = _nothing_else

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

    @cached_property
    def _normalisation(self) -> tuple[Tensor, Tensor]:
        mean, std = (
            torch.tensor(values, device=self.pixels.device).reshape(3, 1, 1)
            for values in (PREPROCESS.mean, PREPROCESS.std)
        )
        return mean, std

    def draw(
        self,
        view: View,
        rows: Tensor,
        seed: int,
        share: slice = slice(None),
        pixels: Tensor | None = None,
    ) -> Tensor:
        """Draw one view of images, normalised.

        Parameters
        ----------
        view
            As what they are drawn.
        rows
            Shape (K,), int64: which images.
        seed
            Of the random numbers, which are drawn for all rows: a process's share changes no one's view.
        share
            Of the rows: those that are wanted.
        pixels
            Shape (m, 3, height, width), uint8: other images than the data's own.

        Returns
        -------
        Tensor
            Shape (k, 3, height, width), float32.
        """
        pixels = self.pixels if pixels is None else pixels
        images = pixels[rows[share].to(pixels.device)].float() / 255
        if view.draws:
            draws = torch.rand((len(rows), view.draws), generator=torch.Generator().manual_seed(seed))
            draws = draws[share].to(images.device)
        else:
            draws = images.new_empty(len(images), 0)
        mean, std = self._normalisation
        with computing_in_float32(images.device):
            images = view(images, draws)
        return (images - mean) / std
