"""Invertible networks that map every pixel's three colours to three others (Tian et al. 2020, B.5)."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

Coupling = Literal["volume_preserving", "non_volume_preserving"]
"""What a block does to the channels that it changes: adds to them (NICE, Dinh et al. 2014), or scales them
too (Real NVP, Dinh et al. 2016)."""

CHANNELS = 3
"""Of an image, and of what is made of it."""


class Transformed(NamedTuple):
    """What an invertible network makes of images.

    Attributes
    ----------
    values
        Shape (B, 3, H, W).
    log_det
        Shape (B,): the logarithm of the Jacobian's absolute determinant, over all pixels of an image.
    """

    values: Tensor
    log_det: Tensor


class CouplingBlock(nn.Module):
    """Changes two channels of every pixel by functions of the third (Fig. 11).

    With X1 the one channel and X2 the two others, Y1 = X1, and Y2 = X2 + F(X1) where the volume is
    preserved, else Y2 = X2 exp(tanh G(X1)) + F(X1); tanh keeps a block from scaling by more than e. F and G
    are convolutions with 1x1 kernels with ReLU between them. Their last layer begins at 0: an untrained
    block is the identity.

    Parameters
    ----------
    kept
        Which channel is X1.
    hidden
        Channels between the convolutions.
    coupling
        See :data:`Coupling`.
    """

    def __init__(self, kept: int, hidden: int, coupling: Coupling) -> None:
        super().__init__()
        self.kept = kept
        self.scales = coupling == "non_volume_preserving"
        last = nn.Conv2d(hidden, 4 if self.scales else 2, 1)
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)  # type: ignore[arg-type]
        self.network = nn.Sequential(
            nn.Conv2d(1, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, hidden, 1), nn.ReLU(), last
        )

    def forward(self, x: Tensor) -> Transformed:
        """Transform images (B, 3, H, W)."""
        kept, changed = self._split(x)
        shift, log_scale = self._of(kept)
        if log_scale is None:
            return Transformed(self._join(kept, changed + shift), x.new_zeros(len(x)))
        return Transformed(self._join(kept, changed * log_scale.exp() + shift), log_scale.sum(dim=(1, 2, 3)))

    def inverse(self, y: Tensor) -> Tensor:
        """Give the images (B, 3, H, W) that are transformed to these."""
        kept, changed = self._split(y)
        shift, log_scale = self._of(kept)
        original = changed - shift
        return self._join(kept, original if log_scale is None else original * (-log_scale).exp())

    def _of(self, kept: Tensor) -> tuple[Tensor, Tensor | None]:
        found = self.network(kept)
        if not self.scales:
            return found, None
        shift, scale = found.chunk(2, dim=1)
        return shift, scale.tanh()

    def _split(self, x: Tensor) -> tuple[Tensor, Tensor]:
        others = [channel for channel in range(CHANNELS) if channel != self.kept]
        return x[:, self.kept : self.kept + 1], x[:, others]

    def _join(self, kept: Tensor, changed: Tensor) -> Tensor:
        return torch.cat([changed[:, : self.kept], kept, changed[:, self.kept :]], dim=1)


class FlowGenerator(nn.Module):
    """A stack of coupling blocks: a bijection of colours, the same at every pixel.

    The blocks keep the first, the second and the third channel in turn. Untrained it is the identity.

    Parameters
    ----------
    coupling
        See :data:`Coupling`.
    blocks
        How many; with three or more, every channel is changed by functions of every other. The paper does
        not say its number.
    hidden
        Channels between the convolutions of a block.

    Examples
    --------
    >>> generator, images = FlowGenerator(blocks=3), torch.rand(2, 3, 4, 4)
    >>> values, log_det = generator(images)
    >>> torch.equal(values, images), log_det.tolist()
    (True, [0.0, 0.0])
    """

    def __init__(
        self, coupling: Coupling = "non_volume_preserving", blocks: int = 6, hidden: int = 16
    ) -> None:
        super().__init__()
        self.coupling, self.hidden = coupling, hidden
        self.blocks = nn.ModuleList(
            CouplingBlock(number % CHANNELS, hidden, coupling) for number in range(blocks)
        )

    def forward(self, images: Tensor) -> Transformed:
        """Transform images (B, 3, H, W), about [-1, 1]."""
        values, log_det = images, images.new_zeros(len(images))
        for block in self._couplings():
            values, more = block(values)
            log_det = log_det + more
        return Transformed(values, log_det)

    def inverse(self, values: Tensor) -> Tensor:
        """Give the images (B, 3, H, W) that are transformed to these."""
        for block in reversed(list(self._couplings())):
            values = block.inverse(values)
        return values

    def _couplings(self) -> Iterable[CouplingBlock]:
        return (block for block in self.blocks if isinstance(block, CouplingBlock))
