"""From a representation back to an image: what predictive learning puts on its encoder."""

from torch import Tensor, nn
from torch.nn import functional

START = 4
"""Side of the map that a representation is laid out on first."""


class ConvDecoder(nn.Module):
    """A linear layer to a 4 x 4 map, then doublings of its side, each with a convolution, norm and ReLU.

    Parameters
    ----------
    width
        Of the representation.
    channels, size
        Of the image that is predicted: its channels, its height and width.
    hidden
        Channels of the maps, a multiple of 8.
    """

    def __init__(self, width: int, channels: int, size: tuple[int, int], hidden: int = 64) -> None:
        super().__init__()
        self.size = size
        self.first = nn.Linear(width, hidden * START * START)
        doublings = max(0, (max(size) - 1) // START).bit_length()
        self.blocks = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(hidden, hidden, 3, padding=1, bias=False), nn.GroupNorm(8, hidden), nn.ReLU()
            )
            for _ in range(doublings)
        )
        self.last = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, rows: Tensor) -> Tensor:
        """Map (B, width) to (B, channels, height, width)."""
        x = self.first(rows).unflatten(1, (-1, START, START))
        for block in self.blocks:
            x = block(functional.interpolate(x, scale_factor=2.0))
        predicted: Tensor = self.last(functional.interpolate(x, self.size, mode="bilinear"))
        return predicted
