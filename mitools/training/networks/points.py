"""An encoder whose inner feature map is read beside its output: what sub-patch contrast compares."""

import torch
from torch import Tensor, nn

from mitools.core.errors import InputError
from mitools.core.names import nearest
from mitools.training.networks.heads import EncoderWithHead


class EncoderWithPoints(EncoderWithHead):
    """An encoder with its head, and a linear layer at every place of one of its feature maps.

    Parameters
    ----------
    network
        Encoder and head.
    layer
        The module of the encoder whose output (B, c, h, w) is the map, by name.
    shape
        Of an image, (c, h, w).
    output
        Width of each point, as wide as the head's output.

    Raises
    ------
    InputError
        When the encoder has no such module, or it gives no map.
    """

    def __init__(self, network: EncoderWithHead, layer: str, shape: tuple[int, ...], output: int) -> None:
        super().__init__(network.encoder, network.head, network.width)
        self.layer = layer
        names = [name for name, _ in network.encoder.named_modules() if name]
        if layer not in names:
            raise InputError(f"the encoder has no layer {layer!r}; nearest: {nearest(layer, names)}")
        with torch.no_grad():
            _, found = self._encoded(torch.zeros(1, *shape))
        if found.ndim != 4:
            raise InputError(f"layer {layer!r} gives no map of points but {tuple(found.shape[1:])} an image")
        self.count = found.shape[2] * found.shape[3]
        self.project = nn.Conv2d(found.shape[1], output, 1)

    def forward(self, images: Tensor) -> Tensor:
        """Map (B, c, h, w) to (B, d + P d): the head's rows, then the P points one after the other."""
        rows, found = self._encoded(images)
        points = self.project(found).flatten(2).transpose(1, 2)
        return torch.cat([self.head(rows), points.flatten(1)], dim=1)

    def _encoded(self, images: Tensor) -> tuple[Tensor, Tensor]:
        found: list[Tensor] = []
        module = self.encoder.get_submodule(self.layer)
        handle = module.register_forward_hook(lambda _, inputs, output: found.append(output))
        try:
            rows = self.encoder(images)
        finally:
            handle.remove()
        return rows, found[-1]
