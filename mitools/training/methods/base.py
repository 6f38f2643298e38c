"""What a training objective sees of a batch, and what it gives back."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from torch import Tensor

Pairing = Literal["views", "same_class", "labels"]
"""What a batch is made of: two augmentations of an image, two images of a class, or one labelled image."""


class Kept(NamedTuple):
    """Representations of a batch, and what is kept of these and other items to tell them by.

    Attributes
    ----------
    queries
        Shape (K, d): of the batch's items, with their gradient.
    keys
        Shape (K, d): what is kept of the same items, unit rows.
    others
        Shape (M, d): what is kept of M items, unit rows.
    itself
        Shape (K, M), bool: where an item meets itself among the others.
    """

    queries: Tensor
    keys: Tensor
    others: Tensor
    itself: Tensor


class Embedded(NamedTuple):
    """A batch behind the encoder and its head.

    Attributes
    ----------
    views
        Shape (V, K, d): the K items of the batch in each of V views; for cross-entropy V is 1 and d the
        number of classes.
    labels
        Shape (K,), int64.
    negatives
        Shape (V, M, d): views of M items of another data set, or None.
    kept
        What earlier steps left, for objectives that contrast with it; else None.
    """

    views: Tensor
    labels: Tensor
    negatives: Tensor | None = None
    kept: Kept | None = None


class Loss(NamedTuple):
    """What an objective makes of a batch.

    Attributes
    ----------
    value
        A scalar to minimise, with its gradient.
    nats
        The objective's own estimate of the mutual information that it bounds, on this very batch and so
        in-sample; None where it is no estimate.
    ceiling_nats
        The most that `nats` can be at this batch size.
    terms
        What `value` is made of, by name, where it has several parts; without gradient.
    """

    value: Tensor
    nats: Tensor | None
    ceiling_nats: float | None
    terms: Mapping[str, Tensor] = MappingProxyType({})


Objective = Callable[[Embedded], Loss]
