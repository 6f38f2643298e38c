"""SupCon: supervised contrastive learning with every row of a class as a positive."""

import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError


def supcon(rows: Tensor, labels: Tensor, temperature: float = 0.1) -> Tensor:
    """Give the "out" form of Khosla et al. (2020, Eq. 2): the mean over positives outside the logarithm.

    It differs from L_class (:func:`mitools.training.losses.ntxent.ntxent` on same-class pairs) in that the
    denominator holds all other positives too, so that an anchor competes with its own class: the loss
    cannot reach 0, and neither log(2K - 1) - L nor any other simple function of it bounds I_class.

    Parameters
    ----------
    rows
        Shape (N, d): every view of every item; normalised here.
    labels
        Shape (N,), int64.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats: the mean over the rows that have another of their class.

    Raises
    ------
    InputError
        When no row has another of its class.

    Examples
    --------
    >>> import torch
    >>> round(float(supcon(torch.ones(8, 2), torch.tensor([0, 0, 0, 0, 1, 1, 1, 1])).exp()), 3)
    7.0
    """
    rows = functional.normalize(rows, dim=1)
    scores = rows @ rows.T / temperature
    is_self = torch.eye(len(rows), dtype=torch.bool, device=rows.device)
    log_share = scores - scores.masked_fill(is_self, -torch.inf).logsumexp(dim=1, keepdim=True)
    is_positive = (labels[:, None] == labels) & ~is_self
    count = is_positive.sum(dim=1)
    anchors = (count > 0).sum()
    if not rows.is_meta and not int(anchors):  # on the meta device there are shapes and no values
        raise InputError("no item of the batch has another of its class or a second view of itself")
    # A row without a positive has an empty sum, and so adds nothing.
    per_anchor = -(log_share * is_positive).sum(dim=1) / count.clamp(min=1)
    return per_anchor.sum() / anchors
