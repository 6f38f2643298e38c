"""The CIFAR ResNets of He et al., Deep Residual Learning for Image Recognition (2016), section 4.2."""

from torch import Tensor, nn
from torch.nn.functional import pad, relu

CIFAR_RESNET_DEPTHS = (8, 20, 32, 44, 56, 110)


class BasicBlock(nn.Module):
    """Two 3x3 convolutions around a parameter-free shortcut (the paper's option A).

    Parameters
    ----------
    inputs, outputs
        Channels; where they differ the shortcut is padded with zero channels on both sides.
    stride
        Of the first convolution; the shortcut takes every `stride`-th pixel.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.stride = stride
        self.padding = (outputs - inputs) // 2

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        residual = self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.padding, self.padding))
        return relu(residual + x)


class CifarResNet(nn.Module):
    """Three stages of 16, 32 and 64 channels at full, half and quarter resolution; pooled features.

    Parameters
    ----------
    depth
        ``6 n + 2`` for n blocks a stage: 20, 32, 44, 56 or 110 in the paper, 8 where time is short.
    channels
        Of an image.

    Raises
    ------
    ValueError
        When the depth is not of that form.
    """

    def __init__(self, depth: int, channels: int = 3) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 2, 6)
        if blocks < 1 or rest:
            raise ValueError(f"a CIFAR ResNet has 6 n + 2 layers, not {depth}")
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = _stage(blocks, 16, 16, stride=1)
        self.layer2 = _stage(blocks, 16, 32, stride=2)
        self.layer3 = _stage(blocks, 32, 64, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, channels, H, W) to their globally pooled features (B, 64)."""
        x = relu(self.bn1(self.conv1(images)))
        return self.layer3(self.layer2(self.layer1(x))).mean(dim=(2, 3))


def _stage(blocks: int, inputs: int, outputs: int, stride: int) -> nn.Sequential:
    first = BasicBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(BasicBlock(outputs, outputs, 1) for _ in range(blocks - 1)))
