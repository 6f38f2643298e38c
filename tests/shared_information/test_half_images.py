"""Half of the images of a fold: whole groups, every class, and the same images held out."""

import numpy as np
import pytest

from mitools.estimators.inputs.folds import cross_fit_parts
from mitools.estimators.inputs.splits import Parts
from mitools.shared_information.half_images import half_of

LABELS = np.repeat([0, 1, 2], [100, 60, 20])


@pytest.mark.parametrize("groups", [None, np.arange(180) // 2], ids=["items", "groups of two"])
def test_half_of_every_class_is_taken_and_what_is_held_out_stays(groups):
    for seed, parts in enumerate(cross_fit_parts(180, LABELS, 2, 0, groups)):
        half = half_of(parts, LABELS, seed)
        assert half.report is parts.report
        for some, every in ((half.train, parts.train), (half.select, parts.select)):
            assert set(some) < set(every)
            found, there = (np.bincount(LABELS[items], minlength=3) for items in (some, every))
            assert (np.abs(found - there / 2) <= 1).all()
        if groups is not None:
            left = np.setdiff1d(parts.train, half.train)
            assert not set(groups[half.train]) & set(groups[left])


def test_another_seed_takes_another_half():
    (parts, _) = cross_fit_parts(180, LABELS, 2, 0)
    halves = [half_of(parts, LABELS, seed).train.tolist() for seed in (0, 0, 1)]
    assert halves[0] == halves[1] != halves[2]


def test_small_classes_keep_two_to_train_on_and_one_to_select_by():
    labels = np.tile([0, 1], 5)
    half = half_of(Parts(np.arange(4), np.arange(4, 6), np.arange(6, 10)), labels, 0)
    assert half.train.tolist() == [0, 1, 2, 3]
    assert half.select.tolist() == [4, 5]


def test_groups_of_mixed_classes_that_leave_no_class_a_half_give_none():
    # Class 1 lies in two of forty groups of class 0 alone.
    groups = np.repeat(np.arange(40), 5)
    labels = np.zeros(200, dtype=np.int64)
    labels[[0, 5]] = 1
    labels[[150, 155, 160]] = 1
    train, select, report = np.arange(100), np.arange(100, 150), np.arange(150, 200)
    assert half_of(Parts(train, select, report, groups), labels, 0) is None
