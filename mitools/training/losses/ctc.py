"""Contrastive temporal coding: cross-entropy, and InfoNCE against representations kept from earlier."""

import math

import torch
from torch import Tensor
from torch.nn import functional

from mitools.core.errors import InputError
from mitools.training.losses.cross_entropy import CrossEntropy
from mitools.training.methods.base import Embedded, Kept, Loss


class TemporalContrast:
    """``L_CE + weight * L_InfoNCE``: either stage of CTC (Cui et al. 2022, Eqs. 5 and 6).

    The two stages differ in what is kept: the network's own earlier representations (information
    aggregation, Eq. 3), or those of the network that ended it (information revitalisation, Eq. 4). What is
    kept has no gradient.

    The estimate is cross-entropy's, ``H(Y) - L_CE``, so that it reads alike with and without the contrast.
    The terms are ``cross_entropy`` and ``infonce``.

    Parameters
    ----------
    label_entropy_nats
        H(Y) over the training data.
    weight
        Of InfoNCE: the paper's alpha or beta.
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, label_entropy_nats: float, weight: float, temperature: float) -> None:
        self.classify = CrossEntropy(label_entropy_nats)
        self.weight = weight
        self.temperature = temperature

    def __call__(self, batch: Embedded) -> Loss:
        """Average both terms over the items; `batch` has logits as its one view, and what is kept.

        Raises
        ------
        InputError
            When a label has no logit, or nothing is kept.
        """
        if batch.kept is None:
            raise InputError("contrastive temporal coding needs representations kept from earlier steps")
        classified = self.classify(batch)
        infonce = against_kept(batch.kept, self.temperature).mean()
        terms = {"cross_entropy": classified.value.detach(), "infonce": infonce.detach()}
        value = classified.value + self.weight * infonce
        return classified._replace(value=value, terms=terms)


def against_kept(kept: Kept, temperature: float) -> Tensor:
    """Tell each item's own key from the kept representations of all others (Eqs. 3 and 4).

    Parameters
    ----------
    kept
        Queries, normalised here, and what they are compared with.
    temperature
        Divides the cosine similarities.

    Returns
    -------
    Tensor
        Shape (K,): ``-log(exp(q k) / (exp(q k) + sum over others of exp(q v)))``, nats.
    """
    queries = functional.normalize(kept.queries, dim=1)
    positive = (queries * kept.keys).sum(dim=1, keepdim=True) / temperature
    scores = (queries @ kept.others.T / temperature).masked_fill(kept.itself, -math.inf)
    return torch.cat([positive, scores], dim=1).logsumexp(dim=1) - positive[:, 0]
