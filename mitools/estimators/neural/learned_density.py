"""Estimators by a learned density of y given x: Barber-Agakov, differences of entropies, CLUB and its kin."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.estimate import Kind
from mitools.core.names import check_name
from mitools.estimators.bounds.club import read_club, read_club_sampled
from mitools.estimators.bounds.leave_one_out import read_leave_one_out
from mitools.estimators.bounds.log_likelihood import read_barber_agakov, read_divergence, read_log_ratio
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.conditional_densities import BlindConditional, GaussianConditional
from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.scaling import Standardised, fit_scaling
from mitools.estimators.inputs.whitening import WhitenedScaling, log_standard_normal
from mitools.estimators.neural.critic_choice import CriticStart
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.methods import CriticMethod, ReadBound
from mitools.estimators.neural.plan import Scaling, SplitFit

DISTINCT_VALUES_SHARE, LARGEST_VALUE_SHARE = 0.9, 0.001
"""Share of y's values that must differ, and that one of them may hold, for ranks to turn y into a standard
normal: a value that holds more has a probability, where a density is read."""


def _log_likelihood(critic: Any, x: Tensor, y: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
    return critic.of_pairs(x, y).mean(), memory


def _density(read: ReadBound) -> ReadBound:
    """Let a reading meet the blind critic as a density."""

    def read_density(
        critic: Any, x: Tensor, y: Tensor, diagonal_is_marginal: bool, groups: Tensor | None
    ) -> Reading:
        density = BlindConditional() if isinstance(critic, BlindCritic) else critic
        return read(density, x, y, diagonal_is_marginal, groups)

    return read_density


def _log_ratio(
    critic: Any, x: Tensor, y: Tensor, diagonal_is_marginal: bool, groups: Tensor | None
) -> Reading:
    return read_log_ratio(critic, x, y)


def _divergence(
    critic: Any, x: Tensor, y: Tensor, diagonal_is_marginal: bool, groups: Tensor | None
) -> Reading:
    return read_divergence(critic, x, y)


def _with_entropy(
    critic: Any, x: Tensor, y: Tensor, diagonal_is_marginal: bool, groups: Tensor | None, *, entropy: float
) -> Reading:
    log_marginal = log_standard_normal(y.double().cpu().numpy())
    return read_barber_agakov(
        critic, x, y, log_marginal=torch.from_numpy(log_marginal).to(y.device), entropy=entropy
    )


def _method(read: ReadBound, kind: Kind = "point estimate") -> CriticMethod:
    return CriticMethod(_log_likelihood, _density(read), kind, select=_density(_log_ratio))


LEARNED_DENSITY_METHODS: dict[str, CriticMethod] = {
    "barber_agakov": _method(_log_ratio, "lower bound"),
    "difference_of_entropies": _method(_log_ratio),
    "club": _method(read_club),
    "club_sampled": _method(read_club_sampled),
    "leave_one_out": _method(read_leave_one_out),
    "variational_kl": _method(_divergence),
}
"""They differ in what is read: every one learns q(y|x) by maximum likelihood, and is stopped by it."""


@dataclass(eq=False, repr=False)
class LearnedDensityEstimator(CrossFittedEstimator):
    """I(X;Y) by a learned density q(y|x), reported on items that neither fitted nor chose it.

    ========================  =============================================  ==========================
    method                    what is read                                   source
    ========================  =============================================  ==========================
    barber_agakov             h(Y) + E[log q(y|x)]                           Barber & Agakov 2003
    difference_of_entropies   E[log q(y|x)] - E[log r(y)]                    McAllester & Stratos 2020
    club                      E[log q(y|x)] - E_product[log q(y|x)]          Cheng et al. 2020
    club_sampled              the same, one other y for every x              Cheng et al. 2020
    leave_one_out             E[log q(y_j|x_j) / mean over i of q(y_j|x_i)]  Poole et al. 2019
    variational_kl            E[KL(q(y|x) || r(y))]                          Alemi et al. 2017
    ========================  =============================================  ==========================

    *Kinds.* All but the first are point estimates: upper bounds they would be by the true p(y|x) alone
    (:class:`mitools.estimators.neural.known_density.KnownDensityEstimator`). Barber-Agakov is a lower
    bound by any q, but needs h(Y): where it is given, or for one column of a continuous y, which its
    ranks turn into a standard normal. There ``log q(y|x) - log N(y; 0, 1)`` is averaged, by which errors
    of the ranks, known from *train* alone, count to second order only.

    *Model.* q(y|x) is normal, its mean and scales the best linear map of x, in closed form, and a network
    that corrects it. r(y) is normal with the training rows' mean and (shrunk) covariance, by which y is
    whitened. Where q is no better than r on *select*, r is read in its place.

    Parameters
    ----------
    method
        One of the above.
    entropy_y_nats
        h(Y) in nats, of y in the units it is given in; for ``barber_agakov`` alone.
    covariance
        ``full`` or ``diagonal``: of q.
    scaling
        What is done to the columns first; y is standardised where its entropy is given.
    hidden, folds, batch_size, learning_rate, max_steps, check_every, patience, average, device, seed
        See :class:`mitools.estimators.neural.settings.CriticFitSettings`.

    Attributes
    ----------
    estimate_, influence_, folds_, critic_, scale_x_, scale_y_, gain_nats_, gain_stderr_nats_
        As for :class:`mitools.estimators.neural.cross_fitted.CrossFittedEstimator`; the critic is
        ``log q(y|x) - log r(y)``.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal(2000)  # truth: 0.830 nats
    >>> estimate = LearnedDensityEstimator("barber_agakov", folds=1, max_steps=100).estimate(x, y)
    >>> estimate.kind
    'lower bound'
    """

    method: str = "difference_of_entropies"
    entropy_y_nats: float | None = None
    covariance: str = "full"
    scaling: str = "rank_normal"

    def strategy(self) -> "ConditionalDensityStrategy":
        """Give how densities are started and read, once every name is known.

        Raises
        ------
        InputError
            When a name is unknown, or an entropy is given that is not asked for.
        """
        check_name("method", self.method, LEARNED_DENSITY_METHODS)
        if self.covariance not in ("full", "diagonal"):
            raise InputError(f"unknown covariance {self.covariance!r}; accepted: full or diagonal")
        if self.entropy_y_nats is not None:
            if self.method != "barber_agakov":
                raise InputError(f"{self.method} makes no use of entropy_y_nats; leave it out")
            if not np.isfinite(self.entropy_y_nats):
                raise InputError(f"entropy_y_nats is {self.entropy_y_nats}, but it must be a finite number")
        return ConditionalDensityStrategy(
            self.method, self.entropy_y_nats, self.covariance == "full", tuple(self.hidden), self.scaling
        )


@dataclass(frozen=True)
class ConditionalDensityStrategy:
    """The best linear Gaussian model of the training pairs, and a network at zero that corrects it.

    Attributes
    ----------
    name
        See :class:`mitools.estimators.neural.strategy.CriticStrategy`.
    entropy_y_nats, full_covariance, hidden, scaling
        As :class:`LearnedDensityEstimator` has them.
    """

    name: str
    entropy_y_nats: float | None
    full_covariance: bool
    hidden: tuple[int, ...]
    scaling: str

    @property
    def method(self) -> CriticMethod:
        """What a step maximises, and what is read where no entropy is given."""
        return LEARNED_DENSITY_METHODS[self.name]

    def check(self, x: RowTable, y: RowTable) -> None:
        """Refuse a y whose entropy Barber-Agakov needs and does not know.

        Raises
        ------
        InputError
            When h(Y) is neither given nor known from the ranks of one continuous column.
        """
        if self.name != "barber_agakov" or self.entropy_y_nats is not None:
            return
        if self.scaling != "rank_normal" or y.width != 1:
            raise InputError(
                "barber_agakov needs h(Y), which is known without being given for one column and"
                " rank_normal scaling only; give entropy_y_nats or take difference_of_entropies"
            )
        counts = np.unique(y.rows(), return_counts=True)[1]
        # Rounding to single precision makes pairs and threes of values, whatever their number.
        if len(counts) < DISTINCT_VALUES_SHARE * len(y) or counts.max() > max(
            3, LARGEST_VALUE_SHARE * len(y)
        ):
            raise InputError(
                "barber_agakov needs a continuous y, but many values of this one are the same; take"
                " label_information or mixed_ksg"
            )

    def scale_x(self, train: NDArray[np.float32]) -> Scaling:
        """Fit the scaling of x."""
        return fit_scaling(self.scaling, train)

    def scale_y(self, train: NDArray[np.float32]) -> Scaling:
        """Fit the scaling and, but for its ranks' own normal scores, the whitening of y."""
        if self.entropy_y_nats is not None:
            whitened = WhitenedScaling(Standardised(train), train)
            if not whitened.whiten.keeps_all:
                raise InputError(
                    "a column of y is constant or follows from others: its entropy is minus infinity, not"
                    " what entropy_y_nats says; leave it out"
                )
            return whitened
        if self.name == "barber_agakov":
            # Its normal scores are what is standard normal; whitening would move them.
            if np.ptp(train) == 0:
                raise InputError("y does not vary on the training rows: there is no density to model")
            return fit_scaling(self.scaling, train)
        return WhitenedScaling(fit_scaling(self.scaling, train), train)

    def method_for(self, scale_y: Scaling) -> CriticMethod:
        """Give the method; what is known of y in its own units is turned into those of the whitened y."""
        if self.entropy_y_nats is None:
            return self.method
        entropy = self.entropy_y_nats + _log_volume(scale_y)
        return _method(partial(_with_entropy, entropy=entropy), "lower bound")

    def start(self, fit: SplitFit) -> CriticStart:
        """Make the best linear Gaussian model of the training pairs, its network still at zero."""
        d_x, d_y = fit.sides.x.shape[1], fit.sides.y.shape[1]
        with seeded(fit.seed):
            model = GaussianConditional(d_x, d_y, self.hidden, self.full_covariance)
        train_x, train_y = (rows.cpu().numpy() for rows in fit.training_pairs())
        model.start(train_x, train_y)
        return CriticStart(model.to(fit.sides.x.device), "linear gaussian")


def _log_volume(scale_y: Scaling) -> float:
    """Logarithm of the Jacobian of standardising and whitening."""
    assert isinstance(scale_y, WhitenedScaling)
    assert isinstance(scale_y.scale, Standardised)
    return scale_y.whiten.log_volume - float(np.log(scale_y.scale.scale).sum())
