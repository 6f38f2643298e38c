"""What stands between an encoder and its loss."""

import torch
from torch import Tensor, nn


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
