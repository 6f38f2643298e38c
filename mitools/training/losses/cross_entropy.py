"""Cross-entropy: what supervised training minimises, and the label information it bounds."""

import torch
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.training.methods.base import Embedded, Loss


class CrossEntropy:
    """Cross-entropy of a classifier's logits with the labels.

    ``H(Y) - L`` bounds I(T;Y) from below (Barber & Agakov 2003), and so is at most H(Y).

    Parameters
    ----------
    label_entropy_nats
        H(Y) over the training data.
    """

    def __init__(self, label_entropy_nats: float) -> None:
        self.label_entropy_nats = label_entropy_nats

    def __call__(self, batch: Embedded) -> Loss:
        """Average over views and items.

        Raises
        ------
        InputError
            When a label has no logit.
        """
        views, labels = batch.views, batch.labels
        if int(labels.max()) >= views.shape[2]:
            raise InputError(f"label {int(labels.max())} has no logit among {views.shape[2]}")
        value = torch.stack([functional.cross_entropy(view, labels) for view in views]).mean()
        return Loss(value, self.label_entropy_nats - value.detach(), self.label_entropy_nats)
