"""The views by which a fit is ended are drawn as those of any batch: no item repeats another's choices."""

import numpy as np
import torch

from mitools.shared_information.fit import ROWS_AT_ONCE, _Best
from mitools.training.training_data import TrainingData
from mitools.views.registry import make_view


def test_items_beyond_those_drawn_at_once_have_random_numbers_of_their_own():
    n = 2 * ROWS_AT_ONCE + 1
    rng = np.random.default_rng(0)
    one = torch.from_numpy(rng.integers(0, 256, (1, 3, 8, 8), dtype=np.uint8))
    data = TrainingData(one.expand(n, -1, -1, -1), torch.zeros(n, dtype=torch.int64), 1)
    best = _Best(data, [make_view("simclr?blur=0")], np.arange(n), seed=0)
    drawn = torch.cat([views[0] for views in best.views])
    assert len(drawn) == n
    assert len(drawn.flatten(1).unique(dim=0)) == n
