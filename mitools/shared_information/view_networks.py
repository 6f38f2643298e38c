"""Small networks that read views: what they embed of a view, and what they make of its label."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

POOLED = 4
"""Rows and columns that are left of a view, so that where things are is kept."""

HIDDEN = 256
"""Width of the hidden layer of both outputs."""


class ViewNetwork(nn.Module):
    """A small convolutional network on one view, with two outputs.

    Parameters
    ----------
    channels
        Of the view; the frames of a clip and the crops of a puzzle lie side by side as channels.
    classes
        How many labels there are.
    width, embedding
        Channels of the first layer, and dimensions of the embedding.
    """

    def __init__(self, channels: int, classes: int, width: int, embedding: int) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width]
        layers: list[nn.Module] = []
        # Three convolutions that halve the image: their cost is what measuring views costs.
        for narrow, wide in pairwise(widths):
            layers += [
                nn.Conv2d(narrow, wide, 3, stride=2, padding=1, bias=False),
                nn.GroupNorm(8, wide),
                nn.ReLU(inplace=True),
            ]
        features = 4 * width * POOLED**2
        self.trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(POOLED), nn.Flatten())
        self.embed = nn.Sequential(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, embedding))
        self.label = nn.Sequential(nn.Linear(features, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, classes))

    def forward(self, view: Tensor) -> tuple[Tensor, Tensor]:
        """Map a view (B, c, h, w) to an embedding of length 1, (B, embedding), and to logits (B, classes)."""
        features = self.trunk(view)
        return functional.normalize(self.embed(features), dim=1), self.label(features)


class ViewNetworks(nn.Module):
    """One network for every view; two are compared by the cosine over a temperature that is learnt.

    Parameters
    ----------
    channels
        Of each view, one or two.
    classes, width, embedding
        As :class:`ViewNetwork` takes them.
    """

    def __init__(self, channels: list[int], classes: int, width: int, embedding: int) -> None:
        super().__init__()
        self.of_view = nn.ModuleList(ViewNetwork(c, classes, width, embedding) for c in channels)
        self.log_scale = nn.Parameter(torch.tensor(10.0).log())

    def forward(self, views: list[Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Map every view to embeddings whose inner products are scores, and to logits."""
        root = (self.log_scale / 2).exp()
        found = [network(view) for network, view in zip(self.of_view, views, strict=True)]
        return [root * embedded for embedded, _ in found], [logits for _, logits in found]
