"""ResNet-50 of any width, as Contrastive Multiview Coding has it (Tian et al. 2020, Table 1)."""

from typing import Any

from torch import Tensor, nn

BLOCKS = (3, 4, 6, 3)
"""Of ResNet-50's four stages."""


class WidthResNet(nn.Module):
    """ResNet-50 whose stages are `width` times as wide; the stem keeps its 64 channels.

    At width 1 it is ResNet-50 of He et al. (2016), with stride 2 in the 3x3 convolutions as torchvision has
    it, whose weights it loads.

    Parameters
    ----------
    width
        Times 64, 128, 256 and 512 channels inside the four stages; the output has 2048 times as many numbers.
    channels
        Of an image.
    """

    def __init__(self, width: float = 1.0, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 64, 7, stride=2, padding=3, bias=False)
        self.bn1 = nn.BatchNorm2d(64)
        self.relu = nn.ReLU(inplace=True)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        inputs = 64
        for stage, blocks in enumerate(BLOCKS):
            planes = int(64 * width) << stage
            self.add_module(
                f"layer{stage + 1}", _stage(inputs, planes, blocks, stride=1 if stage == 0 else 2)
            )
            inputs = 4 * planes
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, channels, H, W) to their globally pooled features (B, 2048 * width)."""
        x = images
        for part in self.children():
            x = part(x)
        return x.mean(dim=(2, 3))


def _stage(inputs: int, planes: int, blocks: int, stride: int) -> nn.Sequential:
    from torchvision.models.resnet import Bottleneck

    shortcut = nn.Sequential(
        nn.Conv2d(inputs, 4 * planes, 1, stride=stride, bias=False), nn.BatchNorm2d(4 * planes)
    )
    layers: list[Any] = [Bottleneck(inputs, planes, stride, shortcut)]
    layers += [Bottleneck(4 * planes, planes) for _ in range(blocks - 1)]
    return nn.Sequential(*layers)
