"""Gaussian mixtures: exact densities, and a truth by quadrature or by simulation with its error."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import solve_triangular
from scipy.special import logsumexp

from mitools.core.entropy import check_distribution
from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Rows, Truth

SIMULATED_PAIRS = 1 << 19
_PAIRS_AT_ONCE = 1 << 15
_QUADRATURE_REACH = 9.0
"""Standard deviations of the widest component that a quadrature spans beyond the outermost means."""


@dataclass(frozen=True, eq=False)
class GaussianMixture:
    """A mixture of multivariate normals, split into X (the first coordinates) and Y.

    Attributes
    ----------
    weights
        Shape (k,), a distribution.
    means
        Shape (k, d_x + d_y).
    covariances
        Shape (k, d_x + d_y, d_x + d_y), positive definite.
    d_x
        How many coordinates are X.

    Raises
    ------
    InputError
        When the shapes do not agree or a covariance is not positive definite.
    """

    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    covariances: NDArray[np.float64]
    d_x: int

    def __post_init__(self) -> None:
        k = len(check_distribution(self.weights))
        d = self.means.shape[-1]
        if self.means.shape != (k, d) or self.covariances.shape != (k, d, d) or not 1 <= self.d_x < d:
            raise InputError(
                f"a mixture of {k} normals needs means (k, d), covariances (k, d, d) and 1 <= d_x < d;"
                f" these are {self.means.shape}, {self.covariances.shape} and d_x={self.d_x}"
            )
        if np.linalg.eigvalsh(self.covariances).min() <= 0:
            raise InputError("a covariance is positive definite, one of these is not")

    @classmethod
    def bimodal(cls, d_x: int, d_y: int, separation: float, correlation: float = 0.0) -> Self:
        """Make two equal blobs, their means `separation` apart in every coordinate.

        The blobs differ in the sign of the correlation between x_i and y_i, i up to the smaller
        dimension, so the mode carries more than the place of the rows.
        """
        d, diagonal = d_x + d_y, np.arange(min(d_x, d_y))
        covariances = np.stack([np.eye(d), np.eye(d)])
        for covariance, sign in zip(covariances, (1, -1), strict=True):
            covariance[diagonal, d_x + diagonal] = covariance[d_x + diagonal, diagonal] = sign * correlation
        means = np.outer([-0.5, 0.5], np.full(d, separation))
        return cls(np.array([0.5, 0.5]), means, covariances, d_x)

    @property
    def d_y(self) -> int:
        """How many coordinates are Y."""
        return self.means.shape[1] - self.d_x

    @cached_property
    def truth(self) -> Truth:
        """By quadrature in 1+1 dimensions, else the mean pointwise information of simulated pairs."""
        if self.means.shape[1] == 2:
            return Truth(self._integrate(), "quadrature of the mixture's density")
        rng = np.random.default_rng(20170911)
        drawn = (self.draw(_PAIRS_AT_ONCE, rng) for _ in range(SIMULATED_PAIRS // _PAIRS_AT_ONCE))
        values = np.concatenate([self.pointwise(x, y) for x, y in drawn])
        error = float(values.std() / np.sqrt(len(values)))
        return Truth(float(values.mean()), f"mean over {len(values)} pairs of the exact log ratio", error)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shapes (n, d_x) and (n, d_y)."""
        component = rng.choice(len(self.weights), n, p=self.weights)
        z = rng.standard_normal((n, self.means.shape[1]))
        for k, factor in enumerate(np.linalg.cholesky(self.covariances)):
            own = component == k
            z[own] = z[own] @ factor.T + self.means[k]
        return z[:, : self.d_x], z[:, self.d_x :]

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information of each pair, shape (n,), nats."""
        in_x, in_y = slice(None, self.d_x), slice(self.d_x, None)
        both = self._log_density(np.hstack([x, y]), slice(None))
        return both - self._log_density(x, in_x) - self._log_density(y, in_y)

    def _log_density(self, rows: Rows, coordinates: slice) -> NDArray[np.float64]:
        parts = []
        for k, weight in enumerate(self.weights):
            factor = np.linalg.cholesky(self.covariances[k][coordinates, coordinates])
            z = solve_triangular(factor, (rows - self.means[k, coordinates]).T, lower=True)
            log_scale = np.log(np.diag(factor)).sum() + len(factor) / 2 * np.log(2 * np.pi)
            parts.append(np.log(weight) - np.square(z).sum(axis=0) / 2 - log_scale)
        return logsumexp(parts, axis=0)

    def _integrate(self) -> float:
        """Sum ``p log p(x,y)/p(x)p(y)`` over a lattice: for analytic densities as good as exact."""
        step = float(np.sqrt(np.linalg.eigvalsh(self.covariances).min())) / 4
        reach = _QUADRATURE_REACH * np.sqrt(self.covariances.diagonal(axis1=1, axis2=2).max(axis=0))
        low, high = self.means.min(axis=0) - reach, self.means.max(axis=0) + reach
        x_axis, y_axis = (np.arange(a, b, step) for a, b in zip(low, high, strict=True))
        total = 0.0
        for x in np.array_split(x_axis, -(-len(x_axis) * len(y_axis) // _PAIRS_AT_ONCE)):
            grid = np.stack(np.meshgrid(x, y_axis, indexing="ij"), axis=-1).reshape(-1, 2)
            density = np.exp(self._log_density(grid, slice(None)))
            total += float((density * self.pointwise(grid[:, :1], grid[:, 1:])).sum())
        return total * step**2
