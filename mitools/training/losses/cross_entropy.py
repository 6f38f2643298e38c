"""Cross-entropy: what supervised training minimises, and the label information it bounds."""

from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy L of a classifier's logits with the labels.

    ``H(Y) - L`` bounds I(T;Y) from below (Barber & Agakov 2003), and so is at most H(Y).

    Parameters
    ----------
    logits
        Shape (K, classes).
    labels
        Shape (K,), int64.

    Returns
    -------
    Tensor
        A scalar, in nats.

    Raises
    ------
    InputError
        When a label has no logit (on a CPU; a GPU stops with an assertion of its own).

    Examples
    --------
    >>> import torch
    >>> round(float(cross_entropy(torch.zeros(3, 8), torch.tensor([0, 1, 7])).exp()), 3)
    8.0
    """
    try:
        return functional.cross_entropy(logits, labels)
    except IndexError:
        raise InputError(f"label {int(labels.max())} has no logit among {logits.shape[1]}") from None
