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
from mitools.errors import InputError
from mitools.estimate import Estimate, Kind
from mitools.estimators import bounds, readings
from mitools.estimators.arrays import as_rows, same_length
from mitools.estimators.base import MIEstimator, PairedRows, Pairing
from mitools.estimators.cautions import cautions, two_sided
from mitools.estimators.critics import CRITICS
from mitools.estimators.parts import Parts, split
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
        Reads the bound over a whole part.
    kind
        What the read number is.
    ceiling
        The most that n pairs can read, in nats, or None.
    """

    objective: Callable[[], Objective]
    read: Callable[[readings.Critic, Tensor, Tensor], readings.Reading]
    kind: Kind
    ceiling: Callable[[int], float | None]


METHODS: dict[str, Method] = {
    "infonce": Method(
        lambda: lambda critic, x, y: bounds.infonce(critic(x, y)),
        readings.read_infonce,
        "lower bound",
        math.log,
    ),
    "nt_xent": Method(
        lambda: lambda critic, x, y: bounds.nt_xent(critic(x, y), critic(x, x), critic(y, y)),
        readings.read_nt_xent,
        "asymptotic lower bound",
        lambda n: math.log(2 * n - 1),
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
            When the input is malformed or a score is not finite.
        """
        started = time.perf_counter()
        method = _known(METHODS, self.method, "method")
        x_rows, y_rows = as_rows(x, "x"), as_rows(y, "y")
        if pairing is None:
            same_length(len(x_rows), len(y_rows), "x", "y")
            pairing = PairedRows(len(x_rows))
        if parts is None:
            parts = split(pairing.n_items, pairing.strata, self.seed)
        fitted = self._fit_critic(method, x_rows, y_rows, pairing, parts)
        rng = np.random.default_rng([self.seed, 1])
        apart = self._fit_critic(method, x_rows, y_rows, pairing.apart(parts, rng), parts)

        reading, null = fitted.report, apart.report
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

    def _fit_critic(
        self,
        method: Method,
        x_rows: NDArray[np.float32],
        y_rows: NDArray[np.float32],
        pairing: Pairing,
        parts: Parts,
    ) -> "_Fitted":
        rng = np.random.default_rng([self.seed, 2])
        source = pairing.within(parts.train)
        used_x, used_y = source.draw(4 * len(parts.train), rng)
        x, y = _standardised(x_rows, used_x, self.device), _standardised(y_rows, used_y, self.device)
        with seeded(self.seed):
            make = _known(CRITICS, self.critic, "critic")
            fitting = make(x.shape[1], y.shape[1], hidden=tuple(self.hidden)).to(self.device)
        critic = copy.deepcopy(fitting)

        def read(items: NDArray[np.int64]) -> readings.Reading:
            ix, iy = pairing.within(items).independent(np.random.default_rng([self.seed, 3]))
            if len(ix) < 2:
                raise InputError(
                    f"{len(items)} items give {len(ix)} independent pairs, two at least are needed"
                )
            with torch.no_grad():
                return method.read(critic, x[torch.from_numpy(ix)], y[torch.from_numpy(iy)])

        optimiser = torch.optim.Adam(fitting.parameters(), lr=self.learning_rate)
        objective = method.objective()
        batch = min(self.batch_size, len(parts.train))
        best, best_step, best_weights, step = (
            read(parts.select).nats,
            0,
            copy.deepcopy(critic.state_dict()),
            0,
        )
        while step < self.max_steps and step - best_step < self.patience * self.check_every:
            ix, iy = source.draw(batch, rng)
            optimiser.zero_grad(set_to_none=True)
            (-objective(fitting, x[torch.from_numpy(ix)], y[torch.from_numpy(iy)])).backward()
            optimiser.step()
            step += 1
            with torch.no_grad():
                torch._foreach_lerp_(list(critic.parameters()), list(fitting.parameters()), 1 - self.average)
            if step % self.check_every == 0 and (value := read(parts.select).nats) > best:
                best, best_step, best_weights = value, step, copy.deepcopy(critic.state_dict())
        critic.load_state_dict(best_weights)
        report = read(parts.report)
        # As many training items as report items: InfoNCE rises with the number of pairs it is read on.
        train = read(np.sort(rng.permutation(parts.train)[: len(parts.report)]))
        return _Fitted(critic, report, train.nats, step, step - best_step < self.check_every)


class _Fitted(NamedTuple):
    critic: nn.Module
    report: readings.Reading
    train_nats: float
    steps: int
    still_rising: bool


def _standardised(rows: NDArray[np.float32], used: NDArray[np.int64], device: str) -> Tensor:
    """Shift and scale each column by its mean and deviation over the training rows."""
    seen = rows[np.unique(used)]
    scale = seen.std(axis=0)
    # A constant column carries nothing; dividing by one leaves it at zero.
    return torch.from_numpy((rows - seen.mean(axis=0)) / np.where(scale > 0, scale, 1)).to(device)


def _known(table: dict[str, Any], name: str, what: str) -> Any:
    if name not in table:
        raise InputError(f"unknown {what} {name!r}; accepted: {nearest(name, table, len(table))}")
    return table[name]
