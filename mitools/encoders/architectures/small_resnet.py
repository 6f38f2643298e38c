"""ResNets with a stem for small images, as contrastive learning on CIFAR uses them."""

from typing import Any

from torch import nn


def small_resnet(name: str, channels: int = 3) -> nn.Module:
    """Build one of timm's ResNets with a 3x3 stem of stride 1 and no pooling (Chen et al. 2020, B.9).

    Parameters
    ----------
    name
        As timm names it, such as ``resnet18``.
    channels
        Of an image.
    """
    import timm

    network: Any = timm.create_model(name, num_classes=0)
    network.conv1 = nn.Conv2d(channels, network.conv1.out_channels, 3, stride=1, padding=1, bias=False)
    nn.init.kaiming_normal_(network.conv1.weight, mode="fan_out", nonlinearity="relu")
    network.maxpool = nn.Identity()
    return network
