"""Bounds for a representation with Gaussian noise added: Kolchinsky and Tracey's pairwise distances."""

from typing import ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.core.estimate import Kind
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.classical.base import ClassicalReading, ClosedFormEstimator, SideValues
from mitools.estimators.classical.grouped import stderr_of_mean
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.validation import as_labels


class _PairwiseBound(ClosedFormEstimator):
    """What both bounds share; see :class:`PairwiseUpperBound`."""

    exponent_all: ClassVar[float]
    exponent_class: ClassVar[float]

    def __init__(self, noise_variance: float = 0.1, seed: int = 0) -> None:
        self.noise_variance = noise_variance
        self.seed = seed

    def _check_settings(self) -> None:
        if not (np.isfinite(self.noise_variance) and self.noise_variance > 0):
            raise InputError(f"noise_variance={self.noise_variance} must be positive: noise makes T random")

    def _accept_y(self, y: ArrayLike) -> SideValues:
        labels = as_labels(y)
        return labels if labels.any() else labels[:, None][:, :0]

    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading | None]:
        rows = torch.from_numpy(x - x.mean(axis=0))
        whole = self._spread(rows, self.exponent_all)
        # When every row is an input of its own, a permutation of the inputs changes nothing.
        own_input = len(np.unique(y)) == len(y)
        null = None if own_input else self._given(rows, whole, y[permutation], groups)
        return self._given(rows, whole, y, groups), null

    def _given(self, rows: Tensor, whole: Reading, y: SideValues, groups: Groups | None) -> ClassicalReading:
        """Take the spread within each class off the spread of all rows."""
        n, sizes = len(rows), np.bincount(y)
        influence = whole.influence.copy()
        within = np.zeros(len(sizes))
        for label in np.flatnonzero(sizes > 1):
            members = np.flatnonzero(y == label)
            part = self._spread(rows[torch.from_numpy(members)], self.exponent_class)
            within[label] = part.nats
            influence[members] -= part.influence
        given = float(sizes @ within) / n
        influence -= within[y] - given
        own_input = len(sizes) == n
        return ClassicalReading(
            whole.nats - given,
            float(np.linalg.norm(influence) / n) if groups is None else stderr_of_mean(influence, groups),
            ceiling=float(np.log(n)) if own_input else None,
            entropy=None if own_input else entropy(sizes / n),
        )

    def _spread(self, rows: Tensor, exponent: float) -> Reading:
        """Give ``-mean_i log mean_j exp(-|h_i - h_j|^2 exponent / variance)``: InfoNCE with that critic."""
        scale = exponent / self.noise_variance

        def critic(a: Tensor, b: Tensor) -> Tensor:
            squared = a.square().sum(dim=1)[:, None] + b.square().sum(dim=1) - 2 * a @ b.T
            return -scale * squared.clamp_min_(0)

        return read_infonce(critic, rows, rows)


class PairwiseUpperBound(_PairwiseBound):
    """Upper bound on I(T;Y) for ``T = h(X) + noise``, the noise Gaussian of a stated variance.

    T is a mixture of normals about the rows h(x_i). With the Kullback-Leibler divergence of every two
    components its entropy is bounded from above, with their Bhattacharyya distance from below (Kolchinsky
    & Tracey 2017, Eq. 11 and 10), so for ``I(T;Y) = H(T) - H(T|Y)`` the one bound is taken for H(T) and the
    other for H(T|Y). With a label of its own for every row Y is the input itself, H(T|Y) is the noise's
    entropy, known exactly, and I(X;T) is bounded.

    *What is proven.* The bounds hold for rows drawn uniformly from the n given: the data set is the
    population, as in an information plane, and the numbers are then exact. Of the distribution that the
    rows come from less is known. With the input for Y the lower bound is one for it too, in expectation, as
    more rows can only spread T out further; the upper bound is not, as it cannot exceed log n. With labels
    for Y neither is: few rows of a class understate the spread within it, and where the rows lie farther
    from each other than the noise reaches, even permuted labels read H(Y). The null is that reading, and a
    warning says where the number does not exceed it. The standard error says how the number varies over
    such samples.

    Parameters
    ----------
    noise_variance
        Of the noise in every unit, in squared units of the rows; 0.1 is that of Saxe et al. 2018. The
        number is about this noise: smaller noise, more information.
    seed
        Of the permuted labels of the null; there is none when every row has a label of its own.

    Attributes
    ----------
    estimate_
        The reading of the last fit.

    Examples
    --------
    >>> layer = np.repeat([[0.0], [100.0]], 50, axis=0)
    >>> estimate = PairwiseUpperBound().estimate(layer, np.arange(100))
    >>> round(estimate.bits, 3), estimate.kind
    (1.0, 'upper bound')
    """

    method: ClassVar[str] = "pairwise_upper"
    kind: ClassVar[Kind] = "upper bound"
    exponent_all = 1 / 2
    exponent_class = 1 / 8


class PairwiseLowerBound(_PairwiseBound):
    """Lower bound on I(T;Y); see :class:`PairwiseUpperBound`.

    Parameters
    ----------
    noise_variance, seed
        As for :class:`PairwiseUpperBound`.
    """

    method: ClassVar[str] = "pairwise_lower"
    kind: ClassVar[Kind] = "lower bound"
    exponent_all = 1 / 8
    exponent_class = 1 / 2
