"""Mutual information of many columns by pairs of components, which are read in one dimension each."""

from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.estimators.array_types import Doubles, RowNumbers
from mitools.estimators.classical.base import ClassicalEstimator, ClassicalReading, SideValues
from mitools.estimators.classical.components.directions import components
from mitools.estimators.classical.components.left_over import dependence_left, dependent_components
from mitools.estimators.classical.gaussian import read_normal
from mitools.estimators.classical.ksg import KSG
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.rank_normal import normal_scores
from mitools.estimators.warnings import BIAS_LEFT_PER_RISE

MOST_PARTNERS = 3
"""Components already added on which a further one may depend: what more of them share is not resolved."""


STDERRS_OF_SHARED = 2.0
"""Standard errors from which what a component shares with others is taken off: less may be chance."""


_TOO_FEW_FOR_HALVES = EstimateWarning(
    "small_sample",
    "what components of so few rows miss cannot be told from half of them: the truth may be higher",
    "give more rows",
)


class ComponentEstimator(ClassicalEstimator):
    """The sum of what matching components of x and y share, each pair read by nearest neighbours.

    In many dimensions no neighbour is near. But canonical variates of the columns' normal scores come in
    pairs (u_k, v_k) that are correlated with each other alone, and in 1+1 dimensions neighbours are near
    whatever the shape of the dependence. Since ``h(v | u) <= sum_k h(v_k | u_k)``, for any components

        I(X; Y) >= sum_k I(u_k; v_k) - T(v),    T(v) = sum_k h(v_k) - h(v),

    and as well with T(u): what components of one side share of each other is counted once. So:

    1. Canonical directions are fitted on four fifths of the rows and applied to the last fifth, for each
       fifth in turn, so that no row has shaped its own components, nor those of its group. Where values
       recur in a column, all rows get the mean of these directions: tied rows of one fifth would else be
       told from those of another, on both sides alike.
    2. Directions of equal correlation are turned freely among themselves; of these turns the one is taken
       whose components load on fewest columns (varimax), if it leaves 97% of the normal information between
       matching components.
    3. Components are added, those that share most first. Where one depends on some of those before, by the
       correlations of their sizes and values or by a table of their ranks, ``I(v_k; those)`` is read by
       neighbours and, where it is clear, taken off. It is added if anything is left, and if it depends on
       three at most. Of the two sides the one is taken that leaves more.

    *Bias.* Too low by what lies outside the components, and by their directions' errors (0.03 of 1.02 nats
    in 50+50 dimensions and 10,000 rows). Two columns that show one symbol of 16 in unrelated orders read 5.7
    of 4.04 nats before what they share is taken off, and 3.8 after. Where what the components leave of one
    side depends on the other side, `dependence_left` is raised: a scale that all columns share, a mixture.

    *Interval.* It reaches higher by what correlations of all columns hold beyond those of the components,
    whose directions were fitted on few rows, and by what neighbours of the pairs may miss; or, if that is
    more, by what is left of a bias that falls like ``n**-0.5``, by the readings of half the rows. On four
    columns a side of uniform noise that bias was 0.39, 0.30, 0.19 and 0.14 nats at 300 to 2,400 rows, and
    half the rows lacked 0.42 times as much again.

    Parameters
    ----------
    k
        Neighbours; see :class:`mitools.estimators.classical.ksg.KSG`.
    folds
        Into how many parts the rows are dealt for the directions.
    seed
        Of the deal, the jitter and the permuted rows of the null.

    Attributes
    ----------
    estimate_
        The reading of the last fit.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((4000, 10))
    >>> y = rng.standard_normal((4000, 10))
    >>> y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]  # truth: 0.511 nats
    >>> bool(abs(ComponentEstimator().estimate(x, y).nats - 0.511) < 0.06)
    True
    """

    method: ClassVar[str] = "components"
    fewest_rows: ClassVar[int] = 20

    def __init__(self, k: int = 3, folds: int = 5, seed: int = 0) -> None:
        self.k = k
        self.folds = folds
        self.seed = seed

    def _check_settings(self) -> None:
        if self.k < 1 or self.folds < 2:
            raise InputError(f"k={self.k} must be at least 1 and folds={self.folds} at least 2")

    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading | None]:
        if len(x) < 10 * self.folds:
            raise InputError(f"{len(x)} rows are too few for {self.folds} folds of ten; take fewer folds")
        if groups is not None and groups.max() + 1 < self.folds:
            raise InputError(f"{groups.max() + 1} groups are too few for {self.folds} folds; take fewer")
        x, y = normal_scores(x), normal_scores(y)
        u, v = components(x, y, self.folds, self.seed, groups)
        value, lost = self._read_components(u, v, groups), _correlations_lost(x, y, u, v)
        shortfall, few = value.shortfall + max(lost.nats, 0.0), tuple[EstimateWarning, ...]()
        if u.shape[1] and x.shape[1] + y.shape[1] > 2:
            halves = self._read_halves(x, y, groups)
            if halves is None:
                few = (_TOO_FEW_FOR_HALVES,)
            else:
                shortfall = max(shortfall, BIAS_LEFT_PER_RISE * (value.nats - halves))
        value = replace(
            value,
            stderr=value.stderr if u.shape[1] else lost.stderr,
            shortfall=shortfall,
            warnings=few + dependence_left(x, y, u, v, groups),
        )
        return value, self._read(x, y[permutation], groups)

    def _read(self, x: Doubles, y: Doubles, groups: Groups | None) -> ClassicalReading:
        return self._read_components(*components(x, y, self.folds, self.seed, groups), groups)

    def _read_halves(self, x: Doubles, y: Doubles, groups: Groups | None) -> float | None:
        """Read each half of the rows, whole groups of them, with directions of its own: the mean, nats.

        None where a half cannot be dealt into folds.
        """
        rng = np.random.default_rng([self.seed, 9])
        units = np.arange(len(x)) if groups is None else groups
        first = (rng.permutation(int(units.max()) + 1) % 2)[units] == 0
        halves = []
        for half in (first, ~first):
            own = None if groups is None else np.unique(groups[half], return_inverse=True)[1]
            if half.sum() < 10 * self.folds or (own is not None and own.max() + 1 < self.folds):
                return None
            halves.append(self._read(normal_scores(x[half]), normal_scores(y[half]), own).nats)
        return float(np.mean(halves))

    def _read_components(self, u: Doubles, v: Doubles, groups: Groups | None) -> ClassicalReading:
        pairs = [self._pair(u[:, [j]], v[:, [j]], groups) for j in range(u.shape[1])]
        sums = [self._counted_once(side, pairs, groups) for side in (u, v)]
        found = max(sums, key=lambda one: one.nats)
        record = {
            "components": u.shape[1],
            "components_read": found.components,
            "counted_once_nats": found.taken_off,
        }
        return ClassicalReading(found.nats, found.stderr, shortfall=found.shortfall, record=record)

    def _pair(self, one: Doubles, other: Doubles, groups: Groups | None) -> "_Shared":
        found = KSG(self.k, seed=self.seed).fit(one, other, groups).estimate_
        return _Shared(found.nats, found.stderr_nats or 0.0, found.settings.get("shortfall_nats", 0.0))

    def _counted_once(self, side: Doubles, pairs: list["_Shared"], groups: Groups | None) -> "_Sum":
        """Add the pairs, the greatest first, each less what its component shares with those before."""
        dependent = dependent_components(side)
        chosen: list[int] = []
        nats = taken_off = shortfall = 0.0
        errors: list[float] = []
        for j in sorted(range(len(pairs)), key=lambda j: -pairs[j].nats):
            partners = [i for i in chosen if dependent[i, j]]
            if len(partners) > MOST_PARTNERS:
                continue
            known = self._pair(side[:, [j]], side[:, partners], groups) if partners else _NOTHING
            known = known if known.nats > STDERRS_OF_SHARED * known.stderr else _NOTHING
            gain = pairs[j].nats - known.nats
            if gain <= 0:
                continue
            chosen.append(j)
            nats += gain
            taken_off += known.nats
            shortfall += pairs[j].shortfall
            errors += [pairs[j].stderr, known.stderr]
        return _Sum(nats, float(np.linalg.norm(errors)), len(chosen), taken_off, shortfall)


class _Shared(NamedTuple):
    """What some components share with others, its standard error, and by what it may fall short."""

    nats: float
    stderr: float
    shortfall: float = 0.0


_NOTHING = _Shared(0.0, 0.0)


class _Sum(NamedTuple):
    """What the components of one side share with those of the other, each thing once."""

    nats: float
    stderr: float
    components: int
    taken_off: float
    shortfall: float


def _correlations_lost(x: Doubles, y: Doubles, u: Doubles, v: Doubles) -> _Shared:
    """Give what correlations of all columns hold beyond those of the components, nats.

    Of all columns it is the reading of :class:`.GaussianEstimator`, unbiased at any n: directions that are
    fitted on few rows miss some of it.
    """
    if len(x) <= x.shape[1] + y.shape[1] + 1:
        return _NOTHING
    try:
        of_all = read_normal(x, y)
    except InputError:  # one side gives a direction of the other: correlations hold no finite number
        return _NOTHING
    matched = np.array([np.corrcoef(one, other)[0, 1] for one, other in zip(u.T, v.T, strict=True)])
    unexplained = np.maximum(1 - np.square(matched), np.finfo(np.float64).eps)
    return _Shared(of_all.nats + float(np.log(unexplained).sum()) / 2, of_all.stderr)
