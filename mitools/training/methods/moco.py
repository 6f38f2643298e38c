"""MoCo: InfoNCE of two augmentations against a queue of earlier keys, and PIRL's branch of nine crops."""

from copy import deepcopy
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor

from mitools.core.recipes import Recipe
from mitools.training.memory.queue import keys_made, queue_length
from mitools.training.methods.base import Batch, Loss
from mitools.training.methods.multiview.negatives import Anchors, QueueNegatives, mean_of
from mitools.training.methods.multiview.options import require_jigsaw
from mitools.training.methods.shared_encoder import SharedEncoder
from mitools.training.networks.heads import JigsawHead, head_of
from mitools.training.recipes import Count, Positive, TrainingRecipe
from mitools.training.training_data import TrainingData

QUEUE = 65536
"""Keys that He et al. (2020) and Tian et al. (2020, What makes for good views, C.2) remember."""


class MoCoOptions(Recipe):
    """What is contrasted, and against how many keys.

    Attributes
    ----------
    temperature
        Divides the cosine similarities; InfoMin takes 0.07 with a linear head and 0.15 with an MLP.
    head
        On the encoder: ``mlp``, as SimCLR's, or ``linear``.
    head_width
        Of the rows that are compared.
    negatives_count
        Keys in the queue; None for 65,536, or as many as other items where the data have fewer, or as the
        run makes.
    momentum
        What stays of a weight of the momentum encoder at a step.
    jigsaw
        The view of nine crops whose rows are contrasted with the same keys, as PIRL and InfoMin add it:
        ``jigsaw``, with its options; None for two augmentations alone.
    """

    temperature: Positive = 0.07
    head: Literal["mlp", "linear"] = "mlp"
    head_width: Count = 128
    negatives_count: Count | None = None
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.999
    jigsaw: str | None = None


class MoCo(SharedEncoder):
    """Queries of one augmentation against keys of another, which a momentum encoder makes (He et al. 2020).

    With ``jigsaw`` the encoder reads the nine crops of a third view one by one, and a head of its own makes
    one query of them (Misra and van der Maaten 2020; Tian et al. 2020, What makes for good views, C.3); the
    loss is the mean of both branches. Batch norms are not shuffled over processes.

    An item's own keys of an earlier epoch are none of its negatives. The estimate is InfoNCE's, at most the
    log of the queue and one: in-sample, and of keys that are some steps old.

    Parameters
    ----------
    recipe, data
        As for :class:`mitools.training.methods.base.Method`.
    options
        See :class:`MoCoOptions`.

    Attributes
    ----------
    momentum_network
        What makes the keys: the network, followed by a moving average.
    negatives
        The queue.
    jigsaw_head
        What joins nine crops to one row; None without them.

    Raises
    ------
    InputError
        When the queue is longer than the data have other items or the run makes keys, or `jigsaw` names
        another view.
    """

    Options = MoCoOptions

    def __init__(self, recipe: TrainingRecipe, data: TrainingData, options: MoCoOptions) -> None:
        super().__init__(recipe, data, head_of(options.head, options.head_width))
        self.momentum = options.momentum
        self.momentum_network = deepcopy(self.network).requires_grad_(False)
        made = keys_made(len(data), recipe.batch_size, recipe.epochs)
        length = queue_length(options.negatives_count, QUEUE, len(data), made)
        self.negatives = QueueNegatives(1, length, options.head_width, options.temperature)
        self.jigsaw_head: JigsawHead | None = None
        if options.jigsaw is not None:
            self.views = [*self.views, require_jigsaw(options.jigsaw)]
            self.jigsaw_head = JigsawHead(self.network.width, options.head_width, options.head)
        self._keys: Tensor | None = None

    @classmethod
    def check(cls, recipe: TrainingRecipe, options: MoCoOptions) -> None:
        """Refuse another view than jigsaw where nine crops are read."""
        if options.jigsaw is not None:
            require_jigsaw(options.jigsaw)

    def loss(self, batch: Batch) -> Loss:
        """Tell each query's key from the queue."""
        (rows,) = batch.embed(self._queries_and_keys, [torch.cat(list(batch.views[:2]), dim=1)])
        queries, keys = rows.chunk(2, dim=1)
        self._keys = keys.detach()
        branches = {"augmentation": queries}
        if self.jigsaw_head is not None:
            (branches["jigsaw"],) = batch.embed(self._crops, [batch.views[2]])
        found = {
            name: self.negatives(Anchors(rows, self._keys, batch.items, batch.step), 0, 0)
            for name, rows in branches.items()
        }
        mean = mean_of(list(found.values()))
        terms = {f"nats[{name}]": one.nats for name, one in found.items()} if len(found) > 1 else {}
        return Loss(mean.value, mean.nats, self.negatives.ceiling_nats(len(batch.items)), terms)

    def _queries_and_keys(self, both: Tensor) -> Tensor:
        """Project two views that lie side by side in the channels: (B, 6, h, w) to (B, 2 head_width)."""
        first, second = both.chunk(2, dim=1)
        with torch.no_grad():
            keys = self.momentum_network(second)
        return torch.cat([self.network(first), keys], dim=1)

    def _crops(self, crops: Tensor) -> Tensor:
        """Project nine crops that lie side by side in the channels: (B, 27, h, w) to (B, head_width)."""
        assert self.jigsaw_head is not None
        return self.jigsaw_head.of_crops(self.network.encoder, crops)

    def after_step(self, batch: Batch) -> None:
        """Let the queue and the momentum encoder follow, now that no gradient needs what they were."""
        if self._keys is not None:
            self.negatives.remember(0, batch.items, self._keys)
            self._keys = None
        pairs = zip(self.momentum_network.parameters(), self.network.parameters(), strict=True)
        for moving, weight in pairs:
            moving.lerp_(weight, 1 - self.momentum)
