"""What all checkpoints of a plane share on one data set: inputs, labels, the split, principal components."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mitools.core.entropy import entropy
from mitools.datasets.base import LabelledData
from mitools.datasets.selection import require_classes
from mitools.encoders.open import open_encoder
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.row_table import NUMBERS_IN_MEMORY, RowTable
from mitools.estimators.inputs.splits import SMALLEST_CLASS
from mitools.estimators.pairs import PairedRows
from mitools.features.extract import Features, extract
from mitools.features.store import FeatureStore
from mitools.measures.item_split import split_items

MOST_ITEMS_PAIRED = 3_000
"""Items that methods whose cost grows with the pairs of items read at the most."""

MOST_ROWS_FITTED = 20_000
"""Training rows that principal components are fitted to at the most."""


class Subject:
    """One data set, as the methods of a plane see it.

    Parameters
    ----------
    data
        n labelled items; they are split once, evenly over the classes, for every checkpoint and method.
    store
        Where the inputs are kept as rows, so that they need not fit in memory.
    image_size
        What the networks bring images to, so that X is what they see; None for the images' own size.
    seed
        Of the split.

    Raises
    ------
    InputError
        When the data have one class, or too few items of one.
    """

    def __init__(self, data: LabelledData, store: FeatureStore, image_size: int | None, seed: int) -> None:
        require_classes(data, SMALLEST_CLASS)
        self.data = data
        self.labels = data.labels
        self.seed = seed
        self.parts = split_items(data, seed)
        self._store = store
        self._pixels = "builtin:pixels" + (f"?image_size={image_size}" if image_size else "")
        self._reduced: dict[int, NDArray[np.float32]] = {}
        self._order = np.random.default_rng([seed, 8]).permutation(len(data))

    @property
    def input_key(self) -> str:
        """Digest of the inputs as rows."""
        return self._inputs.key

    @cached_property
    def inputs(self) -> NDArray[Any]:
        """X, shape (n, pixels), mapped from the store."""
        return self._inputs.values[:, 0]

    @cached_property
    def one_hot(self) -> NDArray[np.float32]:
        """Y as rows, shape (n, C)."""
        return np.eye(len(self.data.classes), dtype=np.float32)[self.labels]

    def pairs(self, of_labels: bool) -> PairedRows:
        """Say that rows belong together, and what H(Y) is where y is the label."""
        pairing = PairedRows(len(self.labels), groups=self.parts.groups)
        pairing.strata = self.labels
        if of_labels:
            pairing.entropy_nats = entropy(np.bincount(self.labels) / len(self.labels))
        return pairing

    def groups(self, items: NDArray[np.int64]) -> Groups | None:
        """Give the groups of some items, shape (m,); None where every item stands alone."""
        return self.parts.groups_of(items)

    def items(self, width: int, paired: bool) -> NDArray[np.int64]:
        """Choose the items of a method that holds rows in memory in double precision, the same at every call.

        Parameters
        ----------
        width
            Numbers a row.
        paired
            Whether it compares every two items; then they are 3,000 at the most.
        """
        most = max(2, NUMBERS_IN_MEMORY // (4 * width))
        return np.sort(self._order[: min(most, MOST_ITEMS_PAIRED) if paired else most])

    def principal_inputs(self, k: int) -> NDArray[np.float32]:
        """Reduce X to principal components, shape (n, at most k); see :meth:`principal`."""
        if k not in self._reduced:
            self._reduced[k] = self.principal(self.inputs, k)
        return self._reduced[k]

    def principal(self, rows: NDArray[Any], k: int) -> NDArray[np.float32]:
        """Reduce rows to their first principal components on the training items.

        A function of X alone, so that no component can tell more of T than X does.

        Parameters
        ----------
        rows
            Shape (n, d), possibly mapped from a file; looked at a bounded part at a time.
        k
            Components; fewer where the rows have fewer dimensions.
        """
        from sklearn.decomposition import PCA

        table = RowTable(rows)
        most = min(MOST_ROWS_FITTED, max(2, NUMBERS_IN_MEMORY // (4 * table.width)))
        train = np.random.default_rng([self.seed, 9]).permutation(self.parts.train)[:most]
        pca = PCA(min(k, table.width, len(train)), random_state=0)
        with np.errstate(invalid="ignore"):  # a layer that is constant has no share of variance to explain
            pca.fit(table.at(np.sort(train)).rows())
        reduced = np.empty((len(table), pca.n_components_), dtype=np.float32)
        for places, some in table.chunks():
            reduced[places] = pca.transform(some)
        return reduced

    @cached_property
    def _inputs(self) -> Features:
        return extract(open_encoder(self._pixels), self.data, store=self._store)
