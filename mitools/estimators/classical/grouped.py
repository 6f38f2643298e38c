"""Errors of readings whose rows come in groups: rows of one group depend on each other, groups do not."""

import numpy as np
from numpy.typing import NDArray

from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles, RowNumbers, WholeNumbers
from mitools.estimators.inputs.groups import Groups, group_count, group_sums, permuted_groups

FEW_UNITS_FOR_INTERVAL = 50
"""Below this many independent units, groups or else rows, a normal approximation is doubtful."""

STDERR_ROWS = 500
"""Rows whose influence is worked out for a standard error."""


def null_permutation(n: int, groups: Groups | None, rng: np.random.Generator) -> RowNumbers:
    """Permute rows, or whole groups of them (:func:`.permuted_groups`): shape (n,)."""
    return rng.permutation(n) if groups is None else permuted_groups(groups, rng)


def few_units(n: int, groups: Groups | None) -> tuple[EstimateWarning, ...]:
    """Warn where too few rows, or groups of them, are independent."""
    units, name = (n, "rows") if groups is None else (group_count(groups), "groups")
    if units >= FEW_UNITS_FOR_INTERVAL:
        return ()
    sentence = f"{units} {name} are few for an interval"
    return (EstimateWarning("small_sample", sentence, f"give {FEW_UNITS_FOR_INTERVAL} or more"),)


def stderr_of_mean(influence: Doubles, groups: Groups | None) -> float:
    """Give the standard error of a mean, from how each row moves it.

    Parameters
    ----------
    influence
        Shape (n,), nats: n times what each row adds to the reading.
    groups
        Shape (n,). The influence of a group is the sum of its rows', and groups are independent where their
        rows are not (a sandwich estimator: Liang & Zeger 1986), with ``sqrt(G / (G - 1))`` for G groups.
        Every row stands alone when None.
    """
    if groups is None:
        return float(influence.std() / np.sqrt(len(influence)))
    sums, n_groups = group_sums(influence - influence.mean(), groups), group_count(groups)
    return float(np.sqrt(n_groups / (n_groups - 1)) * np.linalg.norm(sums) / len(groups))


def stderr_of_sample(local: Doubles, pull: Doubles, sample: RowNumbers) -> float:
    """Give the standard error of the mean local reading, from the influence of the sampled rows."""
    influence = local[sample] + pull
    return float(influence.std() / np.sqrt(len(local)))


def sampled_rows(n: int, rng: np.random.Generator) -> RowNumbers:
    """Draw the rows whose influence is worked out for a standard error, in order."""
    return np.sort(rng.permutation(n)[:STDERR_ROWS])


def design_effect(x: Doubles, y: Doubles, groups: Groups | None) -> float:
    """Say how much more the sample covariance of two sides varies than that of as many independent rows.

    Parameters
    ----------
    x
        Shape (n, d_x), of mean 0.
    y
        Shape (n, d_y), of mean 0 and uncorrelated with x: residuals.
    groups
        Shape (n,); 1 when None.

    Returns
    -------
    float
        ``sum_g |x_g' y_g|^2`` over the same for rows that stand alone, at least 1 (Kish 1965, the design
        effect).
    """
    if groups is None:
        return 1.0
    order = np.argsort(groups, kind="stable")
    first = np.append(0, np.cumsum(np.bincount(groups))[:-1])
    x, y = x[order], y[order]
    together = sum(np.square(np.add.reduceat(column[:, None] * y, first)).sum() for column in x.T)
    alone = np.square(x).sum(axis=1) @ np.square(y).sum(axis=1)
    n_groups = len(first)
    return max(1.0, float(together / alone) * n_groups / (n_groups - 1)) if alone > 0 else 1.0


def symbol_design_effect(x: WholeNumbers, y: WholeNumbers, groups: Groups) -> float:
    """Say how much more the counts of pairs of symbols vary than those of as many independent rows.

    Parameters
    ----------
    x, y, groups
        Shape (n,) each, counted from 0.

    Returns
    -------
    float
        :func:`design_effect` of the indicators of x and of what is left of those of y given x, at least 1.
    """
    n, size_y = len(x), int(y.max()) + 1
    p_x, p_y = np.bincount(x) / n, np.bincount(y) / n
    pairs, pair = np.unique(x * size_y + y, return_inverse=True)
    of_x, of_y = np.divmod(pairs, size_y)
    given = np.bincount(pair) / (n * p_x[of_x])
    spread = np.bincount(of_x, np.square(given) / p_y[of_y])
    cells, cell = np.unique(groups * len(p_x) + x, return_inverse=True)
    held, counts = np.unique(cell * len(pairs) + pair, return_counts=True)
    where, which = np.divmod(held, len(pairs))
    in_cell = np.bincount(cell)

    def squared(counts: Doubles, sizes: Doubles) -> Doubles:
        """Give what one symbol of y adds to the squared residual of a cell, but for the cell's own term."""
        return counts * (counts - 2 * sizes * given[which]) / p_y[of_y[which]] / p_x[of_x[which]]

    of_cell = cells % len(p_x)
    own = spread[of_cell] / p_x[of_cell]
    together = squared(counts.astype(float), in_cell[where].astype(float)).sum() + np.square(in_cell) @ own
    alone = counts @ squared(np.ones(len(held)), np.ones(len(held))) + in_cell @ own
    n_groups = group_count(groups)
    return max(1.0, float(together / alone) * n_groups / (n_groups - 1)) if alone > 1e-9 * n else 1.0


def strangers(groups: Groups) -> NDArray[np.int64]:
    """Count the rows of other groups, for every row: shape (n,)."""
    return len(groups) - np.bincount(groups)[groups]
