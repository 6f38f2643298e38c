"""Pairs whose mutual information is elementary: noisy channels, discrete tables, labelled intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import check_distribution, mutual_information
from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Rows, Truth


@dataclass(frozen=True)
class AdditiveUniform:
    """Y = X + N: X uniform on [0, 1], N uniform on [-epsilon, epsilon], in independent coordinates.

    Attributes
    ----------
    epsilon
        Half the width of the noise; positive.
    dimensions
        How many coordinates.

    Raises
    ------
    InputError
        When the noise has no width or there is no coordinate.
    """

    epsilon: float
    dimensions: int = 1

    def __post_init__(self) -> None:
        if not self.epsilon > 0 or self.dimensions < 1:
            raise InputError(f"epsilon={self.epsilon:g} and dimensions={self.dimensions} must be positive")

    @property
    def d_x(self) -> int:
        """Dimensions of X."""
        return self.dimensions

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return self.dimensions

    @property
    def truth(self) -> Truth:
        """A coordinate has ``1/(4 e)`` nats where e > 1/2, else ``e - log 2e`` (Czyz et al. 2023)."""
        e = self.epsilon
        one = 1 / (4 * e) if e > 0.5 else e - float(np.log(2 * e))
        return Truth(self.dimensions * one, "closed form of uniform noise, Czyz et al. 2023")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shape (n, dimensions) each."""
        x = rng.random((n, self.dimensions))
        return x, x + rng.uniform(-self.epsilon, self.epsilon, x.shape)


@dataclass(frozen=True, eq=False)
class JointTable:
    """Two discrete variables with a joint table.

    Attributes
    ----------
    table
        Shape (rows, columns): the probability of each pair of symbols.

    Raises
    ------
    InputError
        When the table is no probability distribution over pairs.
    """

    table: NDArray[np.float64]
    d_x = d_y = 1

    def __post_init__(self) -> None:
        if check_distribution(self.table).ndim != 2:
            raise InputError(f"a joint table has two axes, this one has {self.table.ndim}")

    @classmethod
    def symmetric_channel(cls, symbols: int, flip: float) -> "JointTable":
        """Make uniform symbols that reach the other side unless, with probability `flip`, another does."""
        others = np.full((symbols, symbols), flip / (symbols - 1))
        np.fill_diagonal(others, 1 - flip)
        return cls(others / symbols)

    @property
    def truth(self) -> Truth:
        """``H(X) + H(Y) - H(X, Y)``."""
        return Truth(mutual_information(self.table), "sum over the joint table")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs of symbols, shape (n,) each, int64."""
        cells = rng.choice(self.table.size, n, p=self.table.ravel())
        x, y = np.divmod(cells, self.table.shape[1])
        return x.astype(np.int64), y.astype(np.int64)

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information of each pair of symbols, shape (n,), nats."""
        p_x, p_y = self.table.sum(axis=1), self.table.sum(axis=0)
        return np.log(self.table[x, y] / (p_x[x] * p_y[y]))


@dataclass(frozen=True)
class LabelledIntervals:
    """A label and a number: Y is one of m labels, X is uniform on [Y, Y + 2] (Gao et al. 2017, Sec. 5).

    Attributes
    ----------
    labels
        How many labels; at least 2.

    Raises
    ------
    InputError
        When there are fewer than two labels.
    """

    labels: int
    d_x = d_y = 1

    def __post_init__(self) -> None:
        if self.labels < 2:
            raise InputError(f"{self.labels} labels cannot tell anything; give at least 2")

    @property
    def truth(self) -> Truth:
        """``log m - (m - 1)/m log 2``: but for both ends, two labels reach every x."""
        m = self.labels
        return Truth(float(np.log(m) - (m - 1) / m * np.log(2)), "closed form, Gao et al. 2017")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs: x of shape (n, 1), float64, and y of shape (n,), int64."""
        y = rng.integers(0, self.labels, n)
        return y[:, None] + rng.uniform(0, 2, (n, 1)), y
