"""A closed-form critic that a network corrects."""

from torch import Tensor, nn


class CorrectedCritic(nn.Module):
    """A base that a network corrects: base(x, y) + network(x, y).

    Parameters
    ----------
    base
        A critic without parameters.
    network
        A critic; see :func:`mitools.estimators.critics.networks.start_at_zero`.
    """

    def __init__(self, base: nn.Module, network: nn.Module) -> None:
        super().__init__()
        self.base = base
        self.network = network

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Score x, shape (n, d_x), against y, shape (m, d_y): shape (n, m)."""
        return self.base(x, y) + self.network(x, y)
