"""A lower bound for symbols: what is learnt of y from x on some rows, read on others."""

import time
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate
from mitools.estimators.array_types import Doubles, RowNumbers, WholeNumbers
from mitools.estimators.assemble import assemble_estimate
from mitools.estimators.base import MIEstimator
from mitools.estimators.bounds.reading import Reading, pooled
from mitools.estimators.classical.grouped import null_permutation
from mitools.estimators.classical.partners import most_frequent
from mitools.estimators.inputs.folds import CROSS_FIT_FOLDS, cross_fit_parts
from mitools.estimators.inputs.groups import as_groups, group_count
from mitools.estimators.inputs.splits import Parts
from mitools.estimators.inputs.symbols import numbered_together, symbol_values
from mitools.estimators.inputs.validation import same_length

CONCENTRATIONS = (0.3, 3.0, 30.0)
"""Rows that the margin of y counts for beside the rows of one x; a weight is found for each."""

_EM_STEPS = 100


class PredictiveCoding(MIEstimator):
    """A certified lower bound on I(X;Y) of symbols, however few of their pairs recur.

    On the training rows a ratio ``r(x, y)`` is learnt that predicts y from x: a mixture of no prediction
    (1), of the symbol itself where both sides have the same symbols, of the y that is most frequent beside
    x, and of the counts of y beside x, smoothed towards the margin of y with several concentrations. The
    weights of the mixture maximise the likelihood of *select*. On *report*, rows that neither has seen,

    ``I >= E log r(x, y) + 1 - E' r(x, y)``,

    where E' pairs every x with every other row's y (Nguyen, Wainwright & Jordan 2010; with r normalised it
    is Barber & Agakov's bound of 2003 and the gain of a predictive code). No entropy has to be known, and the
    value is a lower bound in expectation at any sample size. r never exceeds what training rows support, so
    that rare pairs cannot lift it.

    Five folds give every row one reading.

    Parameters
    ----------
    seed
        Of the folds and of the permuted rows of the null.

    Attributes
    ----------
    estimate_
        The bound of the last fit. Its settings give the mean ``weights`` of the mixture.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.integers(0, 100, 2000)
    >>> y = np.where(rng.random(2000) < 0.5, rng.integers(0, 100, 2000), x)  # truth: 1.637 nats
    >>> estimate = PredictiveCoding().estimate(x, y)
    >>> estimate.kind, bool(1.4 < estimate.nats < 1.75)
    ('lower bound', True)
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def fit(self, x: ArrayLike, y: ArrayLike, groups: ArrayLike | None = None) -> Self:
        """Bound I(X;Y) from paired rows.

        Parameters
        ----------
        x, y
            Symbols: whole numbers or strings, shape (n,), or rows of whole numbers, shape (n, d).
        groups
            Shape (n,): which rows depend on each other, so that a group is in one fold, and errors are those
            of groups.

        Raises
        ------
        InputError
            When the values are no symbols, the lengths differ, or there are fewer than ten rows.
        """
        started = time.perf_counter()
        values = symbol_values(x, "x"), symbol_values(y, "y")
        n = len(values[0])
        same_length(n, len(values[1]), "x", "y")
        if n < 2 * CROSS_FIT_FOLDS:
            raise InputError(f"{n} rows are too few for predictive_coding; give at least ten")
        of_x, of_y, symbols = numbered_together(*values)
        grouped = None if groups is None else as_groups(groups, n)
        permuted = of_y[null_permutation(n, grouped, np.random.default_rng([self.seed, 1]))]
        folds = cross_fit_parts(n, None, CROSS_FIT_FOLDS, self.seed, grouped)
        found = [_read_fold(of_x, of_y, symbols, parts) for parts in folds]
        null = pooled([_read_fold(of_x, permuted, symbols, parts).reading for parts in folds])
        weights = np.mean([fold.weights for fold in found], axis=0)
        names = ["none", "same symbol", "most frequent", *(f"counts + {c:g}" for c in CONCENTRATIONS)]
        self.estimate_: Estimate = assemble_estimate(
            pooled([fold.reading for fold in found]),
            method="predictive_coding",
            kind="lower bound",
            null=null,
            n_train=len(folds[0].train),
            n_select=len(folds[0].select),
            n_report=n,
            seconds=time.perf_counter() - started,
            settings=self.settings()
            | {
                "groups": group_count(grouped),
                "symbols_x": len(np.unique(of_x)),
                "symbols_y": len(np.unique(of_y)),
                "weights": {name: float(weight) for name, weight in zip(names, weights, strict=True)},
            },
        )
        return self


class _Fold(NamedTuple):
    reading: Reading
    weights: Doubles


class _Counts(NamedTuple):
    """What some rows say of y: counts of pairs and of x, each x's most frequent y, smoothed shares of y."""

    keys: WholeNumbers
    times: Doubles
    of_x: Doubles
    most: WholeNumbers
    share_y: Doubles

    @classmethod
    def of(cls, x: WholeNumbers, y: WholeNumbers, symbols: int) -> Self:
        keys, times = np.unique(x * symbols + y, return_counts=True)
        counts = np.bincount(y, minlength=symbols) + 0.5
        of_x = np.bincount(x, minlength=symbols).astype(np.float64)
        most = most_frequent(x, y, symbols)
        return cls(keys, times.astype(np.float64), of_x, most, counts / counts.sum())

    def of_pairs(self, keys: WholeNumbers) -> Doubles:
        """How often each of some pairs occurs, shape (m,)."""
        places = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[places] == keys, self.times[places], 0.0)

    def parts(self, x: WholeNumbers, y: WholeNumbers) -> Doubles:
        """Give every part of the mixture's r(x, y), shape (m, parts)."""
        times, share = self.of_pairs(x * len(self.share_y) + y), self.share_y[y]
        smoothed = [(times / share + c) / (self.of_x[x] + c) for c in CONCENTRATIONS]
        return np.stack([np.ones(len(x)), (x == y) / share, (self.most[x] == y) / share, *smoothed], axis=1)

    def unmet(self, x: WholeNumbers) -> Doubles:
        """Give the parts at a y that was not met beside x, nor is the same symbol, shape (m, parts)."""
        smoothed = [c / (self.of_x[x] + c) for c in CONCENTRATIONS]
        return np.stack([np.ones(len(x)), *np.zeros((2, len(x))), *smoothed], axis=1)


def _read_fold(x: WholeNumbers, y: WholeNumbers, symbols: int, parts: Parts) -> _Fold:
    if (x == x[0]).all() or (y == y[0]).all():
        nothing = np.eye(3 + len(CONCENTRATIONS))[0]  # all weight on no prediction
        return _Fold(Reading(0.0, np.zeros(len(parts.report))), nothing)
    train, select, report = parts.train, parts.select, parts.report
    learnt = _Counts.of(x[train], y[train], symbols)
    weights = _weights(learnt.parts(x[select], y[select]))
    both = np.sort(np.concatenate([train, select]))
    reading = _read(_Counts.of(x[both], y[both], symbols), weights, x, y, report)
    return _Fold(reading.by_group(parts.groups_of(report)), weights)


def _weights(parts: Doubles) -> Doubles:
    """Find the mixture of most likelihood by expectation-maximisation, shape (m, P) to (P,)."""
    weights = np.full(parts.shape[1], 1 / parts.shape[1])
    for _ in range(_EM_STEPS):
        own = parts * weights
        # As if one row more were explained by each part: none is ruled out, least of all no prediction.
        weights = (own / own.sum(axis=1, keepdims=True)).sum(axis=0) + 1 / parts.shape[1]
        weights /= weights.sum()
    return weights


def _read(counts: _Counts, weights: Doubles, x: WholeNumbers, y: WholeNumbers, report: RowNumbers) -> Reading:
    """Read the bound on rows that the counts and weights do not know."""
    x, y, symbols, n = x[report], y[report], len(counts.share_y), len(report)
    ratio = counts.parts(x, y) @ weights
    # Over all pairs of rows: what an unmet y has, and the excess of the y that were met or are the same.
    unmet_of = counts.unmet(np.arange(symbols)) @ weights
    share_x, share_y = np.bincount(x, minlength=symbols) / n, np.bincount(y, minlength=symbols) / n
    both = np.flatnonzero((share_x > 0) & (share_y > 0))
    met = np.union1d(counts.keys, both * symbols + both)
    met_x, met_y = np.divmod(met, symbols)
    here = (share_x[met_x] > 0) & (share_y[met_y] > 0)
    met_x, met_y = met_x[here], met_y[here]
    excess = counts.parts(met_x, met_y) @ weights - unmet_of[met_x]
    row = unmet_of + np.bincount(met_x, excess * share_y[met_y], minlength=symbols)
    column = share_x @ unmet_of + np.bincount(met_y, excess * share_x[met_x], minlength=symbols)
    # Without the pairs of a row with itself, which are no independent pairs.
    row_mean, column_mean = (n * row[x] - ratio) / (n - 1), (n * column[y] - ratio) / (n - 1)
    log_ratio, product = np.log(ratio), float(row_mean.mean())
    value = float(log_ratio.mean())
    influence = (log_ratio - value) - (row_mean + column_mean - 2 * product)
    unseen = (value - float(np.log(unmet_of.min()))) / n
    return Reading(value + 1 - product, influence, unseen)
