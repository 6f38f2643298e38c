"""A small convolutional network, for laptops."""

from torch import Tensor, nn


class ConvNet(nn.Module):
    """Four 3x3 convolutions, each followed by a group norm and ReLU, and a 2x2 average at the end.

    The last three halve the image, so 32x32 pixels end as 4x4; the 2x2 average keeps where things are.
    Group norms make an image's output depend on no other image of the batch, so that training on several
    processes is the same as on one.

    Parameters
    ----------
    width
        Channels of the first layer; the output has 16 times as many numbers.
    channels
        Of an image.
    """

    def __init__(self, width: int = 32, channels: int = 3) -> None:
        super().__init__()
        widths = [channels, width, 2 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for depth, (wide, narrow) in enumerate(zip(widths[1:], widths[:-1], strict=True)):
            layers += [
                nn.Conv2d(narrow, wide, 3, stride=1 if depth == 0 else 2, padding=1, bias=False),
                nn.GroupNorm(8, wide),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(2)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, channels, H, W) to (B, 16 * width)."""
        return self.pool(self.layers(images)).flatten(1)
