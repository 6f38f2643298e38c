"""Maps that change the shape of a pair and not its mutual information.

Each is injective, and so ``I(f(X); g(Y)) = I(X; Y)``; the set is that of Czyz et al. 2023, "Beyond Normal".
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.datasets.known_information.base import Joint, Rows, Truth

Transform = Callable[[NDArray[np.float64]], NDArray[np.float64]]


def half_cube(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signed power 3/2 of every value: longer tails."""
    return rows * np.sqrt(np.abs(rows))


def normal_cdf(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Take the normal distribution function of every value: uniform where that is standard normal.

    Raises
    ------
    InputError
        When a value is so large that its image rounds to 0 or 1, where information would be lost.
    """
    image = ndtr(rows)
    if image.min() == 0 or image.max() == 1:
        raise InputError(
            f"normal_cdf cannot tell values as large as {np.abs(rows).max():.3g} apart; use asinh instead"
        )
    return image


def asinh(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Inverse hyperbolic sine of every value: shorter tails."""
    return np.arcsinh(rows)


def wiggly_x(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add waves that leave the slope positive: uneven densities."""
    return rows + 0.4 * np.sin(rows) + 0.2 * np.sin(1.7 * rows + 1) + 0.03 * np.sin(3.3 * rows - 2.5)


def wiggly_y(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """As :func:`wiggly_x`, with other waves."""
    return rows - 0.4 * np.sin(0.4 * rows) + 0.17 * np.sin(1.3 * rows + 3.5) + 0.02 * np.sin(4.3 * rows - 2.5)


def bimodal_x(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn standard normal margins into ``0.3 N(0, 1) + 0.7 N(5, 1)``."""
    return _from_normal(rows, weights=(0.3, 0.7), means=(0.0, 5.0))


def bimodal_y(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn standard normal margins into ``0.5 N(-1, 1) + 0.5 N(3, 1)``."""
    return _from_normal(rows, weights=(0.5, 0.5), means=(-1.0, 3.0))


def spiral(rows: NDArray[np.float64], first: int = 0, speed: float = 1.0) -> NDArray[np.float64]:
    """Turn two neighbouring coordinates by an angle that grows with the row's squared norm.

    A turn leaves the norm as it is, so the map can be undone.

    Parameters
    ----------
    rows
        Shape (n, d).
    first
        The first of the two coordinates.
    speed
        Radians for a row whose squared norm is the dimension.

    Raises
    ------
    InputError
        When the rows have no such two coordinates.
    """
    if rows.ndim != 2 or rows.shape[1] < first + 2:
        raise InputError(f"a spiral turns coordinates {first + 1} and {first + 2}; the rows have too few")
    angle = np.square(rows).sum(axis=1) * speed / rows.shape[1]
    a, b = rows[:, first], rows[:, first + 1]
    turned = rows.copy()
    turned[:, first] = np.cos(angle) * a - np.sin(angle) * b
    turned[:, first + 1] = np.sin(angle) * a + np.cos(angle) * b
    return turned


def spiral_y(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """As :func:`spiral`, turning the second coordinate and the third."""
    return spiral(rows, first=1)


def swiss_roll(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Roll the unit interval up in the plane: shape (n, 1) becomes (n, 2).

    Raises
    ------
    InputError
        When the rows are not single values in [0, 1]; `normal_cdf` brings normal ones there.
    """
    if rows.ndim != 2 or rows.shape[1] != 1 or rows.min() < 0 or rows.max() > 1:
        raise InputError("a Swiss roll is made of single values in [0, 1]; apply normal_cdf first")
    t = 1.5 * np.pi * (1 + 2 * rows)
    return np.hstack([t * np.cos(t), t * np.sin(t)]) / 21


def unchanged(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Leave the rows as they are."""
    return rows


TRANSFORMS: dict[str, tuple[Transform, Transform]] = {
    "asinh": (asinh, asinh),
    "bimodal": (bimodal_x, bimodal_y),
    "half_cube": (half_cube, half_cube),
    "normal_cdf": (normal_cdf, normal_cdf),
    "spiral": (spiral, spiral_y),
    "swiss_roll": (swiss_roll, unchanged),
    "wiggly": (wiggly_x, wiggly_y),
}
"""What each transform does to X and to Y."""


@dataclass(frozen=True)
class Transformed:
    """A joint distribution seen through one of :data:`TRANSFORMS`.

    Attributes
    ----------
    base
        The distribution before.
    transform
        The transform's name.

    Raises
    ------
    InputError
        When there is no such transform.
    """

    base: Joint
    transform: str

    def __post_init__(self) -> None:
        check_name("transform", self.transform, TRANSFORMS)

    @property
    def d_x(self) -> int:
        """Dimensions of X; the Swiss roll adds one."""
        return self.base.d_x + (self.transform == "swiss_roll")

    @property
    def d_y(self) -> int:
        """Dimensions of Y."""
        return self.base.d_y

    @property
    def truth(self) -> Truth:
        """What it was before."""
        truth = self.base.truth
        return replace(truth, source=f"{truth.source}; unchanged by {self.transform}")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs and map them, shapes (n, d_x) and (n, d_y)."""
        x, y = self.base.draw(n, rng)
        of_x, of_y = TRANSFORMS[self.transform]
        return of_x(x), of_y(y)


def transformed(base: Joint, transforms: Iterable[str]) -> Joint:
    """Apply several transforms, the first one first."""
    for transform in transforms:
        base = Transformed(base, transform)
    return base


def _from_normal(
    rows: NDArray[np.float64], weights: tuple[float, ...], means: tuple[float, ...]
) -> NDArray[np.float64]:
    """Map each value to the quantile of a mixture of unit normals that it is of the standard normal."""
    target = normal_cdf(rows)
    low, high = rows + min(means), rows + max(means)
    for _ in range(60):
        middle = (low + high) / 2
        reached = sum(w * ndtr(middle - m) for w, m in zip(weights, means, strict=True))
        low, high = np.where(reached < target, middle, low), np.where(reached < target, high, middle)
    return (low + high) / 2
