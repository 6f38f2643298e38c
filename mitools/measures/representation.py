"""What a measure can read: an encoder's features of labelled items, and what they are compared with."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mitools.core.errors import InputError
from mitools.encoders.checkpoints.load import digest_weights
from mitools.estimators.inputs.groups import Groups
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.inputs.validation import as_labels, as_rows, same_length
from mitools.features.extract import Features
from mitools.variables.discretise import OwnVariables

if TYPE_CHECKING:
    from torch import nn


class UntrainedRows(NamedTuple):
    """What the same architecture makes of some of the items before it is trained.

    Attributes
    ----------
    rows
        Shape (m, d).
    labels
        Shape (m,), counted from 0 among these items.
    items
        Shape (m,): which items these are.
    """

    rows: NDArray[Any]
    labels: NDArray[np.int64]
    items: NDArray[np.int64]


@dataclass(frozen=True)
class Representation:
    """An encoder's features of n labelled items, split once for every measure.

    Attributes
    ----------
    rows
        Shape (n, d), float32 or float16, possibly mapped from a file: the features.
    labels
        Shape (n,), 0..C-1; all 0 where the items have none.
    parts
        The split of the items.
    views
        Shape (n, V, d): the features of V augmented views of every item, or None.
    head
        The projection head that the encoder was trained with, as a critic, or None.
    untrained
        What the same architecture makes of some of the items untrained, or None.
    variables
        The soft variables that the encoder was trained with, or None.
    labelled
        Whether the items have labels.
    keys
        Digests of ``rows``, and of the optional fields that are there, where results are to be kept.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> labels = rng.integers(0, 3, 200)
    >>> Representation.of_arrays(rng.standard_normal((200, 5)), labels).parts.report.shape
    (40,)
    """

    rows: NDArray[Any]
    labels: NDArray[np.int64]
    parts: Parts
    views: NDArray[Any] | None = None
    head: "nn.Module | None" = None
    untrained: UntrainedRows | None = None
    variables: OwnVariables | None = None
    labelled: bool = True
    keys: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_arrays(
        cls,
        features: ArrayLike,
        labels: ArrayLike | None,
        *,
        views: ArrayLike | None = None,
        groups: Groups | None = None,
        seed: int = 0,
    ) -> Self:
        """Check arrays in memory and split their rows.

        Parameters
        ----------
        features
            Shape (n, d).
        labels
            Shape (n,), whole numbers or strings; None where no measure needs them.
        views
            Shape (n, V, d), V of 2 or more; None where no measure needs them.
        groups
            Shape (n,): items that stay in one part, see :func:`mitools.estimators.inputs.groups.as_groups`.
        seed
            Of the split, evenly over the classes: that of the settings.

        Raises
        ------
        InputError
            When an array is malformed, the lengths differ, or a class is too small to split.
        """
        rows = as_rows(features, "features")
        numbered = np.zeros(len(rows), dtype=np.int64) if labels is None else as_labels(labels)
        same_length(len(rows), len(numbered), "features", "labels")
        seen = None if views is None else _as_views(views)
        if seen is not None:
            same_length(len(seen), len(rows), "views", "features")
        parts = split(len(rows), None if labels is None else numbered, seed, groups)
        return cls(rows, numbered, parts, seen, labelled=labels is not None)

    @classmethod
    def of_features(
        cls,
        features: Features,
        parts: Parts,
        *,
        views: Features | None = None,
        head: "nn.Module | None" = None,
        untrained: Features | None = None,
        untrained_items: NDArray[np.int64] | None = None,
        variables: OwnVariables | None = None,
    ) -> Self:
        """Take what an encoder made of a data set, with the keys that results are kept by.

        Parameters
        ----------
        features
            Of every item.
        parts
            The split of the items.
        views
            Features of augmented views of every item.
        head
            See :class:`Representation`.
        untrained, untrained_items
            Features of the untrained twin, and which items they are of; both or neither.
        variables
            See :class:`Representation`.
        """
        keys = {"rows": features.key}
        keys |= {} if views is None else {"views": views.key}
        keys |= {} if head is None else {"head": digest_weights(head)}
        if variables is not None:
            keys["variables"] = variables_key(variables)
        twin = None
        if untrained is not None and untrained_items is not None:
            keys["untrained"] = untrained.key
            twin = UntrainedRows(untrained.values[:, 0], untrained.labels, untrained_items)
        return cls(
            features.values[:, 0],
            features.labels,
            parts,
            None if views is None else views.values,
            head,
            twin,
            variables,
            keys=keys,
        )

    def with_views(self, views: Features) -> Self:
        """Take features of views of every item as well."""
        return replace(self, views=views.values, keys={**self.keys, "views": views.key})


def variables_key(variables: OwnVariables) -> str:
    """Name soft variables by the weights that make them."""
    return f"{digest_weights(variables.head)} {variables.units}"


def _as_views(views: ArrayLike) -> NDArray[np.float32]:
    array = np.asarray(views)
    if array.ndim != 3 or array.shape[1] < 2:
        raise InputError(
            f"views have shape {array.shape}, but (items, views, columns) is needed, two or more"
        )
    n, n_views, d = array.shape
    return as_rows(array.reshape(n * n_views, d), "views").reshape(n, n_views, d)
