"""Gaussian and Student-t pairs: mutual information in closed form, in any dimension."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import solve_triangular
from scipy.special import digamma, gammaln

from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Rows, Truth


def dense_correlation(d_x: int, d_y: int, correlation: float) -> NDArray[np.float64]:
    """Give every two of the ``d_x + d_y`` coordinates the same correlation."""
    d = d_x + d_y
    return np.full((d, d), float(correlation)) + (1 - correlation) * np.eye(d)


def sparse_correlation(d_x: int, d_y: int, pairs: int, correlation: float) -> NDArray[np.float64]:
    """Correlate x_1 with y_1, ..., x_p with y_p, and nothing else.

    Raises
    ------
    InputError
        When there are more pairs than coordinates on either side.
    """
    if not 0 <= pairs <= min(d_x, d_y):
        raise InputError(f"{pairs} interacting pairs do not fit in {d_x} and {d_y} dimensions")
    matrix = np.eye(d_x + d_y)
    first = np.arange(pairs)
    matrix[first, d_x + first] = matrix[d_x + first, first] = correlation
    return matrix


@dataclass(frozen=True, eq=False)
class Gaussian:
    """A centred multivariate normal, split into X (the first coordinates) and Y.

    Attributes
    ----------
    covariance
        Shape (d_x + d_y, d_x + d_y), positive definite.
    d_x
        How many coordinates are X.

    Raises
    ------
    InputError
        When the matrix is no covariance or leaves no coordinate to X or Y.

    Examples
    --------
    >>> round(Gaussian.dense(1, 1, 0.75).truth.nats, 4)
    0.4133
    """

    covariance: NDArray[np.float64]
    d_x: int

    def __post_init__(self) -> None:
        _check_dispersion(self.covariance, self.d_x)

    @classmethod
    def dense(cls, d_x: int, d_y: int, correlation: float) -> Self:
        """Make one with :func:`dense_correlation`."""
        return cls(dense_correlation(d_x, d_y, correlation), d_x)

    @classmethod
    def sparse(cls, d_x: int, d_y: int, pairs: int, correlation: float) -> Self:
        """Make one with :func:`sparse_correlation`."""
        return cls(sparse_correlation(d_x, d_y, pairs, correlation), d_x)

    @property
    def d_y(self) -> int:
        """How many coordinates are Y."""
        return len(self.covariance) - self.d_x

    @property
    def truth(self) -> Truth:
        """``(log|S_x| + log|S_y| - log|S|) / 2``."""
        return Truth(_half_log_determinants(self.covariance, self.d_x), "closed form of the normal")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shapes (n, d_x) and (n, d_y)."""
        z = rng.standard_normal((n, len(self.covariance))) @ np.linalg.cholesky(self.covariance).T
        return z[:, : self.d_x], z[:, self.d_x :]

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information of each pair, shape (n,), nats."""
        q, q_x, q_y = _quadratic_forms(self.covariance, x, y)
        return self.truth.nats + (q_x + q_y - q) / 2


@dataclass(frozen=True, eq=False)
class StudentT:
    """A centred multivariate Student-t, split into X (the first coordinates) and Y.

    Even with the identity as dispersion X and Y share their scale, and so information.

    Attributes
    ----------
    dispersion
        Shape (d_x + d_y, d_x + d_y), positive definite.
    d_x
        How many coordinates are X.
    df
        Degrees of freedom; with 1 there is no mean, with 2 no variance.

    Raises
    ------
    InputError
        When the matrix is no dispersion or `df` is not positive.

    Examples
    --------
    >>> round(StudentT(np.eye(2), d_x=1, df=1).truth.nats, 4)
    0.2242
    """

    dispersion: NDArray[np.float64]
    d_x: int
    df: float

    def __post_init__(self) -> None:
        _check_dispersion(self.dispersion, self.d_x)
        if not self.df > 0:
            raise InputError(f"degrees of freedom must be positive, not {self.df:g}")

    @classmethod
    def identity(cls, d_x: int, d_y: int, df: float) -> Self:
        """Make one whose coordinates share nothing but their scale."""
        return cls(np.eye(d_x + d_y), d_x, df)

    @property
    def d_y(self) -> int:
        """How many coordinates are Y."""
        return len(self.dispersion) - self.d_x

    @cached_property
    def truth(self) -> Truth:
        """The normal's value plus a term for the shared scale (Czyz et al. 2023, Proposition 1).

        The term is ``f(df) + f(df + d_x + d_y) - f(df + d_x) - f(df + d_y)`` with
        ``f(v) = log Gamma(v/2) - (v/2) digamma(v/2)`` (Arellano-Valle et al. 2013).
        """
        df, d_x, d_y = self.df, self.d_x, self.d_y

        def f(v: float) -> float:
            return float(gammaln(v / 2) - v / 2 * digamma(v / 2))

        scale = f(df) + f(df + d_x + d_y) - f(df + d_x) - f(df + d_y)
        nats = _half_log_determinants(self.dispersion, d_x) + scale
        return Truth(nats, "closed form of the Student-t, Czyz et al. 2023")

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs, shapes (n, d_x) and (n, d_y)."""
        z = rng.standard_normal((n, len(self.dispersion))) @ np.linalg.cholesky(self.dispersion).T
        z /= np.sqrt(rng.chisquare(self.df, (n, 1)) / self.df)
        return z[:, : self.d_x], z[:, self.d_x :]

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information of each pair, shape (n,), nats."""

        def log_density(q: NDArray[np.float64], d: int) -> NDArray[np.float64]:
            # The power of pi and the determinants are added below: they are the normal's.
            constant = gammaln((self.df + d) / 2) - gammaln(self.df / 2) - d / 2 * np.log(self.df)
            return constant - (self.df + d) / 2 * np.log1p(q / self.df)

        q, q_x, q_y = _quadratic_forms(self.dispersion, x, y)
        densities = log_density(q, self.d_x + self.d_y) - log_density(q_x, self.d_x)
        return densities - log_density(q_y, self.d_y) + _half_log_determinants(self.dispersion, self.d_x)


def _check_dispersion(matrix: ArrayLike, d_x: int) -> None:
    array = np.asarray(matrix)
    if array.ndim != 2 or array.shape[0] != array.shape[1] or not np.allclose(array, array.T):
        raise InputError(f"a covariance is square and symmetric, this one has shape {array.shape}")
    if not 1 <= d_x < len(array):
        raise InputError(f"of {len(array)} coordinates {d_x} cannot be X; leave at least one to X and to Y")
    if np.linalg.eigvalsh(array)[0] <= 0:
        raise InputError("a covariance is positive definite, this one is not; lower its correlations")


def _half_log_determinants(matrix: NDArray[np.float64], d_x: int) -> float:
    """Give ``(log|S_x| + log|S_y| - log|S|) / 2``."""
    blocks = (matrix[:d_x, :d_x], matrix[d_x:, d_x:], matrix)
    in_x, in_y, in_both = (float(np.linalg.slogdet(block)[1]) for block in blocks)
    return (in_x + in_y - in_both) / 2


def _quadratic_forms(
    matrix: NDArray[np.float64], x: Rows, y: Rows
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Squared Mahalanobis norms of (x, y), of x and of y, shape (n,) each."""
    d_x = x.shape[1]
    blocks = ((matrix, np.hstack([x, y])), (matrix[:d_x, :d_x], x), (matrix[d_x:, d_x:], y))
    whitened = (solve_triangular(np.linalg.cholesky(block), rows.T, lower=True) for block, rows in blocks)
    joint, in_x, in_y = (np.square(values).sum(axis=0) for values in whitened)
    return joint, in_x, in_y
