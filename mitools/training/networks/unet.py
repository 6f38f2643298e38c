"""A UNet on the feature maps of an encoder (Ronneberger et al. 2015): a class for every pixel."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from mitools.core.errors import InputError


class UNet(nn.Module):
    """An encoder, and a decoder that reads the last feature map of every size that the encoder makes.

    The decoder begins at the smallest map. At each step up it is brought to the size of the next map, is
    joined with it, and passes a 3x3 convolution, group norm and ReLU. Maps are those of convolutional layers:
    pooled outputs and fully connected layers are left out, as in Tian et al. (2020, Sec. 4.3).

    Parameters
    ----------
    encoder
        Maps items to rows (B, d) by convolutions; what it needs of an item is its own matter.
    example
        Some items, by which its maps are found.
    size
        Height and width of the segmentation.
    classes
        Of a pixel.
    width
        Channels of the decoder's maps, a multiple of 8.
    frozen
        Whether the encoder stays as it is: it computes as in evaluation, and gets no gradient.

    Raises
    ------
    InputError
        When the encoder makes no feature maps.
    """

    def __init__(
        self,
        encoder: nn.Module,
        example: Tensor | Mapping[str, Tensor],
        size: tuple[int, int],
        classes: int,
        width: int = 32,
        frozen: bool = True,
    ) -> None:
        super().__init__()
        self.encoder = encoder.requires_grad_(not frozen)
        self.size = size
        self.frozen = frozen
        with torch.no_grad():
            maps = feature_maps(encoder.eval(), example)
        if not maps:
            raise InputError("the encoder has no convolutions, and a UNet reads their feature maps")
        channels = [found.shape[1] for found in maps]
        joined = [(channels[0], 0), *((width, skip) for skip in channels[1:])]
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(below + skip, width, 3, padding=1, bias=False), nn.GroupNorm(8, width), nn.ReLU()
            )
            for below, skip in joined
        )
        self.last = nn.Conv2d(width, classes, 1)

    def train(self, mode: bool = True) -> "UNet":
        """Put the decoder into training mode, and the encoder where it is not frozen."""
        super().train(mode)
        if self.frozen:
            self.encoder.eval()
        return self

    def forward(self, items: Tensor | Mapping[str, Tensor]) -> Tensor:
        """Map items to logits (B, classes, height, width)."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            deepest, *larger = feature_maps(self.encoder, items)
        x = self.blocks[0](deepest)
        for block, skip in zip(list(self.blocks)[1:], larger, strict=True):
            x = functional.interpolate(x, skip.shape[-2:], mode="bilinear")
            x = block(torch.cat([x, skip], dim=1))
        logits: Tensor = functional.interpolate(self.last(x), self.size, mode="bilinear")
        return logits


def feature_maps(encoder: nn.Module, items: Tensor | Mapping[str, Tensor]) -> list[Tensor]:
    """Run an encoder and give its last feature map of every size, the smallest first.

    Only sizes that a convolution gave are counted: what a pool alone makes of a map is no map of its own.

    Parameters
    ----------
    encoder
        Called with the items.
    items
        One batch.

    Returns
    -------
    list of Tensor
        Shape (B, c, h, w) each.
    """
    last: dict[tuple[int, int], Tensor] = {}
    convolved: set[tuple[int, int]] = set()

    def keep(module: nn.Module, inputs: object, output: object) -> None:
        if isinstance(output, Tensor) and output.ndim == 4:
            height, width = output.shape[-2:]
            last[height, width] = output
            if isinstance(module, nn.Conv2d):
                convolved.add((height, width))

    with _hooked(encoder, keep):
        encoder(items)
    return [last[size] for size in sorted(convolved)]


@contextmanager
def _hooked(network: nn.Module, hook: Callable[[nn.Module, object, object], None]) -> Iterator[None]:
    handles = [module.register_forward_hook(hook) for module in network.modules()]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
