"""The projector of methods without negatives: linear layers with batch norms, and a last one without bias."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from mitools.backends.gathering import gather_with_gradient


class Projector(nn.Sequential):
    """Linear layers, each but the last followed by a batch norm and ReLU (Zbontar et al. 2021).

    Parameters
    ----------
    width
        Of the encoder's output.
    hidden
        Width of the hidden layers.
    output
        Of the last layer, which has no bias.
    layers
        How many there are, the last one counted; 1 for a linear map.
    """

    def __init__(self, width: int, hidden: int, output: int, layers: int) -> None:
        widths = [width] + [hidden] * (layers - 1)
        parts: list[nn.Module] = []
        for narrow, wide in pairwise(widths):
            parts += [nn.Linear(narrow, wide, bias=False), BatchNorm(wide), nn.ReLU(inplace=True)]
        super().__init__(*parts, nn.Linear(widths[-1], output, bias=False))


class BatchNorm(nn.BatchNorm1d):
    """A batch norm over the rows of all processes, on any device; in one process PyTorch's own.

    Every process holds as many rows, as the loop shares them out.
    """

    def forward(self, rows: Tensor) -> Tensor:
        """Normalise (B, width), in training by the moments of the batch of all processes."""
        if not self.training:
            return super().forward(rows)
        means = gather_with_gradient(rows.float().mean(dim=0, keepdim=True))
        if len(means) == 1:
            return super().forward(rows)
        mean = means.mean(dim=0)
        centred = rows.float() - mean
        variance = gather_with_gradient(centred.square().mean(dim=0, keepdim=True)).mean(dim=0)
        self._remember(mean.detach(), variance.detach(), len(rows) * len(means))
        return (centred * (variance + self.eps).rsqrt() * self.weight + self.bias).to(rows.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running moments, as PyTorch does: the variance without its bias."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * count / (count - 1), self.momentum)
