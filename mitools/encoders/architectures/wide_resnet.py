"""The wide residual networks of Zagoruyko & Komodakis, Wide Residual Networks (2016)."""

from torch import Tensor, nn
from torch.nn.functional import relu


class WideBlock(nn.Module):
    """Norm, ReLU and 3x3 convolution, twice (the paper's B(3,3), pre-activated, without dropout).

    Parameters
    ----------
    inputs, outputs
        Channels; where they differ the shortcut is a 1x1 convolution of the pre-activated input.
    stride
        Of the first convolution, and of that shortcut.
    """

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.shortcut = (
            nn.Conv2d(inputs, outputs, 1, stride=stride, bias=False) if inputs != outputs else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, inputs, H, W) to (B, outputs, H / stride, W / stride)."""
        active = relu(self.bn1(x))
        residual = self.conv2(relu(self.bn2(self.conv1(active))))
        kept: Tensor = x if self.shortcut is None else self.shortcut(active)
        return residual + kept


class WideResNet(nn.Module):
    """WRN-depth-width: stages of 16, 32 and 64 times `width` channels; pooled features.

    Parameters
    ----------
    depth
        ``6 n + 4`` for n blocks a stage.
    width
        What the channels of the stages are multiplied by.
    channels
        Of an image.

    Raises
    ------
    ValueError
        When the depth is not of that form.
    """

    def __init__(self, depth: int, width: int, channels: int = 3) -> None:
        super().__init__()
        blocks, rest = divmod(depth - 4, 6)
        if blocks < 1 or rest:
            raise ValueError(f"a wide ResNet has 6 n + 4 layers, not {depth}")
        widths = [16, 16 * width, 32 * width, 64 * width]
        self.conv1 = nn.Conv2d(channels, 16, 3, padding=1, bias=False)
        self.layer1 = _stage(blocks, widths[0], widths[1], stride=1)
        self.layer2 = _stage(blocks, widths[1], widths[2], stride=2)
        self.layer3 = _stage(blocks, widths[2], widths[3], stride=2)
        self.bn = nn.BatchNorm2d(widths[3])
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, images: Tensor) -> Tensor:
        """Map images (B, channels, H, W) to their globally pooled features (B, 64 * width)."""
        x = self.layer3(self.layer2(self.layer1(self.conv1(images))))
        return relu(self.bn(x)).mean(dim=(2, 3))


def _stage(blocks: int, inputs: int, outputs: int, stride: int) -> nn.Sequential:
    first = WideBlock(inputs, outputs, stride)
    return nn.Sequential(first, *(WideBlock(outputs, outputs, 1) for _ in range(blocks - 1)))
