"""What a joint distribution of known mutual information is."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import nats_to_bits

Rows = NDArray[Any]
"""Shape (n, d), float64, for continuous variables; shape (n,), int64, for discrete ones."""


@dataclass(frozen=True)
class Truth:
    """A true mutual information, and how well it is known.

    Attributes
    ----------
    nats
        The mutual information I(X;Y).
    source
        Where the number comes from: a formula, a quadrature or a simulation.
    stderr_nats
        Standard error of the number itself; 0 where it is exact to rounding.
    is_limit
        Whether the number is only an upper limit of the truth.
    """

    nats: float
    source: str
    stderr_nats: float = 0.0
    is_limit: bool = False

    @property
    def bits(self) -> float:
        """The mutual information in bits."""
        return nats_to_bits(self.nats)


class Joint(Protocol):
    """A joint distribution of X and Y whose mutual information is known."""

    @property
    def d_x(self) -> int:
        """Dimensions of X; 1 for a discrete variable."""
        ...

    @property
    def d_y(self) -> int:
        """Dimensions of Y; 1 for a discrete variable."""
        ...

    @property
    def truth(self) -> Truth:
        """I(X;Y)."""
        ...

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs: row i of x belongs to row i of y."""
        ...


class JointDensity(Joint, Protocol):
    """A joint distribution whose densities can be evaluated."""

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information ``log p(x,y) / p(x)p(y)`` of each pair, shape (n,), nats."""
        ...
