"""Which rows of labelled features make up composites, so that none is shown in two parts."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.core.names import nearest
from mitools.datasets.known_information.binary_composites import (
    BinaryComposites,
    CompositeItems,
    draw_composites,
)
from mitools.datasets.readers.features import FeatureRows
from mitools.estimators.array_types import Singles
from mitools.estimators.dependence.dependent_rows import dependence_warnings
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts, split

TRAIN, SELECT, REPORT, ALL = range(4)
"""Streams of random numbers: whoever draws the composites of a part again draws the same ones."""


@dataclass(frozen=True, eq=False)
class CompositePool:
    """Rows of two classes that show bits, split before any composite is made.

    Composites of one part show rows of that part alone, so a critic gains nothing on *report* by
    remembering rows that it was trained on. The composites of every part share
    ``bits (1 - H2(flip))`` bits, as that holds for any rows that determine their class
    (:class:`mitools.datasets.known_information.binary_composites.BinaryComposites`).

    Attributes
    ----------
    rows
        Shape (items, d).
    labels
        Shape (items,), 0 or 1: the bit that a row shows.
    bits
        Rows side by side in a composite.
    n
        Composites in all three parts.
    seed
        Of the two splits and of the composites.
    groups
        Shape (items,): rows that depend on each other, which are shown in one part alone; None where every
        row stands alone.
    """

    rows: Singles
    labels: NDArray[np.int64]
    bits: int
    n: int
    seed: int = 0
    groups: Groups | None = None

    @cached_property
    def item_parts(self) -> Parts:
        """The split of the rows.

        Raises
        ------
        InputError
            When a class is too small to split.
        """
        return split(len(self.labels), self.labels, self.seed, self.groups)

    @cached_property
    def parts(self) -> Parts:
        """The split of the composites.

        Raises
        ------
        InputError
            When there are too few to split.
        """
        return split(self.n, seed=self.seed)

    @cached_property
    def dependence(self) -> tuple[EstimateWarning, ...]:
        """How the rows depend on each other, where nobody said which belong together."""
        return () if self.groups is not None else dependence_warnings(self.rows, self.labels, self.seed)

    @property
    def dimensions(self) -> int:
        """Of the x and of the y of a composite."""
        return self.bits * self.rows.shape[1]

    @cached_property
    def truth_is_limit(self) -> bool:
        """Whether some row is found in both classes: the true value is then only a limit of the truth."""
        return BinaryComposites(self.rows, self.labels, self.bits, flip=0.0).truth.is_limit

    def choose(self, items: NDArray[np.int64], flip: float, n: int, stream: int) -> CompositeItems:
        """Choose the rows of n composites among `items`; the result numbers all rows.

        Parameters
        ----------
        items
            Rows that may be shown.
        flip
            Probability with which a bit is flipped on its way from x to y.
        n
            Composites.
        stream
            :data:`TRAIN`, :data:`SELECT`, :data:`REPORT` or :data:`ALL`.
        """
        rng = np.random.default_rng([self.seed, stream])
        chosen = draw_composites(self.labels[items], self.bits, flip, n, rng)
        x_items, y_items = items[chosen.x_items], items[chosen.y_items]
        return CompositeItems(x_items, y_items, chosen.x_bits, chosen.y_bits)

    def held_out(self, flip: float) -> tuple[Singles, Singles]:
        """Make the composites of :attr:`parts`, each part of its own rows; shape (n, dimensions) each."""
        x, y = (np.empty((self.n, self.dimensions), dtype=np.float32) for _ in range(2))
        composites, items = self.parts, self.item_parts
        for stream, (some, shown) in enumerate(
            (
                (composites.train, items.train),
                (composites.select, items.select),
                (composites.report, items.report),
            )
        ):
            x[some], y[some] = self._show(self.choose(shown, flip, len(some), stream))
        return x, y

    def together(self, flip: float) -> tuple[Singles, Singles]:
        """Make n composites of all rows, for what trains nothing; shape (n, dimensions) each."""
        return self._show(self.choose(np.arange(len(self.rows)), flip, self.n, ALL))

    def _show(self, chosen: CompositeItems) -> tuple[Singles, Singles]:
        x, y = (self.rows[items].reshape(len(items), -1) for items in (chosen.x_items, chosen.y_items))
        return x, y


def composite_pool(
    data: FeatureRows,
    bits: int,
    n: int | None = None,
    components: int | None = None,
    classes: tuple[str, str] | None = None,
    seed: int = 0,
    groups: Groups | None = None,
) -> CompositePool:
    """Take the rows of two classes to show bits by.

    Parameters
    ----------
    data
        Labelled features.
    bits
        Rows side by side in a composite.
    n
        Composites; as many as the classes have rows when None.
    components
        Principal components, of the training rows' making, that stand for a row; all of its dimensions
        when None.
    classes
        Names of the classes that show 0 and 1; the two with most rows when None.
    seed
        Of the splits and of the composites.
    groups
        Shape (rows of the data,): rows that depend on each other; None where every row stands alone.

    Raises
    ------
    InputError
        When a class is unknown, or there are not so many components.
    """
    zero, one = (list(data.classes).index(name) for name in named_classes(data, classes))
    shown = np.flatnonzero((data.labels == zero) | (data.labels == one))
    labels = (data.labels[shown] == one).astype(np.int64)
    n = len(shown) if n is None else n
    named = None if groups is None else np.unique(groups[shown], return_inverse=True)[1].astype(np.int64)
    pool = CompositePool(data.features[shown].astype(np.float32), labels, bits, n, seed, named)
    if components is None:
        return pool
    return replace(pool, rows=_principal(pool.rows, pool.item_parts.train, components))


def named_classes(data: FeatureRows, names: tuple[str, str] | None) -> tuple[str, str]:
    """Give the names of two classes of the data: those asked for, or the two with most rows.

    Raises
    ------
    InputError
        When there is no such class, or the two are one.
    """
    if len(data.classes) < 2:
        raise InputError(f"{data.name} has one class, but two are needed: one shows 0, the other 1")
    if names is None:
        # A stable sort keeps earlier ones among equals, and the file's order between the two.
        zero, one = sorted(np.argsort(-np.bincount(data.labels), kind="stable")[:2])
        return data.classes[zero], data.classes[one]
    for name in names:
        if name not in data.classes:
            raise InputError(
                f"{data.name} has no class {name!r}; did you mean {nearest(name, data.classes)}?"
            )
    if names[0] == names[1]:
        raise InputError(f"the class {names[0]!r} cannot show both bits; name two classes")
    return names


def _principal(rows: Singles, train: NDArray[np.int64], count: int) -> Singles:
    """Give the principal components of every row, fitted to training rows, shape (items, count)."""
    from sklearn.decomposition import PCA

    most = min(len(train), rows.shape[1])
    if not 1 <= count <= most:
        raise InputError(f"{len(train)} training rows of {rows.shape[1]} numbers have no {count} components")
    fitted = PCA(count, random_state=0).fit(rows[train])
    return np.ascontiguousarray(fitted.transform(rows), dtype=np.float32)
