"""The convolutional encoders of Contrastive Multiview Coding (Tian et al. 2020), one for each view."""

from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn


class Convolution(NamedTuple):
    """One row of the paper's tables: channels, kernel, stride, padding; then kernel and stride of a pool."""

    channels: int
    kernel: int
    stride: int
    padding: int
    pool: tuple[int, int] | None = None


class Layout(NamedTuple):
    """A table of the paper.

    Attributes
    ----------
    side
        Height and width of its input.
    convolutions
        conv1 to conv5.
    hidden
        Widths of the fully connected layers behind them, without the last: that is the head's.
    """

    side: int
    convolutions: tuple[Convolution, ...]
    hidden: tuple[int, ...]


POOL = (3, 2)

STL10 = Layout(
    64,
    (
        Convolution(48, 3, 1, 1, POOL),
        Convolution(96, 3, 1, 1, POOL),
        Convolution(192, 3, 1, 1),
        Convolution(192, 3, 1, 1),
        Convolution(96, 3, 1, 1, POOL),
    ),
    (2048, 2048),
)
"""Table 10: half of the AlexNet for STL-10; its last layer has 64 outputs."""

IMAGENET = Layout(
    224,
    (
        Convolution(48, 11, 4, 2, POOL),
        Convolution(128, 5, 1, 2, POOL),
        Convolution(192, 3, 1, 1),
        Convolution(192, 3, 1, 1),
        Convolution(128, 3, 1, 1, POOL),
    ),
    (2048, 2048),
)
"""Table 11: half of AlexNet for ImageNet; its last layer has 128 outputs."""

NYU = Layout(
    128,
    (
        Convolution(64, 8, 2, 3, (2, 2)),
        Convolution(128, 4, 2, 1),
        Convolution(256, 4, 2, 1),
        Convolution(256, 3, 1, 1),
        Convolution(512, 4, 2, 1),
    ),
    (512,),
)
"""Table 12: the five convolutions for NYU Depth-V2; its last layer has 256 outputs."""

CAFFENET = Layout(
    224,
    (
        Convolution(96, 11, 4, 2, POOL),
        Convolution(256, 5, 1, 2, POOL),
        Convolution(384, 3, 1, 1),
        Convolution(384, 3, 1, 1),
        Convolution(256, 3, 1, 1, POOL),
    ),
    (4096,),
)
"""CaffeNet up to fc6, which is what is contrasted of clips (Appendix E.3): with batch norms in place of local
response normalisation, and without its groups and dropout."""


class ViewConvNet(nn.Module):
    """Five convolutions and fully connected layers, each with a batch norm and ReLU.

    The table's last layer is left out: it is what the contrast reads, and so the head
    (``head: linear`` of the method ``cmc``). Modules are named as in the paper's code, so that its weights
    fit: ``conv_block_1`` to ``conv_block_5``, ``fc6``, ``fc7``.

    Parameters
    ----------
    layout
        One of the paper's tables.
    channels
        Of an image: 1 for L, 2 for ab.
    """

    def __init__(self, layout: Layout, channels: int = 3) -> None:
        super().__init__()
        self.side = layout.side
        inputs, side = channels, layout.side
        for number, row in enumerate(layout.convolutions, start=1):
            block = [
                nn.Conv2d(inputs, row.channels, row.kernel, row.stride, row.padding, bias=False),
                nn.BatchNorm2d(row.channels),
                nn.ReLU(inplace=True),
            ]
            side = (side + 2 * row.padding - row.kernel) // row.stride + 1
            if row.pool is not None:
                block.append(nn.MaxPool2d(*row.pool))
                side = (side - row.pool[0]) // row.pool[1] + 1
            self.add_module(f"conv_block_{number}", nn.Sequential(*block))
            inputs = row.channels
        widths = (inputs * side * side, *layout.hidden)
        for number, (narrow, wide) in enumerate(pairwise(widths), start=6):
            connected = (nn.Linear(narrow, wide), nn.BatchNorm1d(wide), nn.ReLU(inplace=True))
            self.add_module(f"fc{number}", nn.Sequential(*connected))

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, channels, side, side) to (B, width).

        Raises
        ------
        ValueError
            When the images have another size.
        """
        if images.shape[-2:] != (self.side, self.side):
            raise ValueError(f"it reads images of {self.side}x{self.side}; take image_size: {self.side}")
        for name, block in self.named_children():
            images = block(images.flatten(1) if name == "fc6" else images)
        return images
