"""Cross-fitting: every item reported once, by a critic that never saw it."""

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mitools.core.errors import InputError
from mitools.estimators.inputs.folds import CROSS_FIT_BELOW_ITEMS, chosen_folds, cross_fit_parts
from mitools.estimators.inputs.splits import Parts, split
from mitools.estimators.neural.variational import VariationalEstimator
from mitools.pairing.same_class import SameClassPairs

BRIEF: dict[str, Any] = {"hidden": (16,), "learning_rate": 0.005, "batch_size": 64} | {
    "max_steps": 500,
    "check_every": 25,
    "patience": 3,
}
STRATA = np.repeat(np.arange(3), [13, 31, 20])


@pytest.mark.parametrize("strata", [None, STRATA], ids=["items", "strata"])
@pytest.mark.parametrize("folds", [2, 5])
def test_every_item_is_reported_once_and_never_by_a_critic_that_saw_it(
    strata: NDArray[np.int64] | None, folds: int
) -> None:
    n = 64
    splits = cross_fit_parts(n, strata, folds, seed=1)
    np.testing.assert_array_equal(np.sort(np.concatenate([parts.report for parts in splits])), np.arange(n))
    for parts in splits:
        everything = np.concatenate([parts.train, parts.select, parts.report])
        np.testing.assert_array_equal(np.sort(everything), np.arange(n))
        assert abs(len(parts.report) - n / folds) < 1
        assert len(parts.select) / (n - len(parts.report)) == pytest.approx(0.15 / 0.8, abs=0.02)
        if strata is not None:
            for part in (parts.report, parts.train, parts.select):
                shares = np.bincount(strata[part]) / np.bincount(strata)
                assert np.ptp(shares) < 0.12


def test_the_seed_shuffles_the_folds() -> None:
    reports = [cross_fit_parts(100, None, 5, seed)[0].report.tolist() for seed in (0, 0, 1)]
    assert reports[0] == reports[1] != reports[2]
    assert np.ptp(np.diff(reports[0])) > 0


def test_one_fold_is_the_single_split() -> None:
    (parts,) = cross_fit_parts(64, STRATA, 1, seed=3)
    for given, expected in zip(vars(parts).values(), vars(split(64, STRATA, 3)).values(), strict=True):
        np.testing.assert_array_equal(given, expected)


@pytest.mark.parametrize(
    ("n", "strata", "folds"),
    [
        (100, None, 5),
        (CROSS_FIT_BELOW_ITEMS - 1, None, 5),
        (CROSS_FIT_BELOW_ITEMS, None, 1),
        (100, np.arange(100) % 10, 5),
        (90, np.arange(90) % 10, 1),
        (9, None, 1),
    ],
)
def test_the_default_is_chosen_by_size_and_classes(
    n: int, strata: NDArray[np.int64] | None, folds: int
) -> None:
    assert chosen_folds(n, strata) == folds


def test_classes_are_spread_over_the_folds() -> None:
    labels = np.repeat(np.arange(4), 30)
    x = labels[:, None] + 0.05 * np.random.default_rng(0).standard_normal((120, 1))
    # Ranks would close the gaps between the classes.
    estimator = VariationalEstimator(folds=3, scaling="standardise", **BRIEF)
    estimator.fit(x, x, SameClassPairs(labels))
    # Five disjoint pairs of each class in each fold; ten items of each class.
    assert estimator.estimate_.settings["pairs"] == 60
    assert estimator.estimate_.entropy_nats == pytest.approx(math.log(4))
    assert estimator.estimate_.nats == pytest.approx(math.log(4), abs=0.1)


@pytest.mark.parametrize(
    ("folds", "labels", "parts", "message"),
    [
        (0, None, None, "folds is 0, but it must be at least 1"),
        (30, None, None, "50 items cannot be split into 30 folds"),
        (5, np.arange(50) // 5, None, "class 0 with 5 items cannot be split into 5 folds"),
        (5, None, split(50), "folds is 5, but the given parts are one split"),
    ],
)
def test_bad_folds_are_refused(
    folds: int, labels: NDArray[np.int64] | None, parts: Parts | None, message: str
) -> None:
    x = np.random.default_rng(0).standard_normal((50, 2))
    pairing = None if labels is None else SameClassPairs(labels)
    with pytest.raises(InputError, match=message) as caught:
        VariationalEstimator(folds=folds, **BRIEF).fit(x, x, pairing, parts)
    assert "\n" not in str(caught.value)
