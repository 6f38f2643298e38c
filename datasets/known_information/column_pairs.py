"""Pairs of single columns beyond the normal ones, and several independent pairs side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Joint, Rows, Truth


@dataclass(frozen=True)
class NoisySine:
    """Y = sin(2 pi c X) + N: X uniform on [0, 1], N uniform on [-epsilon, epsilon]; uncorrelated for whole c.

    Attributes
    ----------
    epsilon
        Half the width of the noise, in (0, 1).
    cycles
        c, whole and positive.

    Raises
    ------
    InputError
        When either is out of its range.

    Examples
    --------
    >>> round(NoisySine(0.5).truth.nats, 3)
    1.044
    """

    epsilon: float
    cycles: int = 2

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < 1 or self.cycles < 1:
            raise InputError(f"epsilon={self.epsilon:g} must lie in (0, 1) and cycles={self.cycles} above 0")

    @property
    def d_x(self) -> int:
        """Dimensions of X."""
        return 1

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return 1

    @property
    def truth(self) -> Truth:
        """``h(Y) - log 2e``: the sine of a uniform phase has the arcsine distribution, which noise blurs."""
        e = self.epsilon

        def log_term(y: float) -> float:
            density = (_arcsine_cdf(y + e) - _arcsine_cdf(y - e)) / (2 * e)
            return -density * float(np.log(density)) if density > 0 else 0.0

        # Y is symmetric. Within [0, 1 - e] a sine takes the peak off the end; beyond, the density falls to 0.
        inner = quad(lambda t: log_term((1 - e) * np.sin(t)) * (1 - e) * np.cos(t), 0, np.pi / 2, limit=200)[
            0
        ]
        outer = quad(lambda s: log_term(1 - e + 2 * e * s) * 2 * e, 0, 1, limit=200)[0]
        nats = 2 * (inner + outer) - float(np.log(2 * e))
        return Truth(nats, "numerical integration of the blurred arcsine density")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shape (n, 1) each."""
        x = rng.random((n, 1))
        return x, np.sin(2 * np.pi * self.cycles * x) + rng.uniform(-self.epsilon, self.epsilon, x.shape)


@dataclass(frozen=True)
class Checkerboard:
    """X and Y uniform, together on the fields of one colour of a board, but for a share of fields' others.

    Attributes
    ----------
    flip
        Share of pairs that lie on the other colour, in [0, 1/2].
    fields
        Of a side of the board, even.

    Raises
    ------
    InputError
        When either is out of its range.

    Examples
    --------
    >>> round(Checkerboard(0.0).truth.nats, 3)
    0.693
    """

    flip: float
    fields: int = 4

    def __post_init__(self) -> None:
        if not 0 <= self.flip <= 0.5 or self.fields < 2 or self.fields % 2:
            raise InputError(f"flip={self.flip:g} must lie in [0, 0.5], and fields={self.fields} be even")

    @property
    def d_x(self) -> int:
        """Dimensions of X."""
        return 1

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return 1

    @property
    def truth(self) -> Truth:
        """``log 2`` less the entropy of the flip: X tells the colour of Y's field, and nothing else."""
        p = self.flip
        entropy = -sum(q * float(np.log(q)) for q in (p, 1 - p) if q > 0)
        return Truth(float(np.log(2)) - entropy, "closed form: the colour is a binary symmetric channel")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shape (n, 1) each."""
        x = rng.random((n, 1))
        colour = (np.floor(self.fields * x) + (rng.random(x.shape) < self.flip)) % 2
        field = 2 * rng.integers(0, self.fields // 2, x.shape) + colour
        return x, (field + rng.random(x.shape)) / self.fields


@dataclass(frozen=True)
class SideBySide:
    """Several independent joint distributions, their columns beside each other: informations add up.

    Attributes
    ----------
    parts
        At least one.

    Raises
    ------
    InputError
        When there is none.
    """

    parts: Sequence[Joint]

    def __post_init__(self) -> None:
        if not self.parts:
            raise InputError("no distribution is given; give one at least")

    @property
    def d_x(self) -> int:
        """Dimensions of X."""
        return sum(part.d_x for part in self.parts)

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return sum(part.d_y for part in self.parts)

    @property
    def truth(self) -> Truth:
        """The sum, as the parts are independent."""
        truths = [part.truth for part in self.parts]
        sources = dict.fromkeys(truth.source for truth in truths)
        stderr = float(np.linalg.norm([truth.stderr_nats for truth in truths]))
        is_limit = any(truth.is_limit for truth in truths)
        return Truth(sum(truth.nats for truth in truths), "; ".join(sources), stderr, is_limit)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shapes (n, d_x) and (n, d_y)."""
        drawn = [part.draw(n, rng) for part in self.parts]
        x, y = (np.hstack(side) for side in zip(*drawn, strict=True))
        return x, y


def _arcsine_cdf(s: float | NDArray[np.float64]) -> float:
    return 0.5 + float(np.arcsin(np.clip(s, -1.0, 1.0))) / np.pi
