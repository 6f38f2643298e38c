"""Which items are in which step."""

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.training.loop.batches import BatchSampler

LABELS = np.array([0] * 4 + [1] * 3 + [2] * 5)


def test_an_epoch_is_a_permutation_and_epochs_differ() -> None:
    batches = BatchSampler(LABELS, 4, "same_item", seed=0)
    assert batches.steps_per_epoch == 3
    epochs = [np.concatenate([batches.items(e * 3 + k)[0] for k in range(3)]) for e in range(2)]
    for epoch in epochs:
        assert sorted(epoch) == list(range(12))
    assert not np.array_equal(*epochs)


def test_a_step_depends_on_the_seed_and_itself_alone() -> None:
    fresh = BatchSampler(LABELS, 4, "same_class", seed=3).items(5)
    used = BatchSampler(LABELS, 4, "same_class", seed=3)
    for step in (0, 1, 9, 5):
        again = used.items(step)
    np.testing.assert_array_equal(fresh, again)
    assert not np.array_equal(fresh, BatchSampler(LABELS, 4, "same_class", seed=4).items(5))


def test_partners_are_uniform_over_the_others_of_the_class() -> None:
    batches = BatchSampler(LABELS, 12, "same_class", seed=0)
    counts = np.zeros((12, 12))
    for step in range(3000):
        x, y = batches.items(step)
        np.add.at(counts, (x, y), 1)
    same = (LABELS[:, None] == LABELS) & ~np.eye(12, dtype=bool)
    assert (counts[~same] == 0).all()
    expected = 3000 / (np.bincount(LABELS)[LABELS] - 1)
    # Five standard deviations of a binomial count.
    reach = 5 * np.sqrt(expected)
    assert (np.abs(counts - expected[:, None])[same] < np.broadcast_to(reach[:, None], (12, 12))[same]).all()


def test_what_cannot_be_batched_is_named() -> None:
    with pytest.raises(InputError, match="batch_size 13 is larger than the data's 12 items"):
        BatchSampler(LABELS, 13, "same_item", 0)
    with pytest.raises(InputError, match="class 1 has one item"):
        BatchSampler(np.array([0, 0, 1, 2, 2]), 2, "same_class", 0)
