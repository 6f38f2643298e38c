"""A label and numbers that are normal about one or more places of each label."""

from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from mitools.core.entropy import check_distribution
from mitools.core.errors import InputError
from mitools.datasets.known_information.base import Rows, Truth

SIMULATED_PAIRS = 1 << 18
_PAIRS_AT_ONCE = 1 << 14


@dataclass(frozen=True, eq=False)
class LabelledNormals:
    """X is a mixture of spherical normals, Y the label of the component it was drawn from.

    Attributes
    ----------
    labels
        Shape (k,): the label of every component, 0..m-1; several may share one.
    weights
        Shape (k,), a distribution.
    means
        Shape (k, d).
    scales
        Shape (k,): standard deviation of every coordinate.

    Raises
    ------
    InputError
        When the shapes do not agree, or a scale is not positive.

    Examples
    --------
    >>> labelled = LabelledNormals.of_classes(np.array([[-10.0], [10.0]]))
    >>> round(labelled.truth.nats, 4)  # well apart: log 2
    0.6931
    """

    labels: NDArray[np.int64]
    weights: NDArray[np.float64]
    means: NDArray[np.float64]
    scales: NDArray[np.float64]

    def __post_init__(self) -> None:
        k = len(check_distribution(self.weights))
        if self.labels.shape != (k,) or self.means.shape[:1] != (k,) or self.scales.shape != (k,):
            raise InputError(
                f"{k} normals need labels (k,), means (k, d) and scales (k,); these are {self.labels.shape},"
                f" {self.means.shape} and {self.scales.shape}"
            )
        if not (self.scales > 0).all():
            raise InputError("the scale of a normal must be positive, one of these is not")

    @classmethod
    def of_classes(cls, means: NDArray[np.float64], weights: NDArray[np.float64] | None = None) -> Self:
        """Make one normal of unit scale a class, shape (m, d); equally many rows of each by default."""
        m = len(means)
        weights = np.full(m, 1 / m) if weights is None else weights
        return cls(np.arange(m), weights, means, np.ones(m))

    @property
    def d_x(self) -> int:
        """Dimensions of X."""
        return self.means.shape[1]

    @property
    def d_y(self) -> int:
        """Dimensions of Y: one label."""
        return 1

    @cached_property
    def truth(self) -> Truth:
        """Mean pointwise information of simulated pairs."""
        rng = np.random.default_rng(20140917)
        drawn = (self.draw(_PAIRS_AT_ONCE, rng) for _ in range(SIMULATED_PAIRS // _PAIRS_AT_ONCE))
        values = np.concatenate([self.pointwise(x, y) for x, y in drawn])
        error = float(values.std() / np.sqrt(len(values)))
        return Truth(float(values.mean()), f"mean over {len(values)} pairs of the exact log ratio", error)

    def draw(self, n: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
        """Draw n independent pairs: x of shape (n, d), float64, and y of shape (n,), int64."""
        component = rng.choice(len(self.weights), n, p=self.weights)
        noise = rng.standard_normal((n, self.d_x)) * self.scales[component, None]
        return self.means[component] + noise, self.labels[component].astype(np.int64)

    def pointwise(self, x: Rows, y: Rows) -> NDArray[np.float64]:
        """Pointwise mutual information ``log p(y|x) / p(y)`` of each pair, shape (n,), nats."""
        squared = np.square(x[:, None, :] - self.means).sum(axis=2) / np.square(self.scales)
        joint = np.log(self.weights) - squared / 2 - self.d_x * np.log(self.scales)
        own = np.where(self.labels == y[:, None], joint, -np.inf)
        share = np.bincount(self.labels, self.weights)
        return logsumexp(own, axis=1) - logsumexp(joint, axis=1) - np.log(share[y])
