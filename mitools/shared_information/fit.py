"""Fitting the networks of one or two views: what they share by InfoNCE, what they say of the label."""

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from mitools.backends.seeding import derive_seed, seeded
from mitools.core.progress import Advance
from mitools.estimators.bounds.infonce import infonce
from mitools.estimators.inputs.splits import Parts
from mitools.shared_information.pair_critic import PairCritic, fit_pair_critic
from mitools.shared_information.settings import ViewSettings
from mitools.shared_information.view_networks import ViewNetworks
from mitools.training.training_data import TrainingData
from mitools.views.base import View, draw_numbers

AVERAGE = 0.98
"""Decay of the running average of the weights, which is what is checked, kept and read."""

ROWS_AT_ONCE = 512
"""Rows that are drawn and embedded at a time where no gradient is wanted."""

SCALES = (0.25, 0.5, 0.75, 1.0)
"""Factors of the scores by which *select* is read: what overfits is too sure before it is wrong."""

_DRAWS_OF_SELECT, _DRAWS_OF_REPORT, _DRAWS_OF_STEPS = range(3)


@dataclass(frozen=True)
class FittedViews:
    """Networks that were fitted to views of some items, to be read on others.

    Attributes
    ----------
    data, views
        What they were fitted to.
    shared
        The weights at which *select* shares most, by InfoNCE; None of a single view.
    critic
        What scores the two views, by these weights; None of a single view.
    labelled
        For each view, the weights at which its labels of *select* are predicted best.
    steps
        Made until fitting ended.
    still_rising
        Whether it ended because its steps did, before *select* had settled.
    seed
        Of the draws of views that are read.
    """

    data: TrainingData
    views: Sequence[View]
    shared: ViewNetworks | None
    critic: "PairCritic | None"
    labelled: Sequence[ViewNetworks]
    steps: int
    still_rising: bool
    seed: int

    def read(self, items: NDArray[np.int64]) -> "ReadViews":
        """Draw one view of each of the items, and run every kept network over it."""
        drawn = list(_in_parts(self.data, self.views, items, derive_seed(self.seed, _DRAWS_OF_REPORT)))
        return _read(self.shared, self.labelled, drawn)


class ReadViews(NamedTuple):
    """What the kept networks make of views.

    Attributes
    ----------
    embedded
        Shape (n, embedding) a view; inner products are scores. Empty of a single view.
    logits
        Of the labels, shape (n, classes) a view.
    """

    embedded: list[Tensor]
    logits: list[Tensor]

    @property
    def scored_rows(self) -> list[Tensor]:
        """The rows that a :class:`PairCritic` scores, one array a view: shape (n, embedding + classes)."""
        return [
            torch.cat([rows, of_label.softmax(dim=1)], dim=1)
            for rows, of_label in zip(self.embedded, self.logits, strict=True)
        ]


def fit_views(
    data: TrainingData,
    views: Sequence[View],
    parts: Parts,
    settings: ViewSettings,
    advance: Advance,
    what: str,
) -> FittedViews:
    """Fit a small network a view, to InfoNCE between the views and to the labels at once.

    Every step draws its views anew, so that the networks see as many draws of an item as there are epochs.

    Parameters
    ----------
    data
        Images and labels.
    views
        One, which is fitted to the labels alone, or two.
    parts
        *train* is fitted to, *select* ends the fit, *report* is not touched.
    settings
        See :class:`ViewSettings`.
    advance, what
        Told how many steps are made, and what of.
    """
    seed = settings.seed
    networks = _networks(data, views, settings)
    average = AveragedModel(networks, multi_avg_fn=get_ema_multi_avg_fn(AVERAGE))
    optimiser = torch.optim.Adam(networks.parameters(), settings.learning_rate)
    best = _Best(data, views, parts.select, seed)
    best.check(0, networks)
    batches = _batches(parts.train, settings)
    settled = False
    for steps in range(1, settings.steps + 1):
        items = next(batches)
        draws = derive_seed(seed, _DRAWS_OF_STEPS, steps)
        networks.train()
        embedded, logits = networks(_draw(data, views, items, draws))
        value = _label_loss(logits, data.labels[torch.from_numpy(items)])
        if len(views) == 2:
            value = value - _both_ways(embedded[0] @ embedded[1].T)
        optimiser.zero_grad(set_to_none=True)
        value.backward()
        optimiser.step()
        average.update_parameters(networks)
        if steps % settings.check_every == 0 or steps == settings.steps:
            advance(what, steps, settings.steps)
            best.check(steps, cast(ViewNetworks, average.module))
            settled = steps - best.rose_at >= settings.patience * settings.check_every
            if settled:
                break
    kept = [best.kept[goal] for goal in sorted(best.kept)]
    if len(views) == 1:
        return FittedViews(data, views, None, None, kept, steps, not settled, seed)
    shared, *labelled = kept
    x, y = _read(shared, labelled, best.views).scored_rows
    critic = fit_pair_critic(x, y, settings.embedding, _class_shares(data))
    return FittedViews(data, views, shared, critic, labelled, steps, not settled, seed)


def _read(
    shared: ViewNetworks | None, labelled: Sequence[ViewNetworks], drawn: Sequence[list[Tensor]]
) -> ReadViews:
    embedded = [] if shared is None else _outputs(shared, drawn)[0]
    return ReadViews(embedded, [_outputs(one, drawn)[1][view] for view, one in enumerate(labelled)])


def _class_shares(data: TrainingData) -> Tensor:
    counts = torch.bincount(data.labels, minlength=data.n_classes).float()
    return counts / counts.sum()


class _Best:
    """The weights that do best on *select*: at what the views share, and at the labels of each view."""

    def __init__(
        self, data: TrainingData, views: Sequence[View], select: NDArray[np.int64], seed: int
    ) -> None:
        drawn = derive_seed(seed, _DRAWS_OF_SELECT)
        self.views = [_draw(data, views, select, drawn, some) for some in _spans(len(select))]
        self.labels = data.labels[torch.from_numpy(select)]
        goals = len(views) + (len(views) == 2)
        self.values = [-np.inf] * goals
        self.kept: dict[int, ViewNetworks] = {}
        self.rose_at = 0

    @torch.no_grad()
    def check(self, steps: int, networks: ViewNetworks) -> None:
        embedded, logits = _outputs(networks, self.views)
        values = [-float(functional.cross_entropy(one, self.labels)) for one in logits]
        if len(embedded) == 2:
            scores = embedded[0] @ embedded[1].T
            values.insert(0, max(float(infonce(scale * scores)) for scale in SCALES))
        for goal, value in enumerate(values):
            if value > self.values[goal]:
                self.values[goal], self.kept[goal] = value, copy.deepcopy(networks).eval()
                self.rose_at = steps


def _networks(data: TrainingData, views: Sequence[View], settings: ViewSettings) -> ViewNetworks:
    one = np.zeros(1, dtype=np.int64)
    channels = [drawn.shape[1] for drawn in _draw(data, views, one, 0)]
    with seeded(derive_seed(settings.seed, 4)):
        networks = ViewNetworks(channels, data.n_classes, settings.width, settings.embedding)
    return networks.to(data.labels.device)


def _both_ways(scores: Tensor) -> Tensor:
    """InfoNCE with either view as the anchor (Tian et al. 2020, Contrastive Multiview Coding, Eq. 4)."""
    return (infonce(scores) + infonce(scores.T)) / 2


def _label_loss(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    return torch.stack([functional.cross_entropy(one, labels) for one in logits]).sum()


def _batches(train: NDArray[np.int64], settings: ViewSettings) -> Iterator[NDArray[np.int64]]:
    rng = np.random.default_rng([settings.seed, 2])
    size = min(settings.batch_size, len(train))
    while True:
        order = rng.permutation(train)
        for start in range(0, len(order) - size + 1, size):
            yield order[start : start + size]


def _spans(n: int) -> list[slice]:
    return [slice(start, start + ROWS_AT_ONCE) for start in range(0, n, ROWS_AT_ONCE)]


def _draw(
    data: TrainingData,
    views: Sequence[View],
    items: NDArray[np.int64],
    seed: int,
    some: slice = slice(None),
) -> list[Tensor]:
    """Draw views of some of the items, those that belong together with the same random numbers."""
    rows, numbers = torch.from_numpy(items), draw_numbers(views)
    return [
        data.draw(view, rows, derive_seed(seed, number), some)
        for view, number in zip(views, numbers, strict=True)
    ]


def _in_parts(
    data: TrainingData, views: Sequence[View], items: NDArray[np.int64], seed: int
) -> Iterator[list[Tensor]]:
    for number, some in enumerate(_spans(len(items))):
        yield _draw(data, views, items[some], derive_seed(seed, number))


@torch.no_grad()
def _outputs(networks: ViewNetworks, parts: Sequence[list[Tensor]]) -> tuple[list[Tensor], list[Tensor]]:
    """Run the networks over views that come in parts: embeddings and logits of each view, whole."""
    networks.eval()
    embedded, logits = zip(*(networks(views) for views in parts), strict=True)
    return (
        [torch.cat(of_view) for of_view in zip(*embedded, strict=True)],
        [torch.cat(of_view) for of_view in zip(*logits, strict=True)],
    )
