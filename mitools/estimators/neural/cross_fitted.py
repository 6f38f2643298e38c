"""What estimators that train critics share: cross-fitting, a null, and one number on held-out items."""

import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from mitools.backends.devices import resolve_device
from mitools.backends.seeding import derive_seed
from mitools.backends.streams import in_streams, stream_count
from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.guard import few_pairs, is_carried
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.inputs.folds import chosen_folds, cross_fit_parts
from mitools.estimators.inputs.groups import as_groups, group_count
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, RowTable
from mitools.estimators.inputs.splits import Parts, at_most
from mitools.estimators.inputs.validation import as_table, require_columns, same_length
from mitools.estimators.neural.critic_choice import ChosenCritic
from mitools.estimators.neural.methods import CriticMethod
from mitools.estimators.neural.plan import Fold, Plan, ScaledRows, ScaledSides, Scaling, SplitFit
from mitools.estimators.neural.settings import CriticFitSettings
from mitools.estimators.neural.strategy import CriticStrategy
from mitools.estimators.neural.training_loop import FittedCritic, Member, fit_critics
from mitools.estimators.pairs import PairedRows, Pairing

NULL_FOLDS = 1
"""Folds of the null. Any one reads, in expectation, what the mean of all does, on fewer pairs: over 40
samples of 1,000 pairs it was 0.000 on average and 0.005 in deviation, below the reading's standard error."""

OPTIMISM_THAT_IS_SHORTFALL = 0.5
"""Share of what training items read more than reported ones by which a critic, learnt from few groups, falls
short of the best: both differ from it by as much, in expectation (Akaike 1973; Takeuchi 1976). On 110 samples
of 200 groups InfoNCE read 0.012 nats less than the true density ratio did on the same rows, a quarter of its
standard error; half of what training items read more was 0.011 on average."""


class CrossFittedEstimator(CriticFitSettings, MIEstimator):
    """An estimator whose critics are trained on *train*, stopped on *select* and read once on *report*.

    Every estimator of this kind says by a strategy how its rows are scaled, where its critics start, what a
    step maximises and what is read. Splits, folds, the null, training and the estimate are the same.

    Parameters
    ----------
    hidden, folds, batch_size, learning_rate, max_steps, check_every, patience, average, device, seed
        See :class:`mitools.estimators.neural.settings.CriticFitSettings`.

    Attributes
    ----------
    estimate_
        The reading on the report part.
    influence_
        Shape (n_pairs,), or (G,) with groups, nats: see :class:`mitools.estimators.bounds.reading.Reading`.
    folds_
        Each fold's critic, scalings, reported pairs and reading; one where there is one split.
    columns_
        Of x and of y.
    centring_
        What was taken off columns of x and of y that single precision does not resolve, and is of new rows.
    critic_, scale_x_, scale_y_
        Those of the first fold: ``critic_(tensor(scale_x_(x)), tensor(scale_y_(y)))`` scores new rows.
    gain_nats_, gain_stderr_nats_
        What training added on *select* to the critics before their first step, mean over the folds. As the
        best of many checks it is a standard error or so above 0 where there is nothing to add.

    Notes
    -----
    After cross-fitting, the ceiling is the least of the folds', ``n_train`` and ``n_select`` are those
    of a fold, and ``n_report`` is all items. With groups, of which there are seldom many, the interval of a
    lower bound reaches higher by what its critics are thought to fall short (see
    :data:`OPTIMISM_THAT_IS_SHORTFALL`); the lower limit is as ever.
    """

    @abstractmethod
    def strategy(self) -> CriticStrategy:
        """Give how critics are started and read, once every setting of it is known to be right.

        Raises
        ------
        InputError
            When a name is unknown, or settings contradict each other.
        """

    def fit(
        self,
        x: ArrayLike,
        y: ArrayLike,
        pairing: Pairing | None = None,
        parts: Parts | None = None,
        groups: ArrayLike | None = None,
    ) -> Self:
        """Fit the critics, stop them on *select*, and read the bound once on *report*.

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
        groups
            Shape (rows,): which rows depend on each other, so that a group is split whole, and errors are
            those of groups. For paired rows; a pairing and a split that are given have their own.

        Raises
        ------
        InputError
            When a setting is out of its range, the input is malformed or a score is not finite.
        """
        started = time.perf_counter()
        plan = self.plan(x, y, pairing, parts, groups)
        return self.conclude(plan, self.fit_members(plan.members), time.perf_counter() - started)

    def plan(
        self,
        x: ArrayLike,
        y: ArrayLike,
        pairing: Pairing | None = None,
        parts: Parts | None = None,
        groups: ArrayLike | None = None,
    ) -> Plan:
        """Check everything, split the items and make the critics: what :meth:`fit` does first."""
        self.check_fit_settings()
        strategy = self.strategy()
        x_rows = as_table(x, "x")
        y_rows = x_rows if y is x else as_table(y, "y")  # looking at every row once is enough
        same_length(len(x_rows), len(y_rows), "x", "y")
        if groups is not None and (pairing is not None or parts is not None):
            raise InputError("a pairing or a split that is given has its own groups; give groups alone")
        if pairing is None:
            given = None if parts is None else parts.groups
            named = given if groups is None else as_groups(groups, len(x_rows))
            pairing = PairedRows(len(x_rows), groups=named)
        same_length(len(x_rows), pairing.n_rows, "x", "the pairing")
        strategy.check(x_rows, y_rows)
        folds, nulls = [], []
        for k, split in enumerate(self._splits(pairing, parts)):
            seed = self.seed if k == 0 else derive_seed(self.seed, k)
            tables = self._tables(strategy, x_rows, y_rows, pairing, split, seed)
            method = strategy.method_for(tables.scale_y)
            folds.append(SplitFit(method, tables, pairing, split, seed))
            if k < NULL_FOLDS:
                permuted = pairing.permuted(split, np.random.default_rng([seed, 1]))
                nulls.append(SplitFit(method, tables, permuted, split, seed))
        batch_size = min(self.batch_size, *(len(fold.parts.train) for fold in folds))
        fits = folds + nulls
        starts = list(in_streams(strategy.start, fits, stream_count(resolve_device(self.device))))
        members = [fit.member(start.critic, batch_size) for fit, start in zip(fits, starts, strict=True)]
        members += [
            fit.member(start.rival, batch_size)
            for fit, start in zip(fits, starts, strict=True)
            if start.rival is not None
        ]
        columns, centring = (x_rows.width, y_rows.width), (x_rows.centring, y_rows.centring)
        return Plan(columns, centring, pairing, folds, nulls, starts, members)

    def fit_members(self, members: Sequence[Member]) -> list[FittedCritic]:
        """Fit critics of one plan or several: what :meth:`fit` does then."""
        objective = self.strategy().method.objective
        return fit_critics(members, objective, self.schedule(), resolve_device(self.device))

    def conclude(self, plan: Plan, fitted: Sequence[FittedCritic], seconds: float) -> Self:
        """Read the fitted critics of a plan on *report*: what :meth:`fit` does last.

        Parameters
        ----------
        plan, fitted
            The plan, and its members in their order.
        seconds
            What planning and fitting took.
        """
        started = time.perf_counter()
        chosen = plan.choose(fitted)
        report, train = self._read(plan, [one.critic for one in chosen])
        n_folds, cautions = len(plan.folds), tuple[EstimateWarning, ...]()
        self.read_by_infonce_ = plan.folds[0].method.sampled_normaliser and not is_carried(report[:n_folds])
        if self.read_by_infonce_:
            counts = [len(fit.report.x) for fit in plan.folds]
            cautions = (few_pairs(self.strategy().name, report[:n_folds], counts),)
            for fit in plan.folds + plan.nulls:
                fit.method = fit.method.by_infonce()
            report, train = self._read(plan, [one.critic for one in chosen])
        self.folds_ = [
            Fold(fit.parts, one.critic, fit.sides.scale_x, fit.sides.scale_y, fit.report, reading)
            for fit, one, reading in zip(plan.folds, chosen, report, strict=False)
        ]
        self.columns_, self.centring_ = plan.columns, plan.centring
        self.critic_, self.scale_x_, self.scale_y_ = self.folds_[0][1:4]
        self.gain_nats_, self.gain_stderr_nats_ = _gain(chosen[:n_folds])
        reading = pooled(report[:n_folds])
        self.influence_ = reading.influence
        method = plan.folds[0].method
        train_nats = pooled(train[:n_folds]).nats
        pairs = [len(fold.pairs.x) for fold in self.folds_]
        ceiling, twice = _ceiling(method, pairs), _ceiling(method, [2 * n for n in pairs])
        shortfall = 0.0
        if plan.pairing.groups is not None and method.kind == "lower bound":
            shortfall = max(0.0, OPTIMISM_THAT_IS_SHORTFALL * (train_nats - reading.nats))
        self.estimate_ = assemble_estimate(
            reading,
            method=self.strategy().name,
            kind=method.kind,
            null=pooled(report[n_folds:]),
            ceiling=ceiling,
            pairs_raise_ceiling=twice is None or ceiling is None or twice > ceiling,
            entropy=plan.pairing.entropy_nats,
            train_nats=train_nats,
            shortfall=shortfall,
            still_rising=any(one.fitted.still_rising for one in chosen[:n_folds]),
            further_warnings=cautions,
            n_train=min(len(fold.parts.train) for fold in self.folds_),
            n_select=min(len(fold.parts.select) for fold in self.folds_),
            n_report=sum(len(fold.parts.report) for fold in self.folds_),
            seconds=seconds + time.perf_counter() - started,
            settings=self.settings()
            | dict(method.record)
            | {
                "folds": n_folds,
                "steps": max(one.fitted.steps for one in chosen[:n_folds]),
                "pairs": sum(pairs),
                **_read_together(method, pairs),
                "groups": group_count(plan.pairing.groups),
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

    def _read_new_rows(self, x: ArrayLike, y: ArrayLike) -> float:
        """Read new rows by the critic of every fold: the mean over them, in nats."""
        return float(np.mean([reading.nats for _, _, reading in self.read_new_rows(x, y)]))

    def read_new_rows(self, x: ArrayLike, y: ArrayLike) -> Iterator[tuple[Tensor, Tensor, Reading]]:
        """Read rows that played no part in the fit, by the critic of every fold.

        Parameters
        ----------
        x, y
            Shapes (n, d_x) and (n, d_y): new rows, row i with row i, which are each other's sample of the
            product of the marginals.

        Yields
        ------
        x, y, reading
            The rows as the fold's critic sees them, and what it reads of them.

        Raises
        ------
        InputError
            When the rows are malformed, of other dimensions than those fitted to, or fewer than two.
        """
        x_centring, y_centring = self.centring_
        x_rows, y_rows = as_table(x, "x", x_centring), as_table(y, "y", y_centring)
        same_length(len(x_rows), len(y_rows), "x", "y")
        if len(x_rows) < 2:
            raise InputError("a single pair has nothing to be compared with; give two new rows or more")
        x_columns, y_columns = self.columns_
        require_columns(x_rows, x_columns, "x")
        require_columns(y_rows, y_columns, "y")
        device, strategy = resolve_device(self.device), self.strategy()
        for fold in self.folds_:
            scaled_x, scaled_y = (
                torch.from_numpy(scale(table.rows())).to(device)
                for scale, table in ((fold.scale_x, x_rows), (fold.scale_y, y_rows))
            )
            method = strategy.method_for(fold.scale_y)
            method = method.by_infonce() if self.read_by_infonce_ else method
            yield scaled_x, scaled_y, method.read(fold.critic, scaled_x, scaled_y, False, None)

    def _splits(self, pairing: Pairing, parts: Parts | None) -> list[Parts]:
        if parts is None:
            items = pairing.n_items, pairing.strata
            folds = chosen_folds(*items, pairing.groups) if self.folds is None else self.folds
            return cross_fit_parts(*items, folds, self.seed, pairing.groups)
        if self.folds not in (None, 1):
            raise InputError(f"folds is {self.folds}, but the given parts are one split; give one of the two")
        return [parts]

    def _tables(
        self,
        strategy: CriticStrategy,
        x_rows: RowTable,
        y_rows: RowTable,
        pairing: Pairing,
        parts: Parts,
        seed: int,
    ) -> ScaledSides:
        """Scale both tables by the rows that training pairs meet."""
        rng = np.random.default_rng([seed, 4])
        used_x, used_y = pairing.within(parts.train).draw(4 * len(parts.train), rng)

        def scaled(
            fit: Callable[[NDArray[np.float32]], Scaling], table: RowTable, used: NDArray[np.int64]
        ) -> Scaling:
            return fit(table.rows(at_most(np.unique(used), NUMBERS_IN_MEMORY // table.width, rng)))

        scale_x = scaled(strategy.scale_x, x_rows, used_x)
        scale_y = scaled(strategy.scale_y, y_rows, used_y)
        device = resolve_device(self.device)
        x, y = ScaledRows(x_rows, scale_x, device), ScaledRows(y_rows, scale_y, device)
        return ScaledSides(x, y, scale_x, scale_y)


def _ceiling(method: CriticMethod, pairs: Sequence[int]) -> float | None:
    """Give the least of the folds' ceilings, nats: where blocks begin, more pairs have a lower one."""
    found = [nats for n in pairs if (nats := method.ceiling(n)) is not None]
    return min(found, default=None)


def _read_together(method: CriticMethod, pairs: Sequence[int]) -> dict[str, int]:
    """Say how many pairs are each other's negatives at the least, where these are not all of every fold's."""
    together = [method.together(n) for n in pairs]
    return {} if together == list(pairs) else {"pairs_read_together": min(together)}


def _gain(chosen: Sequence[ChosenCritic]) -> tuple[float, float]:
    """Give what training added on *select* to the critics before their first step, and its standard error."""
    fitted = [one.fitted for one in chosen]
    gains = [one.best.nats - one.start.nats for one in fitted]
    # Both were read on the same pairs, so that what they share drops out of the difference.
    noise = [
        np.linalg.norm(one.best.influence - one.start.influence) / len(one.best.influence) for one in fitted
    ]
    return float(np.mean(gains)), float(np.linalg.norm(noise) / len(fitted))
