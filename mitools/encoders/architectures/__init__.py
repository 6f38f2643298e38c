"""Networks that checkpoints are loaded into."""

from mitools.encoders.architectures.build import Architecture, build_architecture
from mitools.encoders.architectures.cifar_resnet import CifarResNet

__all__ = ["Architecture", "CifarResNet", "build_architecture"]
