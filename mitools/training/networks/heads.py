"""What stands between an encoder and its loss."""

from collections.abc import Callable
from functools import partial
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

HeadKind = Literal["mlp", "linear"]


class ProjectionHead(nn.Sequential):
    """Two linear layers with ReLU between them (SimCLR's non-linear head).

    Parameters
    ----------
    width
        Of the encoder's output, and of the hidden layer.
    output
        Of the head's output.
    """

    def __init__(self, width: int, output: int) -> None:
        super().__init__(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, output))


def head_of(kind: HeadKind, output: int) -> Callable[[int], nn.Module]:
    """Give what makes a head from the width of the encoder's output: SimCLR's, or one linear layer."""
    return (
        partial(nn.Linear, out_features=output)
        if kind == "linear"
        else partial(ProjectionHead, output=output)
    )


class JigsawHead(nn.Module):
    """One row of the nine crops of an image (Misra and van der Maaten 2020, PIRL).

    Each crop is projected alike; their projections, side by side in the order of the crops, pass through a
    linear layer.

    Parameters
    ----------
    width
        Of the encoder's output.
    output
        Of a crop's projection, and of the head's output.
    kind
        Of the projection.
    """

    CROPS: ClassVar[int] = 9

    def __init__(self, width: int, output: int, kind: HeadKind) -> None:
        super().__init__()
        self.of_crop = head_of(kind, output)(width)
        self.joined = nn.Linear(self.CROPS * output, output)

    def forward(self, crops: Tensor) -> Tensor:
        """Map the encoder's rows of all crops, (B * 9, width), those of an image in a row, to (B, output)."""
        rows: Tensor = self.joined(self.of_crop(crops).unflatten(0, (-1, self.CROPS)).flatten(1))
        return rows

    def of_crops(self, encoder: nn.Module, crops: Tensor) -> Tensor:
        """Encode nine crops that lie side by side in the channels, (B, 9 c, h, w), to (B, output)."""
        rows: Tensor = self(encoder(crops.unflatten(1, (self.CROPS, -1)).flatten(0, 1)))
        return rows


class RepresentationAndClassifier(nn.Linear):
    """A classifier that hands on what it reads, for losses of both.

    Parameters
    ----------
    in_features
        Width of the encoder's output.
    out_features
        Classes.
    """

    def forward(self, representations: Tensor) -> Tensor:
        """Map (B, width) to (B, classes + width): logits, then the representations themselves."""
        return torch.cat([super().forward(representations), representations], dim=1)


class EncoderWithHead(nn.Module):
    """An encoder with its head.

    Parameters
    ----------
    encoder
        Maps (B, 3, H, W) to (B, width).
    head
        Maps (B, width) to what the loss reads.
    width
        Of the encoder's output.
    """

    def __init__(self, encoder: nn.Module, head: nn.Module, width: int) -> None:
        super().__init__()
        self.encoder = encoder
        self.head = head
        self.width = width

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to what the loss reads, (B, d)."""
        embedded: Tensor = self.head(self.encoder(images))
        return embedded
