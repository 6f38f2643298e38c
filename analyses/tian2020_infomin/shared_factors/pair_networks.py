"""The networks of Tian et al. (2020, What makes for good views, B.4)."""

from collections.abc import Sequence
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional

FILTERS = (8, 16, 32, 64)

WIDTH = FILTERS[-1]
"""Of the convolutional network's output, and of the LSTM's."""

CHANNELS_A_GROUP = 8
"""Of the group norms."""

Norm = Literal["group", "batch"]


class PooledConvNet(nn.Module):
    """Four 3x3 convolutions of 8, 16, 32 and 64 filters, and the average over what is left of the image.

    Each is followed by a norm and ReLU.

    Parameters
    ----------
    strides
        Of the four convolutions; the paper names none.
    norm
        The paper names none. ``group``: of 8 channels a group, so that an image's output depends on no other
        image of the batch. ``batch``: learns sooner where most of an image is no use to the loss.
    """

    def __init__(self, strides: Sequence[int] = (2, 2, 2, 2), norm: Norm = "group") -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for narrow, wide, stride in zip((3, *FILTERS[:-1]), FILTERS, strides, strict=True):
            layers += [
                nn.Conv2d(narrow, wide, 3, stride=stride, padding=1, bias=False),
                nn.GroupNorm(wide // CHANNELS_A_GROUP, wide) if norm == "group" else nn.BatchNorm2d(wide),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to (B, 64)."""
        features: Tensor = self.layers(images)
        return features.mean(dim=(2, 3))


class ImageEmbedding(nn.Module):
    """The convolutional network and a linear head: what the loss compares.

    Parameters
    ----------
    network
        Its output is what tasks are read off.
    width
        Of the head's output.
    """

    def __init__(self, network: PooledConvNet, width: int) -> None:
        super().__init__()
        self.network, self.head = network, nn.Linear(WIDTH, width)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, 3, H, W) to unit rows (B, width)."""
        return functional.normalize(self.head(self.network(images)), dim=1)


class ClipEmbedding(nn.Module):
    """The convolutional network on each frame, an LSTM of one layer over them, and a linear head.

    Parameters
    ----------
    network
        That of the images as well, as B.4 puts the LSTM on top of it.
    width
        Of the head's output.
    """

    def __init__(self, network: PooledConvNet, width: int) -> None:
        super().__init__()
        self.network = network
        self.lstm, self.head = nn.LSTM(WIDTH, WIDTH, batch_first=True), nn.Linear(WIDTH, width)

    def forward(self, clips: Tensor) -> Tensor:
        """Map (B, T, 3, H, W) to unit rows (B, width)."""
        frames = self.network(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])
        _, (state, _) = self.lstm(frames)
        return functional.normalize(self.head(state[-1]), dim=1)
