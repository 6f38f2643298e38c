"""Logistic regression on more rows than memory holds: a few passes in mini-batches, stopped by *select*."""

import copy
from collections.abc import Callable
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn.functional import cross_entropy

from mitools.backends.seeding import seeded
from mitools.estimators.inputs.row_table import RowTable

BATCH_ROWS = 512
"""Rows of a step."""

STEPS_AT_LEAST, PASSES_AT_MOST = 2000, 3
"""The fit takes so many steps, or so many passes over the rows, whichever is more."""

CHECKS_OF_SELECT = 8
"""How often *select* is read in the course of the fit."""

LEAST_FALL_OF_LOSS = 1e-3
"""The share by which the loss on select must fall from one reading to the next."""

WEIGHT_AVERAGE_DECAY = 0.99
"""Decay of the running average of the weights, a step."""


class MinibatchLogistic:
    """Multinomial logistic regression by Adam, its weights averaged, the step falling to 0 by a cosine.

    It takes three passes over the rows or 2,000 steps, whichever is more, and stops where *select* no longer
    gains; that is its regularisation. Only one batch of rows is in memory at a time.

    Parameters
    ----------
    classes
        C.
    standardise
        Applied to every batch of rows.
    seed
        Of the order of the rows.

    Attributes
    ----------
    steps_
        Steps taken.
    """

    def __init__(
        self, classes: int, standardise: Callable[[NDArray[np.float32]], NDArray[np.float32]], seed: int = 0
    ) -> None:
        self.classes = classes
        self.standardise = standardise
        self.seed = seed

    def fit(
        self,
        train: RowTable,
        labels: NDArray[np.int64],
        loss_on_select: Callable[[Self], float],
    ) -> Self:
        """Fit on *train*, shape (n, d), and its labels, shape (n,); `loss_on_select` judges it as it is."""
        with seeded(self.seed):
            model = torch.nn.Linear(train.width, self.classes)
        for parameter in model.parameters():
            torch.nn.init.zeros_(parameter)
        self.linear_ = copy.deepcopy(model)
        most = max(STEPS_AT_LEAST, PASSES_AT_MOST * len(train) // BATCH_ROWS)
        # One step moves every weight by about the rate, and d of them move a score together.
        rate = min(1e-2, 0.3 / train.width)
        optimiser = torch.optim.Adam(model.parameters(), lr=rate)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, most)
        order = _Order(len(train), np.random.default_rng(self.seed))
        best_loss, best = loss_on_select(self), copy.deepcopy(self.linear_)
        for self.steps_ in range(1, most + 1):
            chosen = order.next(BATCH_ROWS)
            rows = torch.from_numpy(self.standardise(train.rows(chosen)))
            optimiser.zero_grad(set_to_none=True)
            cross_entropy(model(rows), torch.from_numpy(labels[chosen])).backward()
            optimiser.step()
            schedule.step()
            with torch.no_grad():
                weight = max(1 - WEIGHT_AVERAGE_DECAY, 1 / self.steps_)
                for average, now in zip(self.linear_.parameters(), model.parameters(), strict=True):
                    average.lerp_(now, weight)
            if self.steps_ % max(1, most // CHECKS_OF_SELECT) == 0:
                loss = loss_on_select(self)
                gained = loss < (1 - LEAST_FALL_OF_LOSS) * best_loss
                if loss < best_loss:
                    best_loss, best = loss, copy.deepcopy(self.linear_)
                if not gained:
                    break
        self.linear_ = best
        return self

    @torch.no_grad()
    def decision_function(self, standardised: NDArray[np.float32]) -> NDArray[np.float32]:
        """Give the scores of the classes, shape (n, C)."""
        return self.linear_(torch.from_numpy(standardised)).numpy()

    def predict(self, standardised: NDArray[np.float32]) -> NDArray[np.int64]:
        """Give the most likely class, shape (n,)."""
        return self.decision_function(standardised).argmax(axis=1)


class _Order:
    """Rows in random order, every one once before any comes again."""

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self._n, self._rng = n, rng
        self._left = np.empty(0, dtype=np.int64)

    def next(self, count: int) -> NDArray[np.int64]:
        """Give the next rows, sorted: a file is read in order."""
        if len(self._left) < min(count, self._n):
            self._left = self._rng.permutation(self._n)
        chosen, self._left = np.split(self._left, [count])
        return np.sort(chosen)
