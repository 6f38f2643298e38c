"""One pairing on one split: what a critic trains on, what it is stopped by, and what is read of it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mitools.core.centring import Centring
from mitools.core.errors import InputError
from mitools.estimators.array_types import RowNumbers
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.critics.networks import BlindCritic, embedded
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, RowTable, spans
from mitools.estimators.inputs.splits import Parts, as_many_as_report, at_most
from mitools.estimators.neural.critic_choice import ChosenCritic, CriticStart, choose
from mitools.estimators.neural.methods import CriticMethod
from mitools.estimators.neural.training_loop import FittedCritic, Member
from mitools.estimators.pairs import Pairing

Scaling = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SELECT_PAIRS_READ = 16_384
"""Pairs of *select* that are read at a time at the most: its cost grows with their square."""


class ScaledRows:
    """A table as critics see it: scaled once where it fits in memory, else where rows are asked for.

    Parameters
    ----------
    table
        Shape (n, d).
    scaling
        Fitted on *train*.
    device
        Where the rows are wanted.
    """

    def __init__(self, table: RowTable, scaling: Scaling, device: torch.device) -> None:
        # A scaling may drop columns.
        self.shape = (len(table), scaling(table.rows(np.zeros(1, dtype=np.int64))).shape[1])
        self.device = device
        self._table, self.scaling = table, scaling
        fits = len(table) * table.width <= NUMBERS_IN_MEMORY
        self._scaled = torch.from_numpy(scaling(table.rows())).to(device) if fits else None

    def __getitem__(self, rows: RowNumbers) -> Tensor:
        if self._scaled is not None:
            return self._scaled[torch.from_numpy(rows)]
        return torch.from_numpy(self.scaling(self._table.rows(rows))).to(self.device)

    def chunks(self, rows: RowNumbers) -> Iterator[Tensor]:
        """Give rows in order, a bounded number at a time."""
        return (self[rows[some]] for some in spans(len(rows), self.shape[1]))


class Pairs(NamedTuple):
    """Rows of the x table and of the y table, shape (n,) each: row i with row i."""

    x: RowNumbers
    y: RowNumbers


class ScaledSides(NamedTuple):
    """Both whole tables as critics see them, and what made them so.

    Attributes
    ----------
    x, y
        Shapes (rows, d_x) and (rows, d_y).
    scale_x, scale_y
        Fitted on *train*.
    """

    x: ScaledRows
    y: ScaledRows
    scale_x: Scaling
    scale_y: Scaling


class SplitFit:
    """A pairing's training batches, and its readings on *select* and on *report*.

    Parameters
    ----------
    method
        What is maximised and read.
    sides
        Scaled on the split's *train*.
    pairing
        Which rows are pairs.
    parts
        The split of the pairing's items.
    seed
        Of the batches and of how items are paired up.

    Attributes
    ----------
    select, report
        The pairs that fitting is stopped by, and those that the number is read on.

    Raises
    ------
    InputError
        When a part has too few pairs.
    """

    def __init__(
        self, method: CriticMethod, sides: ScaledSides, pairing: Pairing, parts: Parts, seed: int
    ) -> None:
        self.method, self.sides, self.pairing, self.parts, self.seed = method, sides, pairing, parts, seed
        self.train = pairing.within(parts.train)
        self.select, self.report = self._paired(parts.select), self._paired(parts.report)

    def member(self, start: nn.Module, batch_size: int) -> Member:
        """Give what the fitting loop needs to fit this critic."""
        rng = np.random.default_rng([self.seed, 2])
        some = _some(self.select, SELECT_PAIRS_READ, np.random.default_rng([self.seed, 6]))
        (x, y), strangers = self.rows(some), self.strangers(some)

        def read_select(critic: nn.Module) -> Reading:
            if self._embeds(critic):
                return self.method.read_select(*embedded(critic, [x], [y]), *strangers)
            return self.method.read_select(critic, x, y, *strangers)

        return Member(
            start, batch_size, lambda: self.rows(Pairs(*self.train.draw(batch_size, rng))), read_select
        )

    def training_pairs(self, with_select: bool = False) -> tuple[Tensor, Tensor]:
        """Give the pairs of *train*, no item in two of them; a random part where memory cannot hold them.

        Parameters
        ----------
        with_select
            Whether those of *select* are added.
        """
        pairs = self._paired(self.parts.train)
        if with_select:
            pairs = Pairs(*(np.concatenate(both) for both in zip(pairs, self.select, strict=True)))
        most = NUMBERS_IN_MEMORY // max(self.sides.x.shape[1], self.sides.y.shape[1])
        return self.rows(_some(pairs, most, np.random.default_rng([self.seed, 7])))

    def read(self, critic: nn.Module) -> Reading:
        """Read the number, on *report*."""
        return self._read(critic, self.report)

    def read_train(self, critic: nn.Module) -> Reading:
        """Read as many training items as *report* has."""
        rng = np.random.default_rng([self.seed, 5])
        return self._read(critic, self._paired(as_many_as_report(self.parts, self.pairing.strata, rng)))

    def rows(self, pairs: Pairs) -> tuple[Tensor, Tensor]:
        """Give the rows of pairs, shapes (n, d_x) and (n, d_y)."""
        return self.sides.x[pairs.x], self.sides.y[pairs.y]

    def strangers(self, pairs: Pairs) -> tuple[bool, Tensor | None]:
        """Say which pairs make up the product: whether the diagonal does, and the groups that leave some out.

        Where the diagonal belongs to the product, x and y of one group do as well: they are of two items that
        know nothing of each other but their class, and without them the product would hold too few of it.
        """
        groups = self.pairing.groups_of_pairs(pairs.x)
        if groups is None or self.pairing.diagonal_is_marginal:
            return self.pairing.diagonal_is_marginal, None
        return False, torch.from_numpy(groups).to(self.sides.x.device)

    def _read(self, critic: nn.Module, pairs: Pairs) -> Reading:
        x: Tensor
        y: Tensor
        score: Any = critic
        if isinstance(critic, BlindCritic):  # which looks at no row: there may be more than memory holds
            x = y = torch.zeros(len(pairs.x), 0, device=self.sides.x.device)
        elif self._embeds(critic):
            score, x, y = embedded(critic, self.sides.x.chunks(pairs.x), self.sides.y.chunks(pairs.y))
        else:
            x, y = self.rows(pairs)
        reading = self.method.read(score, x, y, *self.strangers(pairs))
        return reading.by_group(self.pairing.groups_of_pairs(pairs.x))

    def _embeds(self, critic: nn.Module) -> bool:
        # Where x is scored against x too, embedded rows will do only if both sides are embedded alike.
        return hasattr(critic, "embed") and (
            not self.method.one_space or getattr(critic, "sides_alike", False)
        )

    def _paired(self, items: NDArray[np.int64]) -> Pairs:
        pairs = Pairs(*self.pairing.within(items).independent(np.random.default_rng([self.seed, 3])))
        if len(pairs.x) < 2:
            raise InputError(
                f"{len(items)} items give {len(pairs.x)} independent pairs, two at least are needed"
            )
        return pairs


class Fold(NamedTuple):
    """One split of a fit: a critic, and the pairs that it alone was read on.

    Attributes
    ----------
    parts
        Items of the split; *report* is the fold.
    critic
        For scaled x and y.
    scale_x, scale_y
        Fitted on *train*.
    pairs
        Rows of the reported pairs.
    reading
        Of those pairs.
    """

    parts: Parts
    critic: nn.Module
    scale_x: Scaling
    scale_y: Scaling
    pairs: Pairs
    reading: Reading


class Plan(NamedTuple):
    """Everything that a fit trains and reads.

    Attributes
    ----------
    columns
        Of x and of y, as they were given.
    centring
        What is taken off columns of x and of y that single precision does not resolve.
    pairing
        Whose information is asked for.
    folds, nulls
        What is reported, and the same for permuted pairs.
    starts
        The critics before their first step, of the folds and then of the nulls.
    members
        What is trained: the starts, and after them their rivals, in the same order.
    """

    columns: tuple[int, int]
    centring: tuple[Centring | None, Centring | None]
    pairing: Pairing
    folds: list[SplitFit]
    nulls: list[SplitFit]
    starts: list[CriticStart]
    members: list[Member]

    def choose(self, fitted: Sequence[FittedCritic]) -> list[ChosenCritic]:
        """Choose the critic to read of every fold and null, by what became of the members."""
        own, rivals = fitted[: len(self.starts)], iter(fitted[len(self.starts) :])
        return [
            choose(start, one, None if start.rival is None else next(rivals))
            for start, one in zip(self.starts, own, strict=True)
        ]


def _some(pairs: Pairs, most: int, rng: np.random.Generator) -> Pairs:
    """Take a random part of the pairs where there are more than so many."""
    chosen = at_most(np.arange(len(pairs.x)), most, rng)
    return Pairs(pairs.x[chosen], pairs.y[chosen])
