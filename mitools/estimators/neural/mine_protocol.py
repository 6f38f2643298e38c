"""MINE as information-plane papers run it: so many steps, read in-sample and on held-out items."""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from mitools.backends.devices import resolve_device
from mitools.backends.seeding import seeded
from mitools.backends.streams import in_streams, stream_count
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, Kind
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.mine_protocol_critic import ProtocolCritic, mine_objective, read_rotations
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, RowTable
from mitools.estimators.inputs.scaling import fit_scaling
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.inputs.validation import as_table, require_columns, same_length
from mitools.estimators.neural.fit_many import Problem
from mitools.estimators.neural.plan import ScaledRows
from mitools.estimators.neural.training_loop import FittedCritic, Member, Schedule, fit_critics
from mitools.estimators.pairs import permuted_within

IN_SAMPLE, HELD_OUT = "ctc_in_sample", "ctc_held_out"
"""What the two readings of one critic are called."""


class ProtocolCheck(NamedTuple):
    """What a critic reads after some steps: on items it was fitted to, and on others."""

    step: int
    in_sample: Reading
    held_out: Reading


class MineProtocol(MIEstimator):
    """MINE by a stated protocol: so many steps, the last critic, no stopping; read twice.

    With the defaults it is that of Contrastive Temporal Coding (ECCV 2022, A.5) for I(X;T): four fully
    connected layers of 1,024, ReLU, Adam at 1e-4, batches of 1,000, 10,000 steps; for I(T;Y) the batch is
    5,000 and the rate 1e-5. The gradient is corrected by a moving average (Belghazi et al. 2018, Sec. 3.2;
    rate 0.01). What A.5 leaves open: columns are standardised on the items fitted to, and the marginals of
    a step are its own batch, permuted.

    The same critic is read on the items it was fitted to, as such figures are usually drawn, and on items
    it has not met. Only the second is a lower bound. The first grows with the steps whatever the truth,
    and its null, the protocol on permuted pairs, says how far.

    Parameters
    ----------
    hidden, layers
        Width of the hidden layers, and linear layers in all.
    batch_size, learning_rate, steps
        Of every step, and how many; a batch is at most all items fitted to.
    checks
        How often both readings are taken on the way, at equal distances; the last one is the result.
    rotations
        Shuffles that a reading takes for the product of the marginals.
    read_at_most
        Items that a reading is of, at the most.
    scaling
        As of :class:`mitools.estimators.neural.variational.VariationalEstimator`.
    device, seed
        Where it is fitted; of split, weights and batches.

    Attributes
    ----------
    estimate_
        The held-out reading, a lower bound.
    in_sample_estimate_
        The reading on fitted items, a point estimate without a guarantee.
    checks_, null_checks_
        All readings on the way, in order, from before the first step on; and those of the null.
    critic_, scale_x_, scale_y_
        As it was after the last step, and what was done to the columns before.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((400, 3))
    >>> fitted = MineProtocol(hidden=32, batch_size=100, learning_rate=1e-3, steps=50).fit(x, x + 1.0)
    >>> fitted.estimate_.kind, fitted.in_sample_estimate_.kind
    ('lower bound', 'point estimate')
    """

    in_sample_estimate_: Estimate

    def __init__(
        self,
        hidden: int = 1024,
        layers: int = 4,
        batch_size: int = 1000,
        learning_rate: float = 1e-4,
        steps: int = 10_000,
        checks: int = 1,
        rotations: int = 8,
        read_at_most: int = 10_000,
        scaling: str = "standardise",
        device: str = "cpu",
        seed: int = 0,
    ) -> None:
        self.hidden = hidden
        self.layers = layers
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.steps = steps
        self.checks = checks
        self.rotations = rotations
        self.read_at_most = read_at_most
        self.scaling = scaling
        self.device = device
        self.seed = seed

    def fit(self, x: ArrayLike, y: ArrayLike, parts: Parts | None = None) -> Self:
        """Fit on *train* and *select*, which nothing is selected by, and read there and on *report*.

        Parameters
        ----------
        x, y
            Shapes (n, d_x) and (n, d_y), row i with row i.
        parts
            The split of the rows; drawn by the seed when None.

        Raises
        ------
        InputError
            When a setting is out of its range, the input is malformed or a score is not finite.
        """
        started = time.perf_counter()
        plan = _Plan(self, Problem(x, y, parts=parts), {})
        _fit(self, [plan])
        return self._conclude(plan, time.perf_counter() - started)

    def _conclude(self, plan: "_Plan", seconds: float) -> Self:
        last, null = plan.fold.checks[-1], plan.null.checks[-1]
        self.checks_, self.null_checks_ = plan.fold.checks, plan.null.checks
        self.critic_ = plan.fold.critic
        self.columns_, self.centring_ = plan.columns, plan.centring
        self.scale_x_, self.scale_y_ = plan.scalings
        record = self.settings() | {"batch": plan.fold.member.batch_size}

        def estimate(method: str, kind: Kind, own: Reading, other: Reading, null: Reading) -> Estimate:
            return assemble_estimate(
                own,
                method=method,
                kind=kind,
                null=null,
                entropy=plan.entropy,
                train_nats=other.nats,
                n_train=len(plan.fold.items),
                n_report=len(own.influence),
                seconds=seconds,
                settings=record,
            )

        held_out, in_sample = last.held_out, last.in_sample
        self.estimate_ = estimate(HELD_OUT, "lower bound", held_out, in_sample, null.held_out)
        self.in_sample_estimate_ = estimate(IN_SAMPLE, "point estimate", in_sample, held_out, null.in_sample)
        return self

    def _read_new_rows(self, x: ArrayLike, y: ArrayLike) -> float:
        """Read new rows by the last critic, in nats."""
        x_centring, y_centring = self.centring_
        tables = as_table(x, "x", x_centring), as_table(y, "y", y_centring)
        same_length(len(tables[0]), len(tables[1]), "x", "y")
        for table, columns, name in zip(tables, self.columns_, ("x", "y"), strict=True):
            require_columns(table, columns, name)
        some = np.random.default_rng([self.seed, 5]).permutation(len(tables[0]))[: self.read_at_most]
        if len(some) < 2:
            raise InputError("a single pair has nothing to be compared with; give two new rows or more")
        x_rows, y_rows = (
            torch.from_numpy(scale(table.rows(some))).to(resolve_device(self.device))
            for scale, table in zip((self.scale_x_, self.scale_y_), tables, strict=True)
        )
        return read_rotations(self.critic_, x_rows, y_rows, self.rotations).nats

    def _check_settings(self) -> None:
        least = {"hidden": 1, "layers": 2, "batch_size": 2, "steps": 1, "checks": 1, "rotations": 1,
                 "read_at_most": 2}  # fmt: skip
        for name, value in least.items():
            if getattr(self, name) < value:
                raise InputError(f"{name} is {getattr(self, name)}, but it must be at least {value}")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate is {self.learning_rate}, but it must be positive")


def fit_protocols(estimator: MineProtocol, problems: Sequence[Problem]) -> list[MineProtocol]:
    """Run the protocol on several problems together; see :func:`mitools.estimators.neural.fit_many.fit_many`.

    Rows that several problems share (the inputs of one network's checkpoints) are scaled and held once.

    Parameters
    ----------
    estimator
        Whose settings are used; it is left unfitted.
    problems
        Of a pairing, the entropy alone is read: rows belong together.

    Raises
    ------
    InputError
        When one of the problems cannot be fitted; none is returned then.
    """
    from sklearn.base import clone

    started = time.perf_counter()
    scaled: dict[Any, ScaledRows] = {}
    copies, plans = [], []
    for problem in problems:
        copied = clone(estimator)
        if problem.seed is not None:
            copied.set_params(seed=problem.seed)
        copies.append(copied)
        plans.append(_Plan(copied, problem, scaled))
    _fit(estimator, plans)
    share = (time.perf_counter() - started) / max(1, len(problems))
    return [copied._conclude(plan, share) for copied, plan in zip(copies, plans, strict=True)]


def fit_together(members: Sequence[Member], schedule: Schedule, device: torch.device) -> list[FittedCritic]:
    """Fit critics by :func:`mine_objective`: on an accelerator as one stack, on a CPU a core for each.

    Inputs of thousands of numbers, a thousand pairs a step, leave nothing between operations for a stack to
    share: ten critics 64 wide took 1.66 of the processor's time of one after another in one.

    Parameters
    ----------
    members, schedule, device
        As for :func:`mitools.estimators.neural.training_loop.fit_critics`.
    """
    if device.type != "cpu":
        return fit_critics(members, mine_objective, schedule, device)

    def fit(member: Member) -> FittedCritic:
        (fitted,) = fit_critics([member], mine_objective, schedule, device)
        return fitted

    return list(in_streams(fit, members, stream_count(device)))


class _Fit:
    """One critic of the protocol: its batches and its readings."""

    def __init__(
        self, estimator: MineProtocol, x: ScaledRows, y: ScaledRows, parts: Parts, partner: NDArray[np.int64]
    ) -> None:
        self.items = parts.train
        self.checks: list[ProtocolCheck] = []
        self._x, self._y, self._partner, self._estimator = x, y, partner, estimator
        reads = np.random.default_rng([estimator.seed, 5])
        # In random order: rows of one class lie together in many data sets, and a rotation by a few rows
        # would pair them with their own class.
        self._read_on = [
            reads.permutation(items)[: estimator.read_at_most] for items in (parts.train, parts.report)
        ]
        with seeded(estimator.seed):
            self.critic = ProtocolCritic(x.shape[1], y.shape[1], estimator.hidden, estimator.layers)
        rng = np.random.default_rng([estimator.seed, 2])
        size = min(estimator.batch_size, len(self.items))
        self.member = Member(
            self.critic.to(x.device),
            size,
            lambda: self._rows(rng.choice(self.items, size, replace=False)),
            self._check,
        )

    def _rows(self, items: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        return self._x[items], self._y[self._partner[items]]

    def _check(self, critic: Any) -> Reading:
        """Read a critic, and prefer it to all before: the protocol takes the last one, come what may."""
        rotations, every = self._estimator.rotations, _steps_between_checks(self._estimator)
        in_sample, held_out = (
            read_rotations(critic, *self._rows(items), rotations) for items in self._read_on
        )
        step = min(len(self.checks) * every, self._estimator.steps)
        self.checks.append(ProtocolCheck(step, in_sample, held_out))
        return Reading(float(len(self.checks)), np.zeros(1))


class _Plan:
    """The critic of one problem, and that of its null."""

    def __init__(self, estimator: MineProtocol, problem: Problem, scaled: dict[Any, ScaledRows]) -> None:
        estimator._check_settings()
        tables = as_table(problem.x, "x"), as_table(problem.y, "y")
        n = len(tables[0])
        same_length(n, len(tables[1]), "x", "y")
        given = problem.parts or split(n, None, estimator.seed)
        fitted = np.sort(np.concatenate([given.train, given.select]))
        parts = Parts(fitted, fitted[:0], given.report)
        device = resolve_device(estimator.device)

        def rows(side: ArrayLike, table: RowTable) -> ScaledRows:
            key = (id(side), estimator.scaling, fitted.tobytes())
            if key not in scaled:
                rng = np.random.default_rng([estimator.seed, 4])
                some = np.sort(rng.permutation(fitted)[: NUMBERS_IN_MEMORY // table.width])
                scaled[key] = ScaledRows(table, fit_scaling(estimator.scaling, table.at(some).rows()), device)
            return scaled[key]

        x, y = rows(problem.x, tables[0]), rows(problem.y, tables[1])
        self.columns = tables[0].width, tables[1].width
        self.centring = tables[0].centring, tables[1].centring
        self.scalings = x.scaling, y.scaling
        self.entropy = problem.pairing.entropy_nats if problem.pairing else None
        own = np.arange(n)
        permuted = permuted_within(own, parts, np.random.default_rng([estimator.seed, 1]))
        self.fold, self.null = (_Fit(estimator, x, y, parts, partner) for partner in (own, permuted))


def _fit(estimator: MineProtocol, plans: Sequence[_Plan]) -> None:
    fits = [fit for plan in plans for fit in (plan.fold, plan.null)]
    every = _steps_between_checks(estimator)
    # No average of the weights and no patience: the protocol has neither.
    schedule = Schedule(estimator.learning_rate, estimator.steps, every, patience=1, average=0.0)
    fitted = fit_together([fit.member for fit in fits], schedule, resolve_device(estimator.device))
    for fit, found in zip(fits, fitted, strict=True):
        fit.critic = found.critic  # type: ignore[assignment]


def _steps_between_checks(estimator: MineProtocol) -> int:
    return -(-estimator.steps // estimator.checks)
