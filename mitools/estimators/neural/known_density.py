"""Upper bounds by the true density of y given x, which the caller knows: that of noise that was added."""

import time
from collections.abc import Callable
from typing import Any, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.club import read_club, read_club_sampled
from mitools.estimators.bounds.leave_one_out import read_leave_one_out
from mitools.estimators.bounds.log_likelihood import read_log_ratio
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.conditional_densities import KnownConditional, KnownCritic
from mitools.estimators.inputs.scaling import Standardised
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.inputs.validation import as_table, require_single, same_length
from mitools.estimators.inputs.whitening import WhitenedScaling, log_standard_normal
from mitools.estimators.pairs import PairedRows, Pairing

KNOWN_DENSITY_METHODS: dict[str, Callable[[Any, torch.Tensor, torch.Tensor, bool], Reading]] = {
    "club": read_club,
    "club_sampled": read_club_sampled,
    "leave_one_out": read_leave_one_out,
    "variational_kl": lambda critic, x, y, diagonal_is_marginal: read_log_ratio(critic, x, y),
}


class KnownDensityEstimator(MIEstimator):
    """Upper bounds on I(X;Y) where p(y|x) is known: y is x, or a function of it, plus known noise.

    ``leave_one_out``
        ``E[log p(y_j|x_j) / mean over i != j of p(y_j|x_i)]`` (Poole et al. 2019): the tightest with many
        pairs. InfoNCE with the same density is the lower bound beside it.
    ``variational_kl``
        ``E[KL(p(y|x) || r(y))]`` (Alemi et al. 2017): above the truth by KL(p(y) || r(y)), r normal with
        the mean and covariance of *train*; the divergence is averaged over the y's that are given.
    ``club``, ``club_sampled``
        ``E[log p(y|x)] - E_product[log p(y|x)]`` (Cheng et al. 2020), with all other pairs or one for
        every x: looser, but no exponential of a density is taken.

    Each is an upper bound in expectation, and only if the density is the true one; a learned density gives
    point estimates (:class:`mitools.estimators.neural.learned_density.LearnedDensityEstimator`). Nothing
    but r is fitted, so that the other methods report all items. There is no null: permuted pairs
    have another density than the known one.

    Parameters
    ----------
    conditional
        The true p(y|x): ``log_prob(y_rows, x_rows)`` gives log densities in nats, shape
        (len(x_rows), len(y_rows)), such as
        :class:`mitools.estimators.critics.conditional_densities.AdditiveGaussianNoise`.
    method
        One of the above.
    seed
        Of the split.

    Attributes
    ----------
    estimate_
        The reading.
    influence_
        Shape (n_pairs,), nats: see :class:`mitools.estimators.bounds.reading.Reading`.
    critic_
        The density, less the logarithm of r(y) where that was fitted.

    Examples
    --------
    >>> from mitools.estimators.critics.conditional_densities import AdditiveGaussianNoise
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = x + 0.5 * rng.standard_normal(2000)  # truth: 0.805 nats
    >>> estimate = KnownDensityEstimator(AdditiveGaussianNoise(0.25)).estimate(x, y)
    >>> estimate.kind, bool(0.7 < estimate.nats < 0.9)
    ('upper bound', True)
    """

    def __init__(self, conditional: KnownConditional, method: str = "leave_one_out", seed: int = 0) -> None:
        self.conditional = conditional
        self.method = method
        self.seed = seed

    def fit(
        self, x: ArrayLike, y: ArrayLike, pairing: Pairing | None = None, parts: Parts | None = None
    ) -> Self:
        """Read the bound once.

        Parameters
        ----------
        x
            Shape (rows, d_x), in the units of the known density.
        y
            Shape (rows, d_y), likewise.
        pairing
            Which rows form pairs; row i of x with row i of y when None.
        parts
            The split of the pairing's items: *train* fits r(y), *report* is read. All items are reported
            when None, but for ``variational_kl``.

        Raises
        ------
        InputError
            When the method is unknown, the input is malformed, or the density is not one for each pair.
        """
        started = time.perf_counter()
        check_name("method", self.method, KNOWN_DENSITY_METHODS)
        x_rows, y_rows = _in_own_units(x, "x"), _in_own_units(y, "y")
        same_length(len(x_rows), len(y_rows), "x", "y")
        if pairing is None:
            pairing = PairedRows(len(x_rows))
        same_length(len(x_rows), pairing.n_rows, "x", "the pairing")
        rng = np.random.default_rng([self.seed, 3])
        log_marginal = None
        if self.method == "variational_kl":
            parts = split(pairing.n_items, pairing.strata, self.seed) if parts is None else parts
            log_marginal = NormalMarginal(y_rows[pairing.within(parts.train).independent(rng)[1]])
        elif parts is None:
            everything = np.arange(pairing.n_items)
            parts = Parts(everything[:0], everything[:0], everything)
        ix, iy = pairing.within(parts.report).independent(rng)
        if len(ix) < 2:
            raise InputError(f"{len(parts.report)} items give {len(ix)} pairs, two at least are needed")
        x_pairs, y_pairs = (torch.from_numpy(rows.astype(np.float64)) for rows in (x_rows[ix], y_rows[iy]))
        self.critic_ = KnownCritic(self.conditional, log_marginal)
        read = KNOWN_DENSITY_METHODS[self.method]
        reading = read(self.critic_, x_pairs, y_pairs, pairing.diagonal_is_marginal)

        self.influence_ = reading.influence
        self.estimate_ = assemble_estimate(
            reading,
            method=self.method,
            kind="upper bound",
            entropy=pairing.entropy_nats,
            n_train=len(parts.train),
            n_select=len(parts.select),
            n_report=len(parts.report),
            seconds=time.perf_counter() - started,
            settings=self.settings() | {"pairs": len(ix)},
        )
        return self

    def _read_new_rows(self, x: ArrayLike, y: ArrayLike) -> float:
        """Read new rows by the known density, and by the r(y) that was fitted."""
        rows = _in_own_units(x, "x"), _in_own_units(y, "y")
        same_length(len(rows[0]), len(rows[1]), "x", "y")
        if len(rows[0]) < 2:
            raise InputError("a single pair has nothing to be compared with; give two new rows or more")
        x_pairs, y_pairs = (torch.from_numpy(side.astype(np.float64)) for side in rows)
        return KNOWN_DENSITY_METHODS[self.method](self.critic_, x_pairs, y_pairs, False).nats

    def settings(self) -> dict[str, Any]:
        """Return the hyper-parameters as JSON values, the density by its class."""
        return super().settings() | {"conditional": type(self.conditional).__qualname__}


def _in_own_units(values: ArrayLike, name: str) -> NDArray[np.float32]:
    """Read rows that the density's units hold for, shape (n, d)."""
    return require_single(as_table(values, name), name).rows()


class NormalMarginal:
    """A normal r(y), fitted to training rows: their mean, and their covariance shrunk (Ledoit & Wolf 2004).

    Parameters
    ----------
    train
        Shape (n, d_y).

    Raises
    ------
    InputError
        When a column has no density.
    """

    def __init__(self, train: NDArray[np.float32]) -> None:
        scale = Standardised(train)
        self.whitened = WhitenedScaling(scale, train)
        if not self.whitened.whiten.keeps_all:
            raise InputError(
                "a column of y is constant or follows from others, and has no density; leave it out"
            )
        self.log_volume = self.whitened.whiten.log_volume - float(np.log(scale.scale).sum())

    def __call__(self, y: NDArray[np.float64]) -> NDArray[np.float64]:
        """Give log r(y) of rows, shape (m, d_y): shape (m,), in nats."""
        white = self.whitened(y.astype(np.float32)).astype(np.float64)
        return log_standard_normal(white) + self.log_volume
