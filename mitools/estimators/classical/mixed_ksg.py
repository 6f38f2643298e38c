"""Mutual information of numbers and labels from nearest neighbours: Ross's estimator."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import digamma

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.estimators.array_types import Floats, RowNumbers, WholeNumbers
from mitools.estimators.classical.base import ClassicalReading, ClosedFormEstimator, SideValues
from mitools.estimators.classical.grouped import sampled_rows, stderr_of_sample, strangers
from mitools.estimators.classical.neighbours.distances import positive
from mitools.estimators.classical.neighbours.margins import (
    check_neighbours,
    far_neighbours,
    precision_of,
    with_margins,
)
from mitools.estimators.classical.neighbours.search import (
    brute_force_pays,
    count_within,
    nearest_others,
)
from mitools.estimators.classical.neighbours.shortfall import COARSER
from mitools.estimators.classical.neighbours.strangers import (
    class_strangers,
    count_strangers,
)
from mitools.estimators.classical.neighbours.thinning import (
    LocalReadings,
    read_groups,
)
from mitools.estimators.inputs.groups import Groups, class_groups
from mitools.estimators.inputs.validation import as_labels


class MixedKSG(ClosedFormEstimator):
    """Ross's estimator (2014) for continuous x and class labels y.

    It is Kraskov's with the discrete distance for y: about each row lies the ball that holds its k
    nearest of the same class; the fewer rows of other classes are in it, the more information. As for
    :class:`mitools.estimators.classical.ksg.KSG`, tied values are jittered, the standard error counts how
    rows pull on each other, and many dimensions (beyond about ten, unless classes are well separated) read
    too low; the interval reaches higher by what four times as many neighbours read less. With groups,
    neighbours are rows of other groups, so that a class that lies in one group is refused.

    Parameters
    ----------
    k
        Neighbours within the class; a class of fewer rows uses all its others.
    margins, seed
        As for :class:`mitools.estimators.classical.ksg.KSG`.

    Attributes
    ----------
    estimate_
        The reading of the last fit; its entropy is that of the labels.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 5, 2000)
    >>> x = labels + 2 * rng.random(2000)  # truth: log 5 - 4/5 log 2 = 1.055 nats
    >>> bool(abs(MixedKSG().estimate(x, labels).nats - 1.055) < 0.05)
    True
    """

    method: ClassVar[str] = "mixed_ksg"

    def __init__(self, k: int = 3, margins: str = "normal", seed: int = 0) -> None:
        self.k = k
        self.margins = margins
        self.seed = seed

    def _check_settings(self) -> None:
        check_neighbours(self.k, self.margins)

    def _accept_y(self, y: ArrayLike) -> SideValues:
        labels = as_labels(y)
        sizes = np.bincount(labels)
        if len(sizes) == 1:
            return labels[:, None][:, :0]
        if sizes.min() < 2:
            raise InputError(
                f"{np.count_nonzero(sizes < 2)} of {len(sizes)} classes have one row, and so no neighbour in"
                " it; leave them out, or use ksg if y is no class label"
            )
        return labels

    def _read_with_null(
        self, x: SideValues, y: SideValues, permutation: RowNumbers, groups: Groups | None
    ) -> tuple[ClassicalReading, ClassicalReading]:
        rng = np.random.default_rng([self.seed, 2])
        x = self._measured(x, rng)
        if groups is not None:
            if (count := class_groups(groups, y)).min() < 2:
                raise InputError(
                    f"class {count.argmin()} lies in one group, and has no neighbours in another; leave it"
                    " out, or give more groups of it"
                )
            value = self._read_groups(x, y, groups, rng)
            null = self._read_groups(x, y[permutation], groups, rng, value.record["rows_per_group"])
            return value, null
        value = self._read_classes(x, y, rng)
        null = self._read_classes(x, y[permutation], rng)
        return replace(value, shortfall=self._shortfall(x, y, value.nats)), null

    def _nats(self, x: SideValues, y: SideValues) -> float:
        rng = np.random.default_rng([self.seed, 2])
        return self._read_classes(self._measured(x, rng), y, rng).nats

    def _measured(self, x: SideValues, rng: np.random.Generator) -> Floats:
        """Give the rows as distances between them are taken."""
        rows = with_margins(x, self.margins, rng)
        return rows.astype(precision_of(self.margins)) if brute_force_pays(*rows.shape) else rows

    def _read_groups(
        self,
        x: Floats,
        labels: WholeNumbers,
        groups: Groups,
        rng: np.random.Generator,
        rows_per_group: int | None = None,
    ) -> ClassicalReading:
        def read(rows: RowNumbers, sample: RowNumbers) -> LocalReadings:
            """Read some rows, and how each of the sampled ones pulls on the others."""
            own = groups[rows]
            close = class_strangers(x[rows], labels[rows], own, self.k)
            within, share = count_strangers(x[rows], positive(close.radii), own, sample)
            in_all, in_class = strangers(own) + 1, close.in_class + 1
            local = digamma(in_all) + digamma(close.neighbours) - digamma(in_class) - digamma(within)
            # A class may lie in one group by the draw, or after a permutation, and has no neighbour to read.
            local[~close.found] = local[close.found].mean()
            return LocalReadings(local, close.chosen[sample] - share, close.radii, close.clumped)

        found = read_groups(groups, read, self.k, rng, rows_per_group)
        return ClassicalReading(
            found.nats,
            found.stderr,
            entropy=entropy(np.bincount(labels) / len(labels)),
            warnings=far_neighbours(found.reach),
            record={"rows_per_group": found.rows_per_group},
        )

    def _shortfall(self, x: Floats, labels: WholeNumbers, nats: float) -> float:
        """Give by how many nats more neighbours read less; see :mod:`.shortfall`."""
        sizes = np.bincount(labels)
        neighbours = np.minimum(COARSER * self.k, sizes - 1)[labels]
        radii = self._within_classes(x, labels, COARSER * self.k)[0]
        within = count_within(x, positive(radii), np.arange(0))[0]
        far = digamma(len(x)) + digamma(neighbours) - digamma(sizes[labels]) - digamma(within)
        return max(nats - float(far.mean()), 0.0)

    def _within_classes(
        self, x: Floats, labels: WholeNumbers, neighbours: int
    ) -> tuple[Floats, NDArray[np.float64]]:
        """Give the distance to the furthest neighbour of one's class, and how often a row is one, over k."""
        radii, chosen = np.empty(len(x)), np.zeros(len(x))
        sizes = np.bincount(labels)
        for rows in np.split(np.argsort(labels, kind="stable"), np.cumsum(sizes)[:-1]):
            k = min(neighbours, len(rows) - 1)
            distances, close = nearest_others(x[rows], k)
            radii[rows] = distances[:, -1]
            chosen[rows] = np.bincount(close.ravel(), minlength=len(rows)) / k
        return radii, chosen

    def _read_classes(
        self, x: Floats, labels: NDArray[np.int64], rng: np.random.Generator
    ) -> ClassicalReading:
        n, sizes = len(x), np.bincount(labels)
        neighbours = np.minimum(self.k, sizes - 1)[labels]
        radii, chosen = self._within_classes(x, labels, self.k)
        sample = sampled_rows(n, rng)
        within, share = count_within(x, np.maximum(radii, np.finfo(radii.dtype).tiny), sample)
        local = digamma(n) + digamma(neighbours) - digamma(sizes[labels]) - digamma(within)
        error = stderr_of_sample(local, chosen[sample] - share, sample)
        far = far_neighbours(radii)
        return ClassicalReading(float(local.mean()), error, entropy=entropy(sizes / n), warnings=far)
