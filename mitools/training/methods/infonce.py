"""InfoNCE of two augmentations of an image, in one direction."""

import math

from mitools.training.losses.infonce import infonce_nats
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.contrastive import Contrastive


class InfoNCE(Contrastive):
    """InfoNCE of two augmentations of an image (van den Oord et al. 2018); bounds I of the augmented pair."""

    def loss(self, batch: Batch) -> Loss:
        """Compute InfoNCE, of the estimate log K - L."""
        x, y = self.pair(batch)
        return Loss.of_bound(infonce_nats(x, y, self.temperature), math.log(len(x)))
