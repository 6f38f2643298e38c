"""Discrete variables of any representation: columns in bins, groups of columns in clusters, a run's own."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mitools.core.errors import InputError
from mitools.variables.distributions import Floats, one_hot
from mitools.variables.soft import soft_variables

FITTED_ON = 50_000
"""Rows that edges and centres are fitted to at the most."""

MOST_VARIABLES = 64
"""Columns that become variables at the most, drawn at random: what is averaged over pairs needs no more."""

UNITS = 8
"""Units of a variable made from columns: three of them have 512 joint values, which a thousand items fill."""


class Discretiser(Protocol):
    """Turns rows into discrete variables.

    Attributes
    ----------
    variables, units
        M and D.
    balanced
        Whether it fixes how many items each unit has, so that entropies have no bias of a finite sample.
    what
        One line for people.
    """

    @property
    def variables(self) -> int:
        """How many variables there are."""
        ...

    @property
    def units(self) -> int:
        """How many values each has."""
        ...

    @property
    def balanced(self) -> bool:
        """Whether the marginals are made, not found."""
        ...

    @property
    def what(self) -> str:
        """What the variables are, in words."""
        ...

    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Map (k, d) to (k, M, D)."""
        ...


@dataclass(frozen=True)
class Bins:
    """Every chosen column in bins that hold equally many items, as far as equal values allow.

    Attributes
    ----------
    columns
        Shape (M,): which.
    edges
        For each, its inner edges, ascending.
    units
        Bins a column.
    of
        How many columns there are.
    """

    columns: NDArray[np.int64]
    edges: tuple[Floats, ...]
    units: int
    of: int
    balanced = True

    @property
    def variables(self) -> int:
        """Columns that became variables."""
        return len(self.columns)

    @property
    def what(self) -> str:
        """What the variables are, in words."""
        return f"{self.variables} of {self.of} columns in {self.units} equal-mass bins"

    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Find the bin of every item."""
        codes = [
            np.searchsorted(edges, rows[:, column], side="right")
            for column, edges in zip(self.columns, self.edges, strict=True)
        ]
        return one_hot(np.stack(codes, axis=1), self.units)


@dataclass(frozen=True)
class Clusters:
    """Groups of columns, each a variable whose value is the nearest centre of k-means.

    Attributes
    ----------
    groups
        Shape (M, g): the columns of each.
    centres
        Shape (M, D, g).
    of
        How many columns there are.
    """

    groups: NDArray[np.int64]
    centres: Floats
    of: int
    balanced = False

    @property
    def variables(self) -> int:
        """Groups."""
        return len(self.groups)

    @property
    def units(self) -> int:
        """Centres a group."""
        return int(self.centres.shape[1])

    @property
    def what(self) -> str:
        """What the variables are, in words."""
        size = self.groups.shape[1]
        return f"{self.variables} groups of {size} of {self.of} columns in {self.units} clusters"

    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Find the nearest centre of every item in every group."""
        codes = []
        for columns, centres in zip(self.groups, self.centres, strict=True):
            some = rows[:, columns].astype(np.float64)
            # |x - c|^2 without |x|^2, which is alike for all centres.
            codes.append((np.square(centres).sum(axis=1) - 2 * some @ centres.T).argmin(axis=1))
        return one_hot(np.stack(codes, axis=1), self.units)


@dataclass(frozen=True)
class OwnVariables:
    """The soft variables that an encoder was trained with: its projector's output, softmax over groups.

    Attributes
    ----------
    head
        Maps (k, d) to (k, M * D), in evaluation mode.
    variables, units
        M and D.
    """

    head: nn.Module
    variables: int
    units: int
    balanced = False

    @property
    def what(self) -> str:
        """What the variables are, in words."""
        return f"the {self.variables} soft variables of {self.units} units that the run was trained with"

    @torch.no_grad()
    def __call__(self, rows: NDArray[Any]) -> Floats:
        """Apply the head."""
        self.head.eval()
        device = next(self.head.parameters()).device
        logits = self.head(torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32)).to(device))
        return soft_variables(logits, self.units).double().cpu().numpy()


def fit_bins(rows: NDArray[Any], units: int = UNITS, most: int = MOST_VARIABLES, seed: int = 0) -> Bins:
    """Choose columns that vary, and edges between which equally many items lie.

    Parameters
    ----------
    rows
        Shape (n, d).
    units
        Bins a column.
    most
        Columns, at the most; drawn at random from more.
    seed
        Of what is drawn.

    Raises
    ------
    InputError
        When fewer than two columns vary.

    Examples
    --------
    >>> q = fit_bins(np.random.default_rng(0).normal(size=(800, 3)))(np.zeros((1, 3)))
    >>> q.shape, q.sum(axis=2).tolist()
    ((1, 3, 8), [[1.0, 1.0, 1.0]])
    """
    some = _some_rows(rows, seed)
    columns = _columns(some, most, seed)
    shares = np.arange(1, units) / units
    edges = tuple(_edges(some[:, column].astype(np.float64), shares) for column in columns)
    return Bins(columns, edges, units, rows.shape[1])


def fit_clusters(
    rows: NDArray[Any], group: int = 8, units: int = UNITS, most: int = MOST_VARIABLES, seed: int = 0
) -> Clusters:
    """Divide columns that vary into groups at random, and fit k-means in each.

    Parameters
    ----------
    rows
        Shape (n, d).
    group
        Columns a group; columns that fill no group are left out.
    units
        Clusters a group.
    most
        Groups, at the most.
    seed
        Of what is drawn.

    Raises
    ------
    InputError
        When columns that vary fill fewer than two groups, or there are fewer rows than clusters.
    """
    from sklearn.cluster import KMeans

    some = _some_rows(rows, seed)
    columns = np.random.default_rng([seed, 14]).permutation(_columns(some, most * group, seed))
    groups = columns[: len(columns) // group * group].reshape(-1, group)
    if len(groups) < 2 or len(some) < units:
        raise InputError(
            f"{len(some)} rows with {len(columns)} columns that vary make no two groups of {group} columns in"
            f" {units} clusters; take smaller groups or fewer clusters"
        )
    centres = [
        KMeans(units, n_init=1, random_state=seed).fit(some[:, columns].astype(np.float64)).cluster_centers_
        for columns in groups
    ]
    return Clusters(groups, np.stack(centres), rows.shape[1])


def _some_rows(rows: NDArray[Any], seed: int) -> NDArray[Any]:
    if rows.ndim != 2 or len(rows) < 2:
        raise InputError(f"rows have shape {rows.shape}, but two rows or more, (n, d), are needed")
    if len(rows) <= FITTED_ON:
        return rows
    return rows[np.sort(np.random.default_rng([seed, 12]).choice(len(rows), FITTED_ON, replace=False))]


def _columns(rows: NDArray[Any], most: int, seed: int) -> NDArray[np.int64]:
    """Choose columns that vary, ascending."""
    varying = np.flatnonzero(rows.min(axis=0) < rows.max(axis=0))
    if len(varying) < 2:
        raise InputError(f"{len(varying)} columns vary, but dependence is between two; give more columns")
    if len(varying) <= most:
        return varying
    return np.sort(np.random.default_rng([seed, 13]).choice(varying, most, replace=False))


def _edges(values: Floats, shares: Floats) -> Floats:
    """Put edges at the quantiles; a value on which several fall has a bin of its own."""
    found, times = np.unique(np.quantile(values, shares, method="higher"), return_counts=True)
    edges: Floats = np.union1d(found, np.nextafter(found[times > 1], np.inf))
    return edges[(edges > values.min()) & (edges <= values.max())]
