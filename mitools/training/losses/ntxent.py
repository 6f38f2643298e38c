"""NT-Xent and one-sided InfoNCE: positives against the rest of the batch, or against another data set."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.bounds.nt_xent import nt_xent
from mitools.training.methods.base import Embedded, Loss


class NTXent:
    """NT-Xent of two views (Lee et al., Definition II.1; SimCLR).

    With two augmentations of an image as views this is ``simclr``, and bounds I(X;Y) of the augmented
    pair. With two images of one class and no augmentation it is the paper's L_class, and bounds I_class,
    whose truth is at most H(C). The estimate is log(2K - 1) - L (Definition II.2), an asymptotic lower
    bound.

    Given negatives, the positive stays in the data set and both its views are told apart from the views
    of M items of another one (Appendix C). That is noise-contrastive estimation and bounds no mutual
    information of the data, so that the estimate is None.

    Parameters
    ----------
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, temperature: float = 0.5) -> None:
        self.temperature = temperature

    def __call__(self, batch: Embedded) -> Loss:
        """Average over both directions and all items; two views are needed."""
        x, y = functional.normalize(batch.views, dim=2)
        if batch.negatives is not None:
            others = functional.normalize(batch.negatives, dim=2).flatten(0, 1)
            return Loss(_against(x, y, others, self.temperature), None, None)
        xy, xx, yy = (a @ b.T / self.temperature for a, b in ((x, y), (x, x), (y, y)))
        nats = nt_xent(xy, xx, yy)
        ceiling = math.log(2 * len(x) - 1)
        return Loss(ceiling - nats, nats.detach(), ceiling)


class InfoNCE:
    """InfoNCE in one direction (van den Oord et al. 2018): each x against the y of the whole batch.

    The estimate log K - L is a lower bound of the two views' mutual information, at most log K.

    Parameters
    ----------
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, temperature: float = 0.5) -> None:
        self.temperature = temperature

    def __call__(self, batch: Embedded) -> Loss:
        """Average over the items; two views are needed."""
        x, y = functional.normalize(batch.views, dim=2)
        nats = infonce(x @ y.T / self.temperature)
        ceiling = math.log(len(x))
        return Loss(ceiling - nats, nats.detach(), ceiling)


def _against(x: Tensor, y: Tensor, others: Tensor, temperature: float) -> Tensor:
    """Tell each positive from negatives that come from elsewhere, in both directions."""
    positive = (x * y).sum(dim=1, keepdim=True) / temperature
    losses = [
        torch.cat([positive, anchor @ others.T / temperature], dim=1).logsumexp(dim=1) - positive[:, 0]
        for anchor in (x, y)
    ]
    return torch.stack(losses).mean()
