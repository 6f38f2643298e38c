"""Where the negatives of contrastive multiview coding come from, and what is remembered for them."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mitools.backends.seeding import derive_seed
from mitools.training.losses.ctc import ctc_infonce
from mitools.training.losses.infonce import infonce
from mitools.training.losses.nce import log_partition, nce
from mitools.training.losses.points import point_contrast
from mitools.training.memory.ctc_bank import CTCBank
from mitools.training.memory.queue import KeyQueue
from mitools.training.methods.multiview.options import BANK_MOMENTUM, CMCOptions


class Contrast(NamedTuple):
    """What one direction of a pair of views gives: scalars.

    Attributes
    ----------
    value
        To minimise, with its gradient.
    nats
        InfoNCE's in-sample estimate of the pair's mutual information, on the same scores.
    ceiling_nats
        The most that `nats` can be.
    """

    value: Tensor
    nats: Tensor
    ceiling_nats: Tensor

    @classmethod
    def of_softmax(cls, value: Tensor, ceiling_nats: Tensor) -> "Contrast":
        """Make the contrast of a softmax: its estimate is the ceiling minus the loss."""
        return cls(value, ceiling_nats - value.detach(), ceiling_nats)


class Anchors(NamedTuple):
    """The items of a step that have both views of a pair.

    Attributes
    ----------
    queries
        Shape (K, d): rows of the view that is anchored at, with their gradient.
    keys
        Shape (K, d): the same items' rows of the other view; of momentum encoders where there are some.
    items
        Shape (K,), int64: their places in the data.
    step
        Of the run.
    """

    queries: Tensor
    keys: Tensor
    items: Tensor
    step: int


class BatchNegatives(nn.Module):
    """The other items of the batch (Eq. 2 with k = K - 1).

    Parameters
    ----------
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, temperature: float) -> None:
        super().__init__()
        self.temperature = temperature

    def forward(self, anchors: Anchors, of: int, to: int) -> Contrast:
        """Contrast anchors of view `of` with rows of view `to`, in one direction."""
        value = infonce(anchors.queries, anchors.keys, self.temperature)
        return Contrast.of_softmax(value, torch.full_like(value.detach(), math.log(len(anchors.items))))

    def ceiling_nats(self, items: int) -> float:
        """Give the most that a pair's estimate can be, with so many items a step."""
        return math.log(items)

    def remember(self, view: int, items: Tensor, rows: Tensor) -> None:
        """Keep nothing."""


class PointNegatives(BatchNegatives):
    """Feature points of the other items of the batch (Appendix B.2).

    Parameters
    ----------
    temperature
        Divides the cosine similarities.
    points
        How many each view has.
    """

    def __init__(self, temperature: float, points: Sequence[int]) -> None:
        super().__init__(temperature)
        self.points = points

    def forward(self, anchors: Anchors, of: int, to: int) -> Contrast:
        """Contrast whole views `of` with the points of view `to`, which are the keys, (K, P d)."""
        count, places = len(anchors.items), self.points[to]
        points = anchors.keys.unflatten(1, (places, -1))
        value = point_contrast(anchors.queries, points, self.temperature)
        ceiling = math.log((count - 1) * places + 1)
        return Contrast.of_softmax(value, torch.full_like(value.detach(), ceiling))

    def ceiling_nats(self, items: int) -> float:
        """Give the logarithm of the ways that the softmax has at the most."""
        return math.log((items - 1) * max(self.points) + 1)


class BankNegatives(BatchNegatives):
    """An (m + 1)-way softmax against a memory bank a view (Sec. 3.4).

    As in the paper's code the key is the item's own row of the bank, as old as the negatives are: keys and
    negatives are then rows of one distribution. The m negatives of a step are the same for all its anchors;
    an item that meets itself among them has one fewer.

    Parameters
    ----------
    views, items
        How many there are.
    options
        See :class:`mitools.training.methods.multiview.options.CMCOptions`.
    seed
        Of the run.
    """

    def __init__(self, views: int, items: int, options: CMCOptions, seed: int) -> None:
        super().__init__(options.temperature)
        self.count = options.count_among(items)
        self.banks = nn.ModuleList(
            CTCBank(items, options.head_width, self.count, derive_seed(seed, 10, view))
            for view in range(views)
        )
        for bank in self._banks:
            bank.scatter()
        self.momentum = BANK_MOMENTUM if options.momentum is None else options.momentum

    @property
    def _banks(self) -> list[CTCBank]:
        return [bank for bank in self.banks if isinstance(bank, CTCBank)]

    def forward(self, anchors: Anchors, of: int, to: int) -> Contrast:
        """Contrast anchors of view `of` with the bank of view `to`."""
        kept = self._banks[to](anchors.items, anchors.step)
        value = ctc_infonce(anchors.queries, kept.keys, kept.others, kept.is_own, self.temperature)
        ways = 1 + (~kept.is_own).sum(dim=1)
        return Contrast.of_softmax(value, ways.log().mean())

    def ceiling_nats(self, items: int) -> float:
        """Give the logarithm of the ways that the softmax has."""
        return math.log(1 + self.count)

    def remember(self, view: int, items: Tensor, rows: Tensor) -> None:
        """Move the rows of the items that were seen."""
        self._banks[view].update(items, rows, self.momentum)


class NCENegatives(BankNegatives):
    """Noise-contrastive estimation against the same banks (Eq. 11).

    Z is estimated for each direction of each pair on the first batch, and kept.

    Parameters
    ----------
    views, items, options, seed
        As for :class:`BankNegatives`.

    Attributes
    ----------
    log_z
        Shape (views, views): of anchors of one view with rows of another; not a number before the first
        batch.
    """

    log_z: Tensor

    def __init__(self, views: int, items: int, options: CMCOptions, seed: int) -> None:
        super().__init__(views, items, options, seed)
        self.register_buffer("log_z", torch.full((views, views), math.nan))

    def forward(self, anchors: Anchors, of: int, to: int) -> Contrast:
        """Tell the anchors' keys from noise, both rows of the bank of view `to`."""
        kept, n = self._banks[to](anchors.items, anchors.step), len(self._banks[to])
        rows = (anchors.queries, kept.keys, kept.others)
        with torch.no_grad():
            first = log_partition(*rows, items=n, temperature=self.temperature)
            self.log_z[of, to] = torch.where(self.log_z[of, to].isnan(), first, self.log_z[of, to])
            softmax = ctc_infonce(anchors.queries, kept.keys, kept.others, kept.is_own, self.temperature)
            ceiling = (1 + (~kept.is_own).sum(dim=1)).log().mean()
        value = nce(*rows, log_z=self.log_z[of, to].clone(), items=n, temperature=self.temperature)
        return Contrast(value, ceiling - softmax, ceiling)


class QueueNegatives(BatchNegatives):
    """Keys of earlier batches, of the momentum encoders (He et al. 2020).

    Every epoch is shuffled anew, so that an item may come again while its key of the last epoch is still in
    the queue: that key is no negative of it.

    Parameters
    ----------
    views
        How many have a queue.
    length, width
        Of a queue, and of its rows.
    temperature
        Divides the cosine similarities.
    """

    def __init__(self, views: int, length: int, width: int, temperature: float) -> None:
        super().__init__(temperature)
        self.queues = nn.ModuleList(KeyQueue(length, width) for _ in range(views))

    @property
    def _queues(self) -> list[KeyQueue]:
        return [queue for queue in self.queues if isinstance(queue, KeyQueue)]

    def forward(self, anchors: Anchors, of: int, to: int) -> Contrast:
        """Contrast anchors of view `of` with the queue of view `to`."""
        queue = self._queues[to]
        is_own = anchors.items[:, None] == queue.items
        keys = nn.functional.normalize(anchors.keys, dim=1)
        value = ctc_infonce(anchors.queries, keys, queue.rows, is_own, self.temperature)
        ways = 1 + (~is_own).sum(dim=1)
        return Contrast.of_softmax(value, ways.log().mean())

    def ceiling_nats(self, items: int) -> float:
        """Give the logarithm of the ways that the softmax has at the most."""
        return math.log(1 + len(self._queues[0]))

    def remember(self, view: int, items: Tensor, rows: Tensor) -> None:
        """Let the keys take the place of the oldest."""
        self._queues[view].add(rows, items)


def make_negatives(
    options: CMCOptions, items: int, made: int, seed: int, points: Sequence[int]
) -> BatchNegatives:
    """Make what the options ask for.

    Parameters
    ----------
    options
        See :class:`mitools.training.methods.multiview.options.CMCOptions`.
    items
        Of the data.
    made
        Keys of a view that the whole run makes; :func:`mitools.training.memory.queue.keys_made`.
    seed
        Of the run.
    points
        How many feature points each view has; none where whole views are contrasted.

    Raises
    ------
    InputError
        When more negatives are asked for than there are other items, or keys to fill a queue.
    """
    if points:
        return PointNegatives(options.temperature, points)
    views = len(options.views)
    kinds: dict[str, Callable[[], BatchNegatives]] = {
        "batch": lambda: BatchNegatives(options.temperature),
        "bank": lambda: BankNegatives(views, items, options, seed),
        "nce": lambda: NCENegatives(views, items, options, seed),
        "queue": lambda: QueueNegatives(
            views, options.queue_among(items, made), options.head_width, options.temperature
        ),
    }
    return kinds[options.negatives]()


def mean_of(contrasts: Sequence[Contrast]) -> Contrast:
    """Average directions or pairs of views."""
    return Contrast(*(torch.stack(values).mean() for values in zip(*contrasts, strict=True)))
