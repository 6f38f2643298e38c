"""A linear classifier on frozen features by SGD, with the papers' schedules, read on a test part."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from mitools.core.names import check_name
from mitools.metrics.probe import check_train_and_test

INITIAL_DEVIATION = 0.01
"""Of the normal weights that the classifier starts from; its biases start from 0."""

ROWS_AT_ONCE = 8192
"""Test rows classified at a time."""

SMALLEST_VARIANCE = 1e-5
"""Added to the variance of a standardised column, as batch normalisation adds it."""


@dataclass(frozen=True)
class SGDSchedule:
    """How a linear classifier is trained.

    Attributes
    ----------
    learning_rate
        In the first epoch.
    epochs, batch_size
        Passes over the rows; rows a step.
    falls_at, falls_by
        Epochs, counted from 0, from which on the rate is multiplied once more by `falls_by`; without any it
        falls by a cosine to 0.
    momentum, weight_decay
        Of SGD; biases decay too, as in the papers' programs.
    standardised
        Whether columns are brought to mean 0 and variance 1 first, by the training rows.

    Examples
    --------
    >>> places = SCHEDULES["places205"]
    >>> [round(places.rate(epoch), 6) for epoch in (0, 4, 5, 10)]
    [0.01, 0.01, 0.001, 0.0001]
    """

    learning_rate: float
    epochs: int
    batch_size: int = 256
    falls_at: tuple[int, ...] = ()
    falls_by: float = 0.1
    momentum: float = 0.9
    weight_decay: float = 0.0
    standardised: bool = False

    def rate(self, epoch: int) -> float:
        """Give the learning rate of an epoch, counted from 0."""
        if self.falls_at:
            return self.learning_rate * self.falls_by ** sum(epoch >= start for start in self.falls_at)
        return self.learning_rate * (1 + math.cos(math.pi * epoch / self.epochs)) / 2


SCHEDULES = {
    "imsvd": SGDSchedule(learning_rate=0.02, epochs=100, weight_decay=1e-6),
    "places205": SGDSchedule(
        learning_rate=0.01, epochs=14, falls_at=(5, 10), weight_decay=5e-4, standardised=True
    ),
    "cmc": SGDSchedule(learning_rate=30.0, epochs=60, falls_at=(30, 40, 50), falls_by=0.2),
}
"""Of ImageNet in Niu et al. 2024, Sec. IV; of Places205 there, after PIRL (Misra and van der Maaten 2020),
with columns standardised; of ImageNet in Tian et al. 2020 (CMC), which states 60 epochs from a rate of 30 and
not when it falls: here by five at epochs 30, 40 and 50."""


def sgd_linear_on_test(
    train: NDArray[np.floating],
    train_labels: NDArray[np.int64],
    test: NDArray[np.floating],
    test_labels: NDArray[np.int64],
    schedule: str | SGDSchedule = "imsvd",
    seed: int = 0,
    device: str = "cpu",
) -> NDArray[np.bool_]:
    """Train a linear classifier by SGD on one data set and read it on another: official parts.

    The papers draw a crop of every image anew in every epoch. Here features are frozen: give several views of
    every item, and each epoch takes one of them at random; with one, every epoch sees the same rows.

    Parameters
    ----------
    train
        Shape (n_train, d), or (n_train, V, d) for V views of every item.
    train_labels, test_labels
        Shapes (n_train,) and (n_test,), 0..C-1; every class occurs in *train*.
    test
        Shape (n_test, d): the whole items.
    schedule
        A name of :data:`SCHEDULES`, or one of your own.
    seed
        Of the first weights, the order of rows and the views taken.
    device
        Where to train.

    Returns
    -------
    NDArray[np.bool_]
        Shape (n_test,): which rows are classified right; the mean is the accuracy.

    Raises
    ------
    InputError
        When lengths or widths differ, *test* has another class, or no schedule has the name.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> labels = np.arange(400) % 2
    >>> rows = labels[:, None] + 0.1 * rng.standard_normal((400, 3))
    >>> float(sgd_linear_on_test(rows[:300], labels[:300], rows[300:], labels[300:], "places205").mean())
    1.0
    """
    if isinstance(schedule, str):
        check_name("schedule", schedule, list(SCHEDULES))
        schedule = SCHEDULES[schedule]
    views = train[:, None] if train.ndim == 2 else train
    check_train_and_test(views[:, 0], train_labels, test, test_labels)
    rng = np.random.default_rng(seed)
    classes, width = int(train_labels.max()) + 1, views.shape[2]
    scale = _Scale.of(views) if schedule.standardised else _Scale(np.zeros(width), np.ones(width))
    start = INITIAL_DEVIATION * rng.standard_normal((classes, width))
    weight = torch.tensor(start, dtype=torch.float32, device=device, requires_grad=True)
    bias = torch.zeros(classes, device=device, requires_grad=True)
    optimiser = torch.optim.SGD(
        [weight, bias],
        lr=schedule.learning_rate,
        momentum=schedule.momentum,
        weight_decay=schedule.weight_decay,
    )
    labels = torch.from_numpy(np.asarray(train_labels, dtype=np.int64)).to(device)
    with torch.enable_grad():
        for epoch in range(schedule.epochs):
            optimiser.param_groups[0]["lr"] = schedule.rate(epoch)
            order, taken = rng.permutation(len(views)), rng.integers(views.shape[1], size=len(views))
            for start_at in range(0, len(order), schedule.batch_size):
                items = order[start_at : start_at + schedule.batch_size]
                rows = scale.tensor(views[items, taken[items]], device)
                loss = functional.cross_entropy(functional.linear(rows, weight, bias), labels[items])
                optimiser.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimiser.step()
    found = [
        functional.linear(scale.tensor(test[k : k + ROWS_AT_ONCE], device), weight, bias)
        .argmax(1)
        .cpu()
        .numpy()
        for k in range(0, len(test), ROWS_AT_ONCE)
    ]
    return np.asarray(np.concatenate(found) == test_labels)


@dataclass(frozen=True)
class _Scale:
    """What is taken from every column, and what it is divided by; shape (d,) each."""

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]

    @classmethod
    def of(cls, views: NDArray[Any]) -> "_Scale":
        """Measure columns over items and views, a part of the items at a time."""
        total, squares = np.zeros(views.shape[2]), np.zeros(views.shape[2])
        centre = views[0, 0].astype(np.float64)  # near the mean, so that squares lose no digits
        for k in range(0, len(views), ROWS_AT_ONCE):
            part = views[k : k + ROWS_AT_ONCE].reshape(-1, views.shape[2]).astype(np.float64) - centre
            total += part.sum(axis=0)
            squares += np.square(part).sum(axis=0)
        count = len(views) * views.shape[1]
        mean = total / count
        variance = np.maximum(squares / count - np.square(mean), 0.0)
        return cls(mean + centre, np.sqrt(variance + SMALLEST_VARIANCE))

    def tensor(self, rows: NDArray[Any], device: str) -> torch.Tensor:
        """Give rows as the classifier sees them."""
        scaled = (np.asarray(rows, dtype=np.float64) - self.mean) / self.deviation
        return torch.from_numpy(scaled.astype(np.float32)).to(device)
