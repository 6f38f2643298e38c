"""What contrastive temporal coding adds to cross-entropy: InfoNCE against a bank of representations."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def ctc_infonce(
    queries: Tensor, keys: Tensor, others: Tensor, is_own: Tensor, temperature: float = 0.5
) -> Tensor:
    """InfoNCE of each item's key against what is kept of other items (Cui et al. 2022, Eqs. 3 and 4).

    A stage of CTC minimises cross-entropy plus a weight times this (Eqs. 5 and 6). The two stages differ in
    what is kept, not in the formula: the network's own earlier representations in the first (information
    aggregation, Eq. 3), those of the network that ended it in the second (information revitalisation,
    Eq. 4).

    Parameters
    ----------
    queries
        Shape (K, d): the network's representations of the batch, with their gradient; normalised here.
    keys
        Shape (K, d): what is kept of the same items, unit rows.
    others
        Shape (M, d): what is kept of M items, unit rows.
    is_own
        Shape (K, M), bool: where an item meets itself among the others; it is its key there, counted once.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats: the mean of ``-log(exp(q k) / (exp(q k) + sum over others of exp(q v)))``.

    Examples
    --------
    Five kept rows, two of them the batch's own: all equal: one right answer among five.

    >>> import torch
    >>> kept = torch.tensor([[1.0, 0.0]]).repeat(5, 1)
    >>> items = torch.tensor([4, 0])
    >>> is_own = items[:, None] == torch.arange(5)
    >>> round(float(ctc_infonce(torch.ones(2, 2), kept[items], kept, is_own).exp()), 3)
    5.0
    """
    queries = functional.normalize(queries, dim=1)
    positive = (queries * keys).sum(dim=1, keepdim=True) / temperature
    scores = (queries @ others.T / temperature).masked_fill(is_own, -math.inf)
    return (torch.cat([positive, scores], dim=1).logsumexp(dim=1) - positive[:, 0]).mean()
