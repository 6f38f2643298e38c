"""ShuffleNetV2 with a stem for small images, as networks for CIFAR have it."""

from torch import nn


def small_shufflenet(channels: int = 3) -> nn.Module:
    """Build torchvision's ShuffleNetV2 of width 1 with a 3x3 stem of stride 1 and no pooling.

    The network itself is that of Ma et al. (2018), table 5; its first stage then sees the whole image, as
    ResNets do that are adapted to CIFAR in this way.

    Parameters
    ----------
    channels
        Of an image.
    """
    from torchvision.models import shufflenet_v2_x1_0

    network = shufflenet_v2_x1_0(weights=None)
    stem = network.conv1[0]
    if channels != stem.in_channels:
        network.conv1[0] = nn.Conv2d(channels, stem.out_channels, 3, padding=1, bias=False)
    network.conv1[0].stride = (1, 1)
    network.maxpool = nn.Identity()
    network.fc = nn.Identity()
    return network
