"""The one fitting loop: a critic trained on *train*, stopped by *select*, read once on *report*."""

import copy
import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from mitools.backends.seeding import seeded
from mitools.backends.streams import in_streams, stream_count
from mitools.errors import InputError
from mitools.estimate import Estimate, Kind
from mitools.estimators import bounds, readings
from mitools.estimators.arrays import as_rows, location_and_scale, same_length
from mitools.estimators.base import MIEstimator, PairedRows, Pairing
from mitools.estimators.cautions import LEARNT_FROM, cautions, two_sided
from mitools.estimators.critics import CRITICS, BlindCritic
from mitools.estimators.parts import Parts, as_many_as_report, split
from mitools.specs import nearest

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]


class _Mine:
    """MINE's objective, which remembers a moving average from step to step."""

    def __init__(self, rate: float = 0.01) -> None:
        self.rate = rate
        self.log_average: Tensor | None = None

    def __call__(self, critic: nn.Module, x: Tensor, y: Tensor) -> Tensor:
        objective, self.log_average = bounds.mine_surrogate(critic(x, y), self.log_average, self.rate)
        return objective


class Method(NamedTuple):
    """What tells one variational estimator from another.

    Attributes
    ----------
    objective
        Makes what a training step maximises: critic, x, y -> a scalar.
    read
        Reads the bound over a whole part: critic, x, y, and the pairing's ``diagonal_is_marginal``.
    kind
        What the read number is.
    ceiling
        The most that n pairs can read, in nats, or None.
    one_space
        Whether x is scored against x too, so that x and y must have the same dimension.
    """

    objective: Callable[[], Objective]
    read: Callable[[readings.Critic, Tensor, Tensor, bool], readings.Reading]
    kind: Kind
    ceiling: Callable[[int], float | None]
    one_space: bool = False


METHODS: dict[str, Method] = {
    "infonce": Method(
        lambda: lambda critic, x, y: bounds.infonce(critic(x, y)),
        lambda critic, x, y, diagonal_is_marginal: readings.read_infonce(critic, x, y),
        "lower bound",
        math.log,
    ),
    "nt_xent": Method(
        lambda: lambda critic, x, y: bounds.nt_xent(critic(x, y), critic(x, x), critic(y, y)),
        lambda critic, x, y, diagonal_is_marginal: readings.read_nt_xent(critic, x, y),
        "asymptotic lower bound",
        lambda n: math.log(2 * n - 1),
        one_space=True,
    ),
    "dv": Method(
        lambda: lambda critic, x, y: bounds.donsker_varadhan(critic(x, y)),
        readings.read_donsker_varadhan,
        "lower bound",
        lambda n: None,
    ),
    "mine": Method(_Mine, readings.read_donsker_varadhan, "lower bound", lambda n: None),
}


class VariationalEstimator(MIEstimator):
    """A neural lower bound, reported on items that neither fitted nor chose the critic.

    A critic whose best value on *select* is not two standard errors above 0 has learnt nothing that
    shows; a blind one is then read in its place, and the reading is 0.

    Parameters
    ----------
    method
        ``infonce``, ``nt_xent``, ``dv`` or ``mine``.
    critic
        ``separable``, ``joint`` or ``projection`` (for views of one dimension).
    hidden
        Widths of the critic's hidden layers.
    batch_size
        Pairs a step; every one is a negative for all others.
    learning_rate
        Of Adam.
    max_steps
        Steps at the most.
    check_every
        Steps between two looks at *select*.
    patience
        Looks without a better value after which fitting stops; the best weights are kept.
    average
        Decay of the running average of the weights, which is what is looked at, kept and read: it
        halves the loss to overfitting at no cost.
    device
        Where the features stay during fitting.
    seed
        Of the split, the weights and the batches. Same seed, same machine, same number.

    Attributes
    ----------
    estimate_
        The reading on the report part.
    influence_
        Shape (n_pairs,), nats: see :class:`mitools.estimators.readings.Reading`.
    critic_
        The fitted critic, for standardised x and y.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.9 * x + np.sqrt(1 - 0.81) * rng.standard_normal(2000)  # truth: 0.830 nats
    >>> estimate = VariationalEstimator("infonce", max_steps=300).estimate(x, y)
    >>> estimate.kind
    'lower bound'
    """

    def __init__(
        self,
        method: str = "infonce",
        critic: str = "separable",
        hidden: Sequence[int] = (256, 256),
        batch_size: int = 256,
        learning_rate: float = 1e-3,
        max_steps: int = 3000,
        check_every: int = 50,
        patience: int = 8,
        average: float = 0.99,
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.method = method
        self.critic = critic
        self.hidden = hidden
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
        """Fit the critic, stop it on *select*, and read the bound once on *report*.

        Parameters
        ----------
        x
            Shape (rows, d_x).
        y
            Shape (rows, d_y).
        pairing
            Which rows form pairs; row i of x with row i of y when None.
        parts
            The split of the pairing's items; drawn by the seed when None.

        Raises
        ------
        InputError
            When a setting is out of its range, the input is malformed or a score is not finite.
        """
        started = time.perf_counter()
        method = self._checked_method()
        x_rows, y_rows = as_rows(x, "x"), as_rows(y, "y")
        same_length(len(x_rows), len(y_rows), "x", "y")
        if pairing is None:
            pairing = PairedRows(len(x_rows))
        same_length(len(x_rows), pairing.n_rows, "x", "the pairing")
        if method.one_space and x_rows.shape[1] != y_rows.shape[1]:
            raise InputError(
                f"{self.method} scores x against x too, so x and y must have the same dimension, not"
                f" {x_rows.shape[1]} and {y_rows.shape[1]}; take infonce"
            )
        if parts is None:
            parts = split(pairing.n_items, pairing.strata, self.seed)
        with seeded(self.seed):
            make = CRITICS[self.critic]
            untrained = make(x_rows.shape[1], y_rows.shape[1], hidden=tuple(self.hidden)).to(self.device)
        apart = pairing.apart(parts, np.random.default_rng([self.seed, 1]))
        fitted, blind = in_streams(
            lambda pairs: self._fit_critic(method, copy.deepcopy(untrained), x_rows, y_rows, pairs, parts),
            (pairing, apart),
            min(2, stream_count(torch.device(self.device))),
        )

        reading, null = fitted.report, blind.report
        interval = two_sided(reading.nats, reading.stderr)
        ceiling = method.ceiling(len(reading.influence))
        self.critic_ = fitted.critic
        self.influence_ = reading.influence
        self.estimate_ = Estimate(
            method=self.method,
            kind=method.kind,
            nats=reading.nats,
            stderr_nats=reading.stderr,
            interval_nats=interval,
            ceiling_nats=ceiling,
            entropy_nats=pairing.entropy_nats,
            null_nats=null.nats,
            n_train=len(parts.train),
            n_select=len(parts.select),
            n_report=len(parts.report),
            seconds=time.perf_counter() - started,
            settings=self.settings() | {"steps": fitted.steps, "pairs": len(reading.influence)},
            warnings=cautions(
                interval,
                reading.nats,
                null=two_sided(null.nats, null.stderr),
                ceiling=ceiling,
                entropy=pairing.entropy_nats,
                train_nats=fitted.train_nats,
                still_rising=fitted.still_rising,
            ),
        )
        return self

    def _checked_method(self) -> Method:
        """Return the method, once every setting is known to be in its range."""
        for name, least in {"batch_size": 2, "max_steps": 1, "check_every": 1, "patience": 1}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}, but it must be at least {least}")
        if not self.learning_rate > 0 or not 0 <= self.average < 1:
            raise InputError("the learning rate must be positive, and the average's decay in [0, 1)")
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden is {self.hidden}, but a critic needs one hidden layer at least")
        _known(CRITICS, self.critic, "critic")
        return _known(METHODS, self.method, "method")

    def _fit_critic(
        self,
        method: Method,
        fitting: nn.Module,
        x_rows: NDArray[np.float32],
        y_rows: NDArray[np.float32],
        pairing: Pairing,
        parts: Parts,
    ) -> "_Fitted":
        rng = np.random.default_rng([self.seed, 2])
        source = pairing.within(parts.train)
        used_x, used_y = source.draw(4 * len(parts.train), rng)
        x, y = _standardised(x_rows, used_x, self.device), _standardised(y_rows, used_y, self.device)
        critic = copy.deepcopy(fitting)

        def read(items: NDArray[np.int64], critic: readings.Critic) -> readings.Reading:
            ix, iy = pairing.within(items).independent(np.random.default_rng([self.seed, 3]))
            if len(ix) < 2:
                raise InputError(
                    f"{len(items)} items give {len(ix)} independent pairs, two at least are needed"
                )
            pairs = x[torch.from_numpy(ix)], y[torch.from_numpy(iy)]
            return method.read(critic, *pairs, pairing.diagonal_is_marginal)

        optimiser = torch.optim.Adam(fitting.parameters(), lr=self.learning_rate)
        objective = method.objective()
        batch = min(self.batch_size, len(parts.train))
        best: nn.Module = BlindCritic()
        best_reading = read(parts.select, critic)
        step, best_step, enough = 0, 0, self.patience * self.check_every
        while step < self.max_steps and step - best_step < enough:
            ix, iy = source.draw(batch, rng)
            optimiser.zero_grad(set_to_none=True)
            (-objective(fitting, x[torch.from_numpy(ix)], y[torch.from_numpy(iy)])).backward()
            optimiser.step()
            step += 1
            with torch.no_grad():
                torch._foreach_lerp_(list(critic.parameters()), list(fitting.parameters()), 1 - self.average)
            if step % self.check_every == 0:
                reading = read(parts.select, critic)
                if reading.nats > best_reading.nats:
                    best, best_reading, best_step = copy.deepcopy(critic), reading, step
        if best_reading.nats <= LEARNT_FROM * best_reading.stderr:
            best = BlindCritic()
        report = read(parts.report, best)
        train = read(as_many_as_report(parts, pairing.strata, rng), best)
        return _Fitted(best, report, train.nats, step, still_rising=step - best_step < enough)


class _Fitted(NamedTuple):
    critic: nn.Module
    report: readings.Reading
    train_nats: float
    steps: int
    still_rising: bool


def _standardised(rows: NDArray[np.float32], used: NDArray[np.int64], device: str) -> Tensor:
    """Shift and scale each column by its mean and deviation over the training rows."""
    mean, scale = location_and_scale(rows[np.unique(used)])
    return torch.from_numpy((rows - mean) / scale).to(device)


def _known(table: dict[str, Any], name: str, what: str) -> Any:
    if name not in table:
        raise InputError(f"unknown {what} {name!r}; accepted: {nearest(name, table, len(table))}")
    return table[name]
