"""Mutual information from nearest neighbours: Kraskov's two algorithms."""

from dataclasses import replace
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import digamma

from mitools.core.errors import InputError
from mitools.estimators.array_types import Doubles, Floats, RowNumbers, WholeNumbers
from mitools.estimators.classical.base import ClassicalReading, ClosedFormEstimator, SideValues
from mitools.estimators.classical.grouped import null_permutation, sampled_rows, stderr_of_sample, strangers
from mitools.estimators.classical.neighbours.distances import shifted_in_blocks
from mitools.estimators.classical.neighbours.margins import (
    check_neighbours,
    far_neighbours,
    precision_of,
    with_margins,
)
from mitools.estimators.classical.neighbours.nonuniformity import nonuniformity
from mitools.estimators.classical.neighbours.search import (
    Strips,
    brute_force_pays,
    strips_by_brute_force,
    strips_by_tree,
)
from mitools.estimators.classical.neighbours.shortfall import shortfall
from mitools.estimators.classical.neighbours.strangers import (
    nearest_strangers,
    strips_of_strangers,
)
from mitools.estimators.classical.neighbours.thinning import (
    LocalReadings,
    clumped,
    fewest_strangers,
    read_groups,
)
from mitools.estimators.inputs.even_spacing import spread_within_steps
from mitools.estimators.inputs.groups import Groups


class _Compared(NamedTuple):
    """Rows as they were read, and which of them were sampled."""

    x: Floats
    y: Floats
    sample: RowNumbers


class KSG(ClosedFormEstimator):
    """The estimator of Kraskov, Stögbauer and Grassberger (2004) for continuous x and y.

    About each row lies the smallest box (maximum norm) that holds its k nearest in (x, y); the fewer
    rows share the box's strip in x alone and in y alone, the more information.

    *Bias.* It is nearly unbiased in up to about 2+2 dimensions and for information up to a few nats.
    Beyond, boxes are too wide to be evenly filled and the reading is too low: by 0.04 of 1.02 nats for two
    interacting pairs in 3+3 dimensions and 10,000 rows, by 0.23 in 5+5, by 0.87 in 25+25. That began where
    the median distance to the k-th neighbour passed 0.4 standard deviations, and `small_sample` is raised
    there.

    *Ties.* Values that are tied within a column are separated by a seeded jitter smaller than any gap
    between different values: x stays a function of jittered x, so no information comes or goes, and
    lattices and duplicated rows read finite numbers.

    *Groups.* Rows of one group, such as frames of a clip, lie near each other whatever x and y share. They
    are not taken as neighbours and not counted (a Theiler window: Theiler 1986; Kantz & Schreiber 2004,
    Sec. 6.5); n is then the rows of other groups, and one. Where the rows of another group come as one
    lump, as copies do, groups are thinned until neighbours are of different groups, and readings of up
    to ten draws averaged (:mod:`.thinning`); a row of a large group then weighs less.

    *Standard error.* The reading is the mean of n local readings that share neighbours, so their
    scatter alone is too small, by 10 to 35%. To it is added how each row pulls on the others' counts:
    the derivative of the sum of local readings by that row's weight, worked out on up to 500 rows
    (the infinitesimal jackknife; groups are summed, up to 2,000 rows of them). It came to 0.8 to 1.4 times
    the true standard deviation on ten tasks.

    *Interval.* Four times as many neighbours read less where boxes are not evenly filled. By as much as that
    the interval reaches higher (:mod:`.shortfall`; not with groups or the correction for non-uniformity).
    It does not cover the bias where neighbours are far, of which `small_sample` tells.

    Parameters
    ----------
    k
        Neighbours. More smooth, so the variance falls and the bias grows.
    algorithm
        1 or 2: strips as wide as the k-th neighbour is far, or as wide as the neighbours reach on either
        side. The second has the smaller bias for information of several nats, and the larger variance.
    margins
        ``normal``: each column's ranks become normal quantiles, which heavy tails and monotone maps of a
        column do not change. ``scaled``: columns are divided by their standard deviation, as in
        scikit-learn and the paper; it reads too low on heavy tails (0.15 of 0.22 nats for Student-t with one
        degree of freedom), and keeps the gaps between clusters, which ranks close (3.8 of 4.2 nats in
        50+50 dimensions of two-class composites, where ranks leave 1.9).
    correct_nonuniformity
        Whether to correct for boxes that are not evenly filled (Gao, Ver Steeg & Galstyan 2015): rows on
        a thin line then read 8.3 of 8.5 nats at n = 2,000 instead of 6.2. Needs more neighbours than
        dimensions, and scaled margins, as ranks know nothing finer than one rank. In 5+5 dimensions and
        more it overshoots.
    seed
        Of the jitter, the permuted rows of the null and the rows sampled for the standard error.

    Attributes
    ----------
    estimate_
        The reading of the last fit; its ceiling is ``digamma(n) - digamma(k)``, at most.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal(2000)
    >>> y = 0.75 * x + np.sqrt(1 - 0.75**2) * rng.standard_normal(2000)  # truth: 0.413 nats
    >>> low, high, _ = KSG().estimate(x, y).interval_nats
    >>> bool(low < 0.413 < high)
    True
    """

    method: ClassVar[str] = "ksg"

    def __init__(
        self,
        k: int = 3,
        algorithm: int = 1,
        margins: str = "normal",
        correct_nonuniformity: bool = False,
        seed: int = 0,
    ) -> None:
        self.k = k
        self.algorithm = algorithm
        self.margins = margins
        self.correct_nonuniformity = correct_nonuniformity
        self.seed = seed

    def _check_settings(self) -> None:
        check_neighbours(self.k, self.margins)
        if self.algorithm not in (1, 2):
            raise InputError(f"algorithm must be 1 or 2, not {self.algorithm!r}")
        if self.correct_nonuniformity and self.margins != "scaled":
            raise InputError("the non-uniformity correction needs margins='scaled': ranks hide what is thin")

    def read_without_null(self, x: ArrayLike, y: ArrayLike) -> ClassicalReading:
        """Give the reading that :meth:`fit` makes and no more, as a search among columns needs many.

        Parameters
        ----------
        x, y
            As for :meth:`fit`; no row knows another.

        Returns
        -------
        ClassicalReading
            Without what more neighbours may add to the interval.

        Raises
        ------
        InputError
            As :meth:`fit` does.
        """
        self._check_settings()
        x_table, y_table = self._accept_x(x), self._accept_y(y)
        if not (x_table.size and y_table.size):
            return ClassicalReading(0.0, 0.0)
        permutation = null_permutation(len(x_table), None, np.random.default_rng([self.seed, 1]))
        return self._read_both(x_table, y_table, permutation, None, with_null=False)[0]

    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading | None]:
        value, null, compared = self._read_both(x, y, permutation, groups)
        # The correction for thin ridges is made for what is measured here.
        if compared is not None and not self.correct_nonuniformity:
            value = replace(value, shortfall=shortfall(compared.x, compared.y, self.k, compared.sample))
        return value, null

    def _nats(self, x: SideValues, y: SideValues) -> float:
        return self._read_both(x, y, np.arange(len(x)), None, with_null=False)[0].nats

    def _read_both(
        self,
        x: SideValues,
        y: SideValues,
        permutation: RowNumbers,
        groups: Groups | None,
        with_null: bool = True,
    ) -> tuple[ClassicalReading, ClassicalReading | None, "_Compared | None"]:
        """Read the rows and their null, and say on what more neighbours may be looked at; not of groups."""
        n, d = len(x), x.shape[1] + y.shape[1]
        if n <= self.k:
            raise InputError(f"{n} rows have no {self.k} neighbours each; lower k or give more rows")
        if self.correct_nonuniformity and self.k <= d:
            raise InputError(f"the non-uniformity correction needs k above the {d} dimensions of x and y")
        rng = np.random.default_rng([self.seed, 2])
        if self.correct_nonuniformity:
            within = np.random.default_rng([self.seed, 8])
            x, y = spread_within_steps(x, within), spread_within_steps(y, within)
        x, y = with_margins(x, self.margins, rng), with_margins(y, self.margins, rng)
        if groups is not None:
            value = self._read_groups(x, y, groups, rng)
            strange = self._read_groups(x, y[permutation], groups, rng, value.record["rows_per_group"])
            return value, strange, None
        sample = sampled_rows(n, rng)
        wide = self.algorithm == 2
        if brute_force_pays(n, d):
            x, y = (rows[permutation].astype(precision_of(self.margins)) for rows in (x, y))
            y_permuted = y[shifted_in_blocks(n)]
            found = strips_by_brute_force(x, y, self.k, wide, sample, with_null)
        else:
            # In order of x, rows that are near each other lie near each other in memory.
            order = np.argsort(x[:, 0])
            x, y, y_permuted = x[order], y[order], y[permutation]
            sides = (y, y_permuted) if with_null else (y,)
            found = [strips_by_tree(x, side, self.k, wide, sample) for side in sides]
        value = self._value(x, y, found[0], sample)
        null = self._value(x, y_permuted, found[1], sample) if with_null else None
        return value, null, _Compared(x, y, sample)

    def _value(self, x: Floats, y: Floats, found: Strips, sample: RowNumbers) -> ClassicalReading:
        local, pull = self._local(x, y, found, sample, len(x))
        search = "brute force" if brute_force_pays(len(x), x.shape[1] + y.shape[1]) else "tree"
        return ClassicalReading(
            float(local.mean()),
            stderr_of_sample(local, pull, sample),
            ceiling=self._ceiling(len(x)),
            warnings=far_neighbours(found.reach),
            record={"search": search},
        )

    def _read_groups(
        self,
        x: Floats,
        y: Floats,
        groups: Groups,
        rng: np.random.Generator,
        rows_per_group: int | None = None,
    ) -> ClassicalReading:
        def read(rows: RowNumbers, sample: RowNumbers) -> LocalReadings:
            some_x, some_y, own = x[rows], y[rows], groups[rows]
            found = strips_of_strangers(some_x, some_y, own, self.k, self.algorithm == 2, sample)
            local, pull = self._local(some_x, some_y, found, sample, strangers(own) + 1)
            near = found.neighbours
            if self.k == 1 and fewest_strangers(np.bincount(own)) > 1:
                near = nearest_strangers(np.hstack([some_x, some_y]), own, 2)[1]
            return LocalReadings(local, pull, found.reach, clumped(near, own))

        found = read_groups(groups, read, self.k, rng, rows_per_group)
        sizes = np.minimum(np.bincount(groups), found.rows_per_group)
        return ClassicalReading(
            found.nats,
            found.stderr,
            ceiling=self._ceiling(int(sizes.sum() - sizes.min()) + 1),
            warnings=far_neighbours(found.reach),
            record={"rows_per_group": found.rows_per_group},
        )

    def _ceiling(self, n: int) -> float | None:
        if self.correct_nonuniformity:
            return None
        return float(digamma(n) - digamma(self.k)) - (1 / self.k if self.algorithm == 2 else 0.0)

    def _local(
        self, x: Floats, y: Floats, found: Strips, sample: RowNumbers, n: int | WholeNumbers
    ) -> tuple[Doubles, Doubles]:
        """Give every row's reading, and how each sampled row pulls on those of others."""
        n_x, n_y = found.n_x, found.n_y
        if self.algorithm == 1:
            local = digamma(self.k) + digamma(n) - digamma(n_x) - digamma(n_y)
        else:
            local = digamma(self.k) - 1 / self.k + digamma(n) - digamma(n_x - 1) - digamma(n_y - 1)
        if self.correct_nonuniformity:
            local = local + nonuniformity(np.hstack([x, y]), found.neighbours, self.seed)
        chosen = np.bincount(found.neighbours.ravel(), minlength=len(x))[sample] / self.k
        return local, chosen - found.share_x - found.share_y
