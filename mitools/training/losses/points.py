"""Sub-patch contrast: a whole view against the feature points of another view's early layers."""

import math

import torch
from torch import Tensor
from torch.nn import functional


def point_contrast(queries: Tensor, points: Tensor, temperature: float = 0.07) -> Tensor:
    """Find each item's own feature points among those of the other items (Tian et al. 2020, Appendix B.2).

    One item gives P positives, each against the (K - 1) P points of the other items: an (m + 1)-way softmax
    with many negatives from a small batch, as in Deep InfoMax (Hjelm et al. 2019).

    Parameters
    ----------
    queries
        Shape (K, d): of whole views; normalised here.
    points
        Shape (K, P, d): of the other view, P places of its feature map; normalised here.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        A scalar, in nats: the mean over items and points; log((K - 1) P + 1) where all rows are equal.

    Examples
    --------
    >>> import torch
    >>> round(float(point_contrast(torch.ones(3, 2), torch.ones(3, 4, 2)).exp()), 3)
    9.0
    """
    items = len(queries)
    queries, points = functional.normalize(queries, dim=1), functional.normalize(points, dim=2)
    scores = torch.einsum("kd,jpd->kjp", queries, points) / temperature
    own = torch.eye(items, dtype=torch.bool, device=queries.device)
    positive = scores.diagonal(dim1=0, dim2=1).T
    others = scores.masked_fill(own[:, :, None], -math.inf).flatten(1).logsumexp(dim=1, keepdim=True)
    return (torch.logaddexp(positive, others) - positive).mean()
