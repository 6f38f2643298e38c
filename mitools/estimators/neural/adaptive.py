"""The certificate for continuous rows: the closed form that *select* prefers, corrected by a network."""

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mitools.backends.seeding import seeded
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import BlindCritic
from mitools.estimators.critics.row_norm import SmoothCritic, Through, Variates, WithSize
from mitools.estimators.critics.student_copula import StudentCopulaBase
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.neural.methods import VARIATIONAL_METHODS, Method
from mitools.estimators.neural.plan import HeldOut
from mitools.estimators.neural.training_loop import Fitted, Member
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.estimators.pairs import Pairing

NARROW = 10
"""Columns up to which the network sees a side as it is, and not through canonical variates alone."""

CLEAR_CORRELATION = 0.1
"""A canonical correlation, cross-validated on training rows, from which its variates are looked at."""


class AdaptiveEstimator(VariationalEstimator):
    """A certified lower bound that starts from the closed form that fits best, and corrects it.

    On each fold critics without a network are read on *select*, and the best is the base:

    ``gaussian copula``
        Jointly normal but for a monotone map of each column.
    ``student copula``
        The same with a scale that x and y share: heavy tails
        (:class:`mitools.estimators.critics.student_copula.StudentCopulaBase`).
    ``gaussian with size``
        The first, of columns, row sizes and their products
        (:class:`mitools.estimators.critics.row_norm.WithSize`); where a side has more than ten columns, as a
        network finds such products in fewer.
    ``blind``
        Zero.

    A network that starts at zero then corrects it, by Donsker-Varadhan. It sees the columns and the row's
    size; a side of more than ten columns it sees through the canonical variates that are clearly
    correlated, where there are any: in so many columns it would fit noise. In up to ten columns a side a
    second network has nothing to correct, which is a better start where the base has the wrong shape.
    *Select* stops both and decides between them, the base alone and a blind critic. Nothing of this touches
    *report*, so that the number is a lower bound whatever was chosen. It is a function of ranks alone.

    Parameters
    ----------
    hidden, folds, batch_size, learning_rate, max_steps, check_every, patience, average, device, seed
        As for :class:`mitools.estimators.neural.variational.VariationalEstimator`. Three narrow layers
        came 0.03 to 0.1 nats closer than two wide ones on pairs whose columns are turned by the row's
        size.

    Attributes
    ----------
    estimate_, influence_, folds_, critic_, scale_x_, scale_y_
        As there.
    bases_
        The base of each fold.
    gain_nats_, gain_stderr_nats_
        What the networks added to their bases on *select*, mean over the folds. As the best of many looks
        it is a standard error or so above 0 where there is nothing to add.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((2000, 5))
    >>> y = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal((2000, 5))  # truth: 4.15 nats
    >>> estimate = AdaptiveEstimator(folds=1, max_steps=50).estimate(x, y)
    >>> estimate.kind, bool(3.7 < estimate.nats < 4.5)
    ('lower bound', True)
    """

    # What the shared parts of the fit ask for.
    method = "adaptive"
    base = "chosen"
    scaling = "rank_normal"

    def __init__(
        self,
        hidden: Sequence[int] = (64, 64, 64),
        folds: int | None = None,
        batch_size: int = 256,
        learning_rate: float = 2e-3,
        max_steps: int = 2000,
        check_every: int = 50,
        patience: int = 6,
        average: float = 0.99,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.folds = folds
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.max_steps = max_steps
        self.check_every = check_every
        self.patience = patience
        self.average = average
        self.device = device
        self.seed = seed

    def fit(
        self, x: ArrayLike, y: ArrayLike, pairing: Pairing | None = None, parts: Parts | None = None
    ) -> Self:
        """Fit the critics, choose and stop them on *select*, and read the bound once on *report*.

        Parameters
        ----------
        x, y, pairing, parts
            As for :meth:`mitools.estimators.neural.variational.VariationalEstimator.fit`.

        Raises
        ------
        InputError
            When a setting is out of its range, the input is malformed or a score is not finite.
        """
        started = time.perf_counter()
        self._bases: list[str] = []
        plan = self.plan(x, y, pairing, parts)
        fits = plan.folds + plan.nulls
        rivals = [
            fit.member(_network(member), member.batch_size)
            for fit, member in zip(fits, plan.members, strict=True)
            if _narrow(fit)
        ]
        fitted = self.fit_members([*plan.members, *rivals])
        corrected, alone = fitted[: len(fits)], fitted[len(fits) :]
        if alone:
            corrected = [_better(*both) for both in zip(corrected, alone, strict=True)]
        self.gain_nats_, self.gain_stderr_nats_ = _gain(corrected[: len(plan.folds)])
        self.conclude(plan, corrected, time.perf_counter() - started)
        self.bases_ = self._bases[: len(plan.folds)]
        read = [
            "network" if isinstance(fold.critic, Through) else name
            for fold, name in zip(self.folds_, self.estimate_.settings["critics_read"], strict=True)
        ]
        settings = {**self.estimate_.settings, "bases": self.bases_, "critics_read": read}
        self.estimate_ = replace(self.estimate_, settings=settings)
        return self

    def _checked_method(self) -> Method:
        return VARIATIONAL_METHODS["dv"]

    def _start(self, fit: HeldOut) -> nn.Module:
        """Make the base that reads most on *select*, its correction still zero."""
        x, y = fit.training_pairs()
        gaussian = GaussianCopulaBase.fit(x, y)
        candidates = _candidates(x, y, gaussian, wide=not _narrow(fit))
        pairs = fit.rows(fit.select)
        read = [fit.method.look(each.critic, *pairs, fit.pairing.diagonal_is_marginal) for each in candidates]
        best = max(range(len(candidates)), key=lambda k: read[k].nats)
        self._bases.append(candidates[best].name)
        see_x = Variates(x, _clear(x, gaussian.to_u, gaussian))
        see_y = Variates(y, _clear(y, gaussian.to_v, gaussian))
        with seeded(fit.seed):
            network = SmoothCritic(see_x.width, see_y.width, tuple(self.hidden))
        return CorrectedCritic(candidates[best].critic, Through(network, see_x, see_y)).to(x.device)


class _Candidate(NamedTuple):
    name: str
    critic: nn.Module


def _candidates(x: Tensor, y: Tensor, gaussian: GaussianCopulaBase, wide: bool) -> list[_Candidate]:
    candidates = [
        _Candidate("blind", BlindCritic()),
        _Candidate("gaussian copula", gaussian),
        _Candidate("student copula", StudentCopulaBase.fit(x, y, gaussian)),
    ]
    if wide:
        of_x, of_y = WithSize(x), WithSize(y)
        with_size = GaussianCopulaBase.fit(of_x(x), of_y(y))
        candidates.append(_Candidate("gaussian with size", Through(with_size, of_x, of_y)))
    return candidates


def _narrow(fit: HeldOut) -> bool:
    return max(fit.tables.x.shape[1], fit.tables.y.shape[1]) <= NARROW


def _network(member: Member) -> nn.Module:
    """Give the network that a member corrects its base by, as it is before its first step."""
    assert isinstance(member.start, CorrectedCritic)
    return copy.deepcopy(member.start.network)


def _better(corrected: Fitted, alone: Fitted) -> Fitted:
    """Keep what reads more on *select*; either must then prove itself against the base."""
    return corrected if corrected.best.nats >= alone.best.nats else alone._replace(start=corrected.start)


def _gain(fitted: Sequence[Fitted]) -> tuple[float, float]:
    gains = [one.best.nats - one.start.nats for one in fitted]
    # Both were read on the same pairs, so that what they share drops out of the difference.
    noise = [
        np.linalg.norm(one.best.influence - one.start.influence) / len(one.best.influence) for one in fitted
    ]
    return float(np.mean(gains)), float(np.linalg.norm(noise) / len(fitted))


def _clear(rows: Tensor, sharpened: Tensor, gaussian: GaussianCopulaBase) -> Tensor | None:
    """Directions of the clearly correlated variates of a wide side, at variance 1; None for all columns."""
    if rows.shape[1] <= NARROW:
        return None
    r = gaussian.correlations
    clear = r > CLEAR_CORRELATION
    if not clear.any():
        return None
    return (sharpened[:, clear] * ((1 - r.square()) / r)[clear].sqrt()).to(rows.dtype)
