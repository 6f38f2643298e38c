"""Which rows form pairs: the joint distribution that is meant."""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mitools.estimators.array_types import RowNumbers
from mitools.estimators.inputs.groups import Groups, permuted_groups
from mitools.estimators.inputs.splits import Parts


class PairSource(Protocol):
    """Pairs of some of the items, as rows of the x table and of the y table."""

    def draw(self, count: int, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        """Draw training pairs: rows of x and of y, shape (count,) each; items may come again."""
        ...

    def independent(self, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        """Pair the items up so that none is in two pairs: the sample a number is reported on."""
        ...


class Pairing(Protocol):
    """Says which joint distribution is meant."""

    @property
    def n_items(self) -> int:
        """Images; these are what is split into parts."""
        ...

    @property
    def n_rows(self) -> int:
        """Rows that each of the two tables must have."""
        ...

    @property
    def strata(self) -> NDArray[np.int64] | None:
        """Classes to spread evenly over the parts, shape (n_items,), where known."""
        ...

    @property
    def entropy_nats(self) -> float | None:
        """The most that two views of a pair can share, where known."""
        ...

    @property
    def diagonal_is_marginal(self) -> bool:
        """Whether the pairs (i, i) of ``independent()`` belong to the product of the marginals too.

        They do where x and y are independent given a class and the number of pairs of every class is
        fixed: without them, the product would hold too few pairs of one class.
        """
        ...

    @property
    def groups(self) -> Groups | None:
        """Items that depend on each other, shape (n_items,): never on two sides of a split, or None."""
        ...

    def groups_of_pairs(self, x: RowNumbers) -> Groups | None:
        """Give the group of each pair by its row of x, shape (n,); pairs of two groups are independent."""
        ...

    def within(self, items: RowNumbers) -> PairSource:
        """Restrict the pairing to some of the items."""
        ...

    def permuted(self, parts: Parts, rng: np.random.Generator) -> "Pairing":
        """Permute the pairs within each part: the same marginals, and a truth of 0."""
        ...


class PairedRows:
    """The pairing of two arrays whose rows belong together.

    Parameters
    ----------
    n_items
        Rows of x, and of y.
    partner
        Shape (n_items,): the row of y that belongs to each row of x; row i to row i when None.
    groups
        Shape (n_items,): rows that depend on each other; None where every row stands alone.
    """

    strata: NDArray[np.int64] | None = None
    entropy_nats: float | None = None
    diagonal_is_marginal = False

    def __init__(self, n_items: int, partner: RowNumbers | None = None, groups: Groups | None = None) -> None:
        self.n_items = self.n_rows = n_items
        self.partner = np.arange(n_items) if partner is None else partner
        self.groups = groups

    def groups_of_pairs(self, x: RowNumbers) -> Groups | None:
        """Give the group of each pair, shape (n,)."""
        return None if self.groups is None else self.groups[x]

    def within(self, items: RowNumbers) -> "_PairedItems":
        """Restrict the pairing to some of the rows of x."""
        return _PairedItems(items, self.partner[items])

    def permuted(self, parts: Parts, rng: np.random.Generator) -> "PairedRows":
        """Permute the partners within each part."""
        return PairedRows(self.n_items, permuted_within(self.partner, parts, rng), self.groups)


class _PairedItems:
    def __init__(self, x: RowNumbers, y: RowNumbers) -> None:
        self.x, self.y = x, y

    def draw(self, count: int, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        chosen = rng.choice(len(self.x), count, replace=count > len(self.x))
        return self.x[chosen], self.y[chosen]

    def independent(self, rng: np.random.Generator) -> tuple[RowNumbers, RowNumbers]:
        return self.x, self.y


def permuted_within(values: RowNumbers, parts: Parts, rng: np.random.Generator) -> RowNumbers:
    """Permute values among the items of each part: by whole groups, where items depend on each other."""
    permuted = values.copy()
    for part in (parts.train, parts.select, parts.report):
        if parts.groups is None:
            permuted[part] = rng.permutation(values[part])
        elif len(part):
            own = np.unique(parts.groups[part], return_inverse=True)[1].astype(np.int64)
            permuted[part] = values[part][permuted_groups(own, rng)]
    return permuted
