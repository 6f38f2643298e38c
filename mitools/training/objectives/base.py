"""What a training objective sees of a batch, and what it gives back."""

from collections.abc import Callable
from typing import Literal, NamedTuple

from torch import Tensor

Pairing = Literal["views", "same_class", "labels"]
"""What a batch is made of: two augmentations of an image, two images of a class, or one labelled image."""


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
    """

    views: Tensor
    labels: Tensor
    negatives: Tensor | None = None


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
    """

    value: Tensor
    nats: Tensor | None
    ceiling_nats: float | None


Objective = Callable[[Embedded], Loss]
