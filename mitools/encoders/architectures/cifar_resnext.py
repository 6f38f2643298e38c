"""ResNeXts for CIFAR, after Xie et al., Aggregated Residual Transformations (2017), section 5.3."""

from torch import Tensor, nn
from torch.nn.functional import relu

WIDEN = 4
"""Channels of a stage for each of its base channels (the paper's bottleneck expansion)."""


class ResNeXtBlock(nn.Module):
    """1x1, grouped 3x3 and 1x1 convolutions around a shortcut.

    Parameters
    ----------
    inputs, inner, outputs
        Channels outside, of the grouped convolution, and of the result; where the outer ones differ the
        shortcut is a 1x1 convolution with a norm.
    groups
        The cardinality.
    stride
        Of the grouped convolution.
    """

    def __init__(self, inputs: int, inner: int, outputs: int, groups: int, stride: int) -> None:
        super().__init__()
        self.reduce = nn.Conv2d(inputs, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.grouped = nn.Conv2d(inner, inner, 3, stride=stride, padding=1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.expand = nn.Conv2d(inner, outputs, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outputs)
        self.shortcut = (
            nn.Identity()
            if inputs == outputs
            else nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        inner = relu(self.bn2(self.grouped(relu(self.bn1(self.reduce(x))))))
        return relu(self.bn3(self.expand(inner)) + self.shortcut(x))


class CifarResNeXt(nn.Module):
    """Three stages of bottlenecks at full, half and quarter resolution; pooled features.

    ``CifarResNeXt(29, 8, 64)`` is Xie et al.'s ResNeXt-29, 8x64d. ResNeXt32-16x4d (Cui et al. 2022, A.2) is
    five blocks a stage, half as wide, and counted as 6 n + 2 layers.

    Parameters
    ----------
    blocks
        A stage.
    groups, base
        The cardinality, and the channels of a group in a stage of base width.
    stem
        Channels before the first stage, whose base width is 64; the three stages have 1, 2 and 4 times
        ``4 * stem`` channels.
    channels
        Of an image.
    """

    def __init__(self, blocks: int, groups: int, base: int, stem: int = 64, channels: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, stem, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(stem)
        stages: list[nn.Module] = []
        inputs = stem
        for number in range(3):
            wide = stem << number
            inner, outputs = groups * (base * wide // 64), WIDEN * wide
            for block in range(blocks):
                stride = 2 if number > 0 and block == 0 else 1
                stages.append(ResNeXtBlock(inputs, inner, outputs, groups, stride))
                inputs = outputs
        self.stages = nn.Sequential(*stages)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, channels, H, W) to their globally pooled features (B, 16 * stem)."""
        return self.stages(relu(self.bn1(self.conv1(images)))).mean(dim=(2, 3))
