"""Neural bounds: a critic trained on *train*, stopped by *select*, read once on *report*."""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from mitools.backends.seeding import seeded
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import CRITICS, start_at_zero
from mitools.estimators.inputs.row_table import RowTable
from mitools.estimators.inputs.scaling import fit_scaling
from mitools.estimators.neural.critic_choice import CriticStart
from mitools.estimators.neural.cross_fitted import CrossFittedEstimator
from mitools.estimators.neural.methods import VARIATIONAL_METHODS, CriticMethod
from mitools.estimators.neural.plan import Scaling, SplitFit

BASES: dict[str, Callable[[Tensor, Tensor], nn.Module] | None] = {
    "none": None,
    "gaussian_copula": GaussianCopulaBase.fit,
}


@dataclass(eq=False, repr=False)
class VariationalEstimator(CrossFittedEstimator):
    """A neural bound, reported on items that neither fitted nor chose the critic.

    A critic whose best value on *select* is not two standard errors above 0 has learnt nothing that
    shows; a blind one is then read in its place, and the reading is 0 (with a base, see
    :func:`mitools.estimators.neural.critic_choice.choose`).

    Parameters
    ----------
    method
        A name in :data:`~mitools.estimators.neural.methods.VARIATIONAL_METHODS`,
        such as ``infonce`` or ``dv``.
    critic
        A name in :data:`mitools.estimators.critics.networks.CRITICS`, such as ``separable`` or ``joint``;
        or a critic to start from, which is copied. On *select* it competes, as a base does, with what
        becomes of it.
    base
        ``gaussian_copula``: the critic is a closed form that the network corrects, starting at zero, so
        that the first value is the closed form's. On *select* the closed form alone, the corrected one
        and a blind one compete. ``none``: the network alone.
    scaling
        What is done to the columns, fitted on *train*: ``rank_normal``, ``standardise`` or ``none``. Ranks
        make heavy tails harmless, and close the gaps between clusters: same-class pairs read up to 0.03
        bits more by ``standardise``.
    hidden, folds, batch_size, learning_rate, max_steps, check_every, patience, average, device, seed
        See :class:`mitools.estimators.neural.settings.CriticFitSettings`.

    Attributes
    ----------
    estimate_, influence_, folds_, critic_, scale_x_, scale_y_, gain_nats_, gain_stderr_nats_
        As for :class:`mitools.estimators.neural.cross_fitted.CrossFittedEstimator`.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal(2000)  # truth: 0.830 nats
    >>> estimate = VariationalEstimator("infonce", folds=1, max_steps=300).estimate(x, y)
    >>> estimate.kind
    'lower bound'
    """

    method: str = "infonce"
    critic: str | nn.Module = "separable"
    base: str = "none"
    scaling: str = "rank_normal"

    def strategy(self) -> "NetworkStrategy":
        """Give how critics are started and read, once every name is known.

        Raises
        ------
        InputError
            When a name is unknown, or settings contradict each other.
        """
        if not isinstance(self.critic, nn.Module):
            check_name("critic", self.critic, CRITICS)
        elif self.base != "none":
            raise InputError("a critic to start from takes the place of a base; leave one of the two out")
        check_name("base", self.base, BASES)
        check_name("method", self.method, VARIATIONAL_METHODS)
        method = VARIATIONAL_METHODS[self.method]
        if method.one_space and self.base != "none":
            raise InputError(f"{self.method} scores x against x too, which a base cannot; take infonce")
        return NetworkStrategy(self.method, method, self.critic, self.base, tuple(self.hidden), self.scaling)


@dataclass(frozen=True)
class NetworkStrategy:
    """A network that starts at random, or at a closed form, or at a given critic.

    Attributes
    ----------
    name, method
        See :class:`mitools.estimators.neural.strategy.CriticStrategy`.
    critic, base, hidden, scaling
        As :class:`VariationalEstimator` has them.
    """

    name: str
    method: CriticMethod
    critic: str | nn.Module
    base: str
    hidden: tuple[int, ...]
    scaling: str

    def check(self, x: RowTable, y: RowTable) -> None:
        """Refuse x and y of different dimensions where one is scored against itself.

        Raises
        ------
        InputError
            When the method needs them in one space.
        """
        if self.method.one_space and x.width != y.width:
            raise InputError(
                f"{self.name} scores x against x too, so x and y must have the same dimension, not"
                f" {x.width} and {y.width}; take infonce"
            )

    def scale_x(self, train: NDArray[np.float32]) -> Scaling:
        """Fit the scaling of x."""
        return fit_scaling(self.scaling, train)

    def scale_y(self, train: NDArray[np.float32]) -> Scaling:
        """Fit the scaling of y."""
        return fit_scaling(self.scaling, train)

    def method_for(self, scale_y: Scaling) -> CriticMethod:
        """Give the method: it reads alike whatever the scaling."""
        return self.method

    def start(self, fit: SplitFit) -> CriticStart:
        """Make a critic as it is before its first step; the null's starts with the same weights."""
        d_x, d_y = fit.sides.x.shape[1], fit.sides.y.shape[1]
        fit_base, base = BASES[self.base], None
        with seeded(fit.seed):
            if isinstance(self.critic, nn.Module):
                critic, base = copy.deepcopy(self.critic), "given critic"
            else:
                critic = CRITICS[self.critic](d_x, d_y, hidden=self.hidden)
            if fit_base is not None:
                critic, base = (
                    CorrectedCritic(fit_base(*fit.training_pairs()), start_at_zero(critic)),
                    self.base,
                )
            critic = fit.method.wrap(critic, d_x, d_y, self.hidden)
        return CriticStart(critic.to(fit.sides.x.device), base)
