"""SupCon: every view of every item of a class as a positive."""

import torch

from mitools.training.losses.supcon import supcon
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.contrastive import Contrastive, ContrastiveOptions
from mitools.training.recipes import Positive


class SupConOptions(ContrastiveOptions):
    """Options of SupCon: those of contrastive methods, at the temperature of its paper."""

    temperature: Positive = 0.1


class SupCon(Contrastive):
    """Supervised contrastive learning (Khosla et al. 2020) of two augmentations; bounds nothing."""

    Options = SupConOptions

    def loss(self, batch: Batch) -> Loss:
        """Compute SupCon over both views of all items."""
        rows = torch.cat(self.pair(batch))
        return Loss(supcon(rows, batch.labels.repeat(2), self.temperature))
