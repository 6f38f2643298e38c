"""How many bits variables use and how much they share, with what chance gives taken off and intervals."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import log
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.variables.chance import in_random_order, permuted_apart
from mitools.variables.discretise import Discretiser
from mitools.variables.distributions import Floats, JointTable, SubsetTables, some_subsets
from mitools.variables.information import pairwise_information, subset_correlations

SUBSET_SIZE, MOST_SUBSETS = 3, 60
"""Variables of which the total correlation is taken, and how many such subsets at the most."""

MOST_CELLS = 1 << 24
"""Cells of the tables of all subsets together."""

NUMBERS_AT_ONCE = 1 << 22
"""Probabilities in work at a time."""

RESAMPLES, CONFIDENCE, Z = 400, 0.95, 1.959964

NEARLY_ONE_HOT = (0.9, 0.99)
"""Above which the greatest probability of a variable counts as one-hot (Niu et al. 2024, Sec. V-C)."""


@dataclass(frozen=True)
class VariableReading:
    """What the discrete variables of a representation are like.

    Attributes
    ----------
    entropy
        Mean entropy of a variable (Eq. 7), less the bias of a finite sample.
    redundancy
        Mean mutual information of two variables, less what chance gives.
    total_correlation
        Mean total correlation of three variables (Eq. 8), of two where there are no three, less what chance
        gives.
    units_used
        Units of a variable that are the most likely one for some item: mean over variables.
    one_hot_shares
        Shares of variables and items whose greatest probability is above 0.9, and above 0.99.
    entropies_nats
        Shape (M,), with the same correction.
    marginals
        Shape (M, D).
    pairwise_nats
        Shape (M, M): as the sample has it, nothing taken off.
    """

    entropy: Estimate
    redundancy: Estimate
    total_correlation: Estimate
    units_used: float
    one_hot_shares: tuple[float, float]
    entropies_nats: Floats
    marginals: Floats
    pairwise_nats: Floats


def measure_variables(
    rows: NDArray[Any],
    discretiser: Discretiser,
    groups: NDArray[np.int64] | None = None,
    seed: int = 0,
) -> VariableReading:
    """Measure the discrete variables of a representation, in three passes over its rows.

    Every number is that of Niu et al. (2024) on the sample, with two corrections. An entropy is raised by its
    bias to first order, ``sum_d Var(q_d) / (2 n p_d)``, which is (D - 1) / 2n for hard variables (Miller
    1955), unless bins were made to hold equally many of these very items. From dependence, what the same
    items give with every variable permuted on its own is taken off: that is what chance gives where variables
    are independent. Variables that are nearly copies fill fewer joint values and owe less to chance, so that
    their reading is low, by ``null_nats`` at the most. Nothing is clipped: independent variables read a
    little below 0 as often as above.

    Intervals are from the bootstrap over groups of each item's influence on the number; for dependence that
    is slight they are too wide rather than too narrow.

    Parameters
    ----------
    rows
        Shape (n, d), possibly mapped from a file.
    discretiser
        Makes M variables of D units of them; see :mod:`mitools.variables.discretise`.
    groups
        Shape (n,), counted from 0: which items depend on each other. None where every item stands alone.
    seed
        Of the permutations, the subsets and the bootstrap.

    Raises
    ------
    InputError
        When there is a single variable, or fewer than two items or groups.

    Examples
    --------
    >>> from mitools.variables.discretise import fit_bins
    >>> rng = np.random.default_rng(0)
    >>> x = rng.normal(size=(4000, 1))
    >>> rows = np.hstack([x, x**2, rng.normal(size=(4000, 2))])  # uncorrelated, and dependent
    >>> found = measure_variables(rows, fit_bins(rows, units=4))
    >>> round(found.entropy.bits, 2), round(float(found.pairwise_nats[0, 1]) / log(2), 2)
    (2.0, 0.93)
    """
    began = perf_counter()
    if discretiser.variables < 2 or len(rows) < 2 or (groups is not None and len(np.unique(groups)) < 2):
        raise InputError(
            f"{discretiser.variables} variables of {len(rows)} items: dependence needs two variables, and two"
            " items that do not depend on each other"
        )
    passes = _Passes(rows, discretiser, groups, seed)
    counted = passes.tables()
    spread = _spread(passes.influences(counted), groups, seed)
    by_chance, together_by_chance = counted.chance
    readings = {  # the number, what of it is chance, and of how many variables it is
        "entropy": (float(counted.entropies.mean()), None, 1),
        "redundancy": (counted.dependence - by_chance, by_chance, 2),
        "total_correlation": (counted.correlation - together_by_chance, together_by_chance, counted.size),
    }
    seconds, units = perf_counter() - began, discretiser.units
    found = {
        name: Estimate(
            method=f"variables_{name}",
            kind="point estimate",
            nats=nats,
            stderr_nats=error,
            interval_nats=Interval(nats - Z * error, nats + Z * error, CONFIDENCE),
            ceiling_nats=max(1, size - 1) * log(units),
            null_nats=null,
            n_report=len(rows),
            seconds=seconds,
            settings={"variables": discretiser.what, "units": units, "seed": seed},
            warnings=_undersampled(len(rows), units, size),
        )
        for (name, (nats, null, size)), error in zip(readings.items(), spread, strict=True)
    }
    return VariableReading(
        **found,
        units_used=counted.units_used,
        one_hot_shares=counted.one_hot_shares,
        entropies_nats=counted.entropies,
        marginals=counted.table.marginals,
        pairwise_nats=counted.pairwise,
    )


class _Counted(NamedTuple):
    """What the passes that count give."""

    table: JointTable
    subsets: SubsetTables
    size: int
    entropies: Floats
    pairwise: Floats
    dependence: float
    correlation: float
    chance: tuple[float, float]
    units_used: float
    one_hot_shares: tuple[float, float]


class _Passes(NamedTuple):
    """Passes over the rows, a chunk at a time."""

    rows: NDArray[Any]
    discretiser: Discretiser
    groups: NDArray[np.int64] | None
    seed: int

    def chunks(self) -> Iterator[tuple[Floats, NDArray[np.int64]]]:
        """Give variables, shape (k, M, D), and their items; in one random order, whichever pass it is."""
        n = len(self.rows)
        order = in_random_order(n, self.groups, np.random.default_rng([self.seed, 15]))
        width = self.discretiser.variables * self.discretiser.units
        pieces = max(1, -(-n // max(256, NUMBERS_AT_ONCE // width)))
        for items in np.array_split(order, pieces):
            yield self.discretiser(self.rows[items]), items

    def tables(self) -> _Counted:
        """Count all tables, and as many again of permuted variables."""
        variables, units = self.discretiser.variables, self.discretiser.units
        size = min(SUBSET_SIZE, variables)
        most = max(1, min(MOST_SUBSETS, MOST_CELLS // units**size))
        chosen = some_subsets(variables, size, most, self.seed)
        table, subsets = JointTable(variables, units), SubsetTables(chosen, units)
        used, shares = np.zeros((variables, units), dtype=bool), np.zeros(2)
        for q, _ in self.chunks():
            table.add(q)
            subsets.add(q)
            used[np.arange(variables), q.argmax(axis=2)] = True
            greatest = q.max(axis=2)
            shares += [(greatest > least).sum() for least in NEARLY_ONE_HOT]
        p, n = table.marginals, len(self.rows)
        bias = np.divide(table.variances, 2 * n * p, out=np.zeros_like(p), where=p > 0).sum(axis=1)
        entropies = entr(p).sum(axis=1) + (0.0 if self.discretiser.balanced else bias)
        pairwise = pairwise_information(table)
        return _Counted(
            table,
            subsets,
            size,
            entropies,
            pairwise,
            _off_diagonal_mean(pairwise),
            float(subset_correlations(subsets.joints, p, chosen).mean()),
            self._chance(chosen),
            float(used.sum(axis=1).mean()),
            (float(shares[0] / (n * variables)), float(shares[1] / (n * variables))),
        )

    def _chance(self, chosen: NDArray[np.int64]) -> tuple[float, float]:
        """Give what permuted variables read, pairs and subsets: several times where there are few of them."""
        variables, units = self.discretiser.variables, self.discretiser.units
        times = min(20, -(-MOST_SUBSETS // min(len(chosen), variables * (variables - 1) // 2)))
        found = []
        for time in range(times):
            rng = np.random.default_rng([self.seed, 16, time])
            table, subsets = JointTable(variables, units), SubsetTables(chosen, units)
            for q, items in self.chunks():
                apart = permuted_apart(q, None if self.groups is None else self.groups[items], rng)
                table.add(apart)
                subsets.add(apart)
            pairs = _off_diagonal_mean(pairwise_information(table))
            found.append((pairs, subset_correlations(subsets.joints, table.marginals, chosen).mean()))
        pairs, correlation = np.mean(found, axis=0)
        return float(pairs), float(correlation)

    def influences(self, counted: _Counted) -> Floats:
        """Give how far each item moves the three numbers, shape (n, 3), in the order of the data."""
        variables, units = self.discretiser.variables, self.discretiser.units
        width, p = variables * units, counted.table.marginals
        log_p = _log(p)
        ratio = _log(counted.table.joint) - log_p[:, :, None, None] - log_p
        ratio[counted.table.joint <= 0] = 0.0
        ratio[np.arange(variables), :, np.arange(variables)] = 0.0
        ratio = ratio.reshape(width, width) / (variables * (variables - 1))
        chosen = counted.subsets.subsets
        log_joints = [_log(joint) for joint in counted.subsets.joints]
        found = np.empty((len(self.rows), 3))
        for q, items in self.chunks():
            flat = q.reshape(len(q), width)
            surprise = -np.einsum("nmd,md->nm", q, log_p)
            found[items, 0] = surprise.mean(axis=1)
            found[items, 1] = np.einsum("nd,nd->n", flat @ ratio, flat)
            together = np.stack(
                [_expected(joint, q, subset) for joint, subset in zip(log_joints, chosen, strict=True)]
            )
            found[items, 2] = (together + surprise[:, chosen].sum(axis=2).T).mean(axis=0)
        return found


def _expected(log_joint: Floats, q: Floats, subset: NDArray[np.int64]) -> Floats:
    """Mean log probability of each item's values of a subset of variables, shape (k,)."""
    found = (q[:, subset[0]] @ log_joint.reshape(log_joint.shape[0], -1)).reshape(
        len(q), *log_joint.shape[1:]
    )
    for variable in subset[1:]:
        found = np.einsum("nd,nd...->n...", q[:, variable], found)
    return found


def _log(probabilities: Floats) -> Floats:
    """Take the logarithm, and 0 where no item is: there nothing is multiplied by it but 0."""
    return np.log(probabilities, out=np.zeros_like(probabilities), where=probabilities > 0)


def _off_diagonal_mean(pairwise: Floats) -> float:
    variables = len(pairwise)
    return float((pairwise.sum() - np.trace(pairwise)) / (variables * (variables - 1)))


def _spread(influences: Floats, groups: NDArray[np.int64] | None, seed: int) -> list[float]:
    """Give standard errors of the means of influences, by drawing groups with replacement."""
    if groups is None:
        sums, sizes = influences, np.ones(len(influences))
    else:
        sizes = np.bincount(groups).astype(np.float64)
        sums = np.stack([np.bincount(groups, column) for column in influences.T], axis=1)
    rng = np.random.default_rng([seed, 17])
    means = []
    for _ in range(RESAMPLES):
        counts = np.bincount(rng.integers(len(sums), size=len(sums)), minlength=len(sums))
        means.append(counts @ sums / (counts @ sizes))
    return [float(value) for value in np.std(means, axis=0, ddof=1)]


def _undersampled(n: int, units: int, size: int) -> tuple[EstimateWarning, ...]:
    """Warn where there are fewer items than joint values."""
    cells = units**size
    if n >= cells:
        return ()
    sentence = f"{n:,} items for {cells:,} joint values of {size} variables of {units} units"
    return (EstimateWarning("undersampled", sentence, "give more items, or take fewer units"),)
