"""SupCon: supervised contrastive learning with every item of a class as a positive."""

import torch
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.training.methods.base import Embedded, Loss


class SupCon:
    """The "out" form of Khosla et al. (2020, Eq. 2): the mean over positives outside the logarithm.

    Every view of every item of an anchor's class is a positive. It differs from L_class
    (:class:`mitools.training.losses.ntxent.NTXent` on same-class pairs) in that the denominator
    holds all other positives too, so that an anchor competes with its own class: the loss cannot reach 0,
    and neither log(2K - 1) - L nor any other simple function of it bounds I_class. Its estimate is None.

    Parameters
    ----------
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, temperature: float = 0.1) -> None:
        self.temperature = temperature

    def __call__(self, batch: Embedded) -> Loss:
        """Average over all V K anchors.

        Raises
        ------
        InputError
            When no anchor has a positive.
        """
        rows = functional.normalize(batch.views, dim=2).flatten(0, 1)
        labels = batch.labels.repeat(len(batch.views))
        scores = rows @ rows.T / self.temperature
        itself = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
        log_share = scores - scores.masked_fill(itself, -torch.inf).logsumexp(dim=1, keepdim=True)
        positive = (labels[:, None] == labels) & ~itself
        count = positive.sum(dim=1)
        if not bool(count.any()):
            raise InputError("no item of the batch has another of its class or a second view of itself")
        per_anchor = -(log_share * positive).sum(dim=1) / count.clamp(min=1)
        return Loss(per_anchor[count > 0].mean(), None, None)
