"""Neural bounds: a critic trained on *train*, stopped by *select*, read once on *report*."""

import copy
import time
from collections.abc import Callable, Sequence
from typing import Self

import numpy as np
from numpy.typing import ArrayLike
from torch import Tensor, nn

from mitools.backends.devices import resolve_device
from mitools.backends.seeding import derive_seed, seeded
from mitools.backends.streams import in_streams, stream_count
from mitools.core.errors import InputError
from mitools.core.names import check_name
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.critics.corrected import CorrectedCritic
from mitools.estimators.critics.gaussian_copula import GaussianCopulaBase
from mitools.estimators.critics.networks import CRITICS, start_at_zero
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, Table
from mitools.estimators.inputs.scaling import fit_scaling
from mitools.estimators.inputs.splits import Parts, at_most
from mitools.estimators.inputs.validation import as_table, same_length
from mitools.estimators.neural.critic_choice import choose
from mitools.estimators.neural.methods import VARIATIONAL_METHODS, Method
from mitools.estimators.neural.plan import Fold, HeldOut, Plan, ScaledRows, Tables
from mitools.estimators.neural.training_loop import Fitted, Member, Schedule, fit_critics
from mitools.estimators.pairs import PairedRows, Pairing

BASES: dict[str, Callable[[Tensor, Tensor], nn.Module] | None] = {
    "none": None,
    "gaussian_copula": GaussianCopulaBase.fit,
}

NULL_FOLDS = 1
"""Folds of the null. Any one reads, in expectation, what the mean of all does, on fewer pairs: over 40
samples of 1,000 pairs it was 0.000 on average and 0.005 in deviation, below the reading's standard error."""


class VariationalEstimator(MIEstimator):
    """A neural bound, reported on items that neither fitted nor chose the critic.

    A critic whose best value on *select* is not two standard errors above 0 has learnt nothing that
    shows; a blind one is then read in its place, and the reading is 0 (with a base, see
    :func:`mitools.estimators.neural.critic_choice.choose`).

    After cross-fitting, the ceiling is that of the smallest fold, ``n_train`` and ``n_select`` are those
    of a fold, and ``n_report`` is all items.

    Parameters
    ----------
    method
        A name in :data:`~mitools.estimators.neural.methods.VARIATIONAL_METHODS`,
        such as ``infonce`` or ``dv``.
    critic
        A name in :data:`mitools.estimators.critics.networks.CRITICS`, such as ``separable`` or ``joint``;
        or a critic to start from, which is copied. On *select* it competes, as a base does, with what
        becomes of it.
    hidden
        Widths of the critic's hidden layers.
    base
        ``gaussian_copula``: the critic is a closed form that the network corrects, starting at zero, so
        that the first value is the closed form's. On *select* the closed form alone, the corrected one
        and a blind one compete. ``none``: the network alone.
    scaling
        What is done to the columns, fitted on *train*: ``rank_normal``, ``standardise`` or ``none``. Ranks
        make heavy tails harmless, and close the gaps between clusters: same-class pairs read up to 0.03
        bits more by ``standardise``.
    folds
        1: one split. k: cross-fitting, k splits whose *report* parts are all items together; one pooled
        value and interval. None: 5 below :data:`mitools.estimators.inputs.folds.CROSS_FIT_BELOW` items,
        where it was measured to be worth its time, else (and for given parts) 1. The null has one fold.
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
        Shape (n_pairs,), nats: see :class:`mitools.estimators.bounds.reading.Reading`.
    folds_
        Each fold's critic, scalings, reported pairs and reading; one where there is one split.
    critic_, scale_x_, scale_y_
        Those of the first fold: ``critic_(tensor(scale_x_(x)), tensor(scale_y_(y)))`` scores new rows.

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

    def __init__(
        self,
        method: str = "infonce",
        critic: str | nn.Module = "separable",
        hidden: Sequence[int] = (256, 256),
        base: str = "none",
        scaling: str = "rank_normal",
        folds: int | None = None,
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
        self.base = base
        self.scaling = scaling
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
        plan = self.plan(x, y, pairing, parts)
        return self.conclude(plan, self.fit_members(plan.members), time.perf_counter() - started)

    def plan(
        self, x: ArrayLike, y: ArrayLike, pairing: Pairing | None = None, parts: Parts | None = None
    ) -> Plan:
        """Check everything, split the items and make the critics: what :meth:`fit` does first."""
        self._check_numbers()
        method = self._checked_method()
        x_rows, y_rows = as_table(x, "x"), as_table(y, "y")
        same_length(len(x_rows), len(y_rows), "x", "y")
        if pairing is None:
            pairing = PairedRows(len(x_rows))
        same_length(len(x_rows), pairing.n_rows, "x", "the pairing")
        if method.one_space and x_rows.width != y_rows.width:
            raise InputError(
                f"{self.method} scores x against x too, so x and y must have the same dimension, not"
                f" {x_rows.width} and {y_rows.width}; take infonce"
            )
        folds, nulls = [], []
        for k, split in enumerate(self._splits(pairing, parts)):
            seed = self.seed if k == 0 else derive_seed(self.seed, k)
            tables = self._tables(x_rows, y_rows, pairing, split, seed)
            folds.append(HeldOut(method, tables, pairing, split, seed))
            if k < NULL_FOLDS:
                apart = pairing.apart(split, np.random.default_rng([seed, 1]))
                nulls.append(HeldOut(method, tables, apart, split, seed))
        batch_size = min(self.batch_size, *(len(fold.parts.train) for fold in folds))
        members = [fit.member(self._start(fit), batch_size) for fit in folds + nulls]
        return Plan(pairing, folds, nulls, members)

    def fit_members(self, members: Sequence[Member]) -> list[Fitted]:
        """Fit critics of one plan or several: what :meth:`fit` does then."""
        schedule = Schedule(self.learning_rate, self.max_steps, self.check_every, self.patience, self.average)
        objective = self._checked_method().objective
        return fit_critics(members, objective, schedule, resolve_device(self.device))

    def conclude(self, plan: Plan, fitted: Sequence[Fitted], seconds: float) -> Self:
        """Read the fitted critics of a plan on *report*: what :meth:`fit` does last.

        Parameters
        ----------
        plan, fitted
            The plan, and its members in their order.
        seconds
            What planning and fitting took.
        """
        started = time.perf_counter()
        with_base = self.base != "none" or isinstance(self.critic, nn.Module)
        chosen = [
            choose(member.start, one, with_base) for member, one in zip(plan.members, fitted, strict=True)
        ]
        report, train = self._read(plan, [one.critic for one in chosen])
        n_folds = len(plan.folds)
        self.folds_ = [
            Fold(fit.parts, one.critic, fit.tables.scale_x, fit.tables.scale_y, fit.report, reading)
            for fit, one, reading in zip(plan.folds, chosen, report, strict=False)
        ]
        self.critic_, self.scale_x_, self.scale_y_ = self.folds_[0][1:4]
        reading, null = pooled(report[:n_folds]), pooled(report[n_folds:])
        self.influence_ = reading.influence
        method = plan.folds[0].method
        self.estimate_ = assemble_estimate(
            reading,
            method=self.method,
            kind=method.kind,
            null=null,
            ceiling=method.ceiling(min(len(fold.pairs.x) for fold in self.folds_)),
            entropy=plan.pairing.entropy_nats,
            train_nats=pooled(train[:n_folds]).nats,
            still_rising=any(one.still_rising for one in fitted[:n_folds]),
            n_train=min(len(fold.parts.train) for fold in self.folds_),
            n_select=min(len(fold.parts.select) for fold in self.folds_),
            n_report=sum(len(fold.parts.report) for fold in self.folds_),
            seconds=seconds + time.perf_counter() - started,
            settings=self.settings()
            | dict(method.record)
            | {
                "folds": n_folds,
                "steps": max(one.steps for one in fitted[:n_folds]),
                "pairs": len(reading.influence),
                "critics_read": [one.name for one in chosen[:n_folds]],
            },
        )
        return self

    def _read(self, plan: Plan, critics: Sequence[nn.Module]) -> tuple[list[Reading], list[Reading]]:
        """Read every critic of a plan on *report*, and on as many training items."""
        fits = plan.folds + plan.nulls

        def read(k: int) -> tuple[Reading, Reading]:
            return fits[k].read(critics[k]), fits[k].read_train(critics[k])

        # A core for each: cores that share an operation wait for each other, and for other processes.
        both = list(in_streams(read, range(len(fits)), stream_count(resolve_device(self.device))))
        return [report for report, _ in both], [train for _, train in both]

    def _check_numbers(self) -> None:
        """Refuse a number that is out of its range."""
        for name, least in {"batch_size": 2, "max_steps": 1, "check_every": 1, "patience": 1}.items():
            if getattr(self, name) < least:
                raise InputError(f"{name} is {getattr(self, name)}, but it must be at least {least}")
        if self.folds is not None and self.folds < 1:
            raise InputError(f"folds is {self.folds}, but it must be at least 1")
        if not self.learning_rate > 0 or not 0 <= self.average < 1:
            raise InputError("the learning rate must be positive, and the average's decay in [0, 1)")
        if not self.hidden or min(self.hidden) < 1:
            raise InputError(f"hidden is {self.hidden}, but a critic needs one hidden layer at least")

    def _checked_method(self) -> Method:
        """Return the method, once every name is known."""
        if not isinstance(self.critic, nn.Module):
            check_name("critic", self.critic, CRITICS)
        elif self.base != "none":
            raise InputError("a critic to start from takes the place of a base; leave one of the two out")
        check_name("base", self.base, BASES)
        check_name("method", self.method, VARIATIONAL_METHODS)
        method = VARIATIONAL_METHODS[self.method]
        if method.one_space and self.base != "none":
            raise InputError(f"{self.method} scores x against x too, which a base cannot; take infonce")
        return method

    def _splits(self, pairing: Pairing, parts: Parts | None) -> list[Parts]:
        if parts is None:
            folds = chosen_folds(pairing.n_items, pairing.strata) if self.folds is None else self.folds
            return cross_fit_parts(pairing.n_items, pairing.strata, folds, self.seed)
        if self.folds not in (None, 1):
            raise InputError(f"folds is {self.folds}, but the given parts are one split; give one of the two")
        return [parts]

    def _tables(
        self,
        x_rows: Table,
        y_rows: Table,
        pairing: Pairing,
        parts: Parts,
        seed: int,
    ) -> Tables:
        """Scale both tables by the rows that training pairs meet."""
        rng = np.random.default_rng([seed, 4])
        used = pairing.within(parts.train).draw(4 * len(parts.train), rng)
        scale_x, scale_y = (
            fit_scaling(
                self.scaling, table.rows(at_most(np.unique(some), NUMBERS_IN_MEMORY // table.width, rng))
            )
            for table, some in zip((x_rows, y_rows), used, strict=True)
        )
        device = resolve_device(self.device)
        x, y = ScaledRows(x_rows, scale_x, device), ScaledRows(y_rows, scale_y, device)
        return Tables(x, y, scale_x, scale_y)

    def _start(self, fit: HeldOut) -> nn.Module:
        """Make a critic as it is before its first step; the null's starts with the same weights."""
        d_x, d_y = fit.tables.x.shape[1], fit.tables.y.shape[1]
        with seeded(fit.seed):
            critic = (
                copy.deepcopy(self.critic)
                if isinstance(self.critic, nn.Module)
                else CRITICS[self.critic](d_x, d_y, hidden=tuple(self.hidden))
            )
            fit_base = BASES[self.base]
            if fit_base is not None:
                critic = CorrectedCritic(fit_base(*fit.training_pairs()), start_at_zero(critic))
            critic = fit.method.wrap(critic, d_x, d_y, tuple(self.hidden))
        return critic.to(fit.tables.x.device)
