"""Same-class pairs: whose they are, how often each class comes, and what a certificate concludes."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare

from mitools.core.entropy import entropy
from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, Interval
from mitools.estimators.inputs.splits import split
from mitools.pairing.same_class import SameClassPairs, bracket

SIZES = np.array([5, 12, 40, 100])
LABELS = np.random.default_rng(0).permutation(np.repeat(np.arange(4), SIZES))
PRIORS = {
    "empirical": SIZES / SIZES.sum(),
    "uniform": np.full(4, 0.25),
    "the caller's": np.array([0.4, 0.3, 0.2, 0.1]),
}


def pairs_of(name: str) -> SameClassPairs:
    return SameClassPairs(LABELS, PRIORS[name] if name == "the caller's" else name)


@pytest.mark.parametrize("name", list(PRIORS))
def test_the_entropy_is_that_of_the_prior(name: str) -> None:
    pairs = pairs_of(name)
    np.testing.assert_allclose(pairs.prior, PRIORS[name], rtol=1e-12)
    assert pairs.entropy_nats == pytest.approx(entropy(PRIORS[name]), rel=1e-12)
    assert SameClassPairs(np.arange(100) % 10).entropy_nats == pytest.approx(math.log(10), rel=1e-12)


@pytest.mark.parametrize("name", list(PRIORS))
def test_drawn_pairs_are_two_images_of_one_class_from_the_prior(name: str) -> None:
    items = np.flatnonzero(np.arange(len(LABELS)) % 3 > 0)
    x, y = pairs_of(name).within(items).draw(20_000, np.random.default_rng(0))
    np.testing.assert_array_equal(LABELS[x], LABELS[y])
    assert (x != y).all()
    assert np.isin(x, items).all()
    assert np.isin(y, items).all()
    drawn = np.bincount(LABELS[x], minlength=4)
    assert chisquare(drawn, 20_000 * PRIORS[name]).pvalue > 0.01


def test_within_a_class_every_ordered_pair_is_equally_likely() -> None:
    labels = np.array([0, 1, 0, 1, 0, 0])
    x, y = SameClassPairs(labels, "uniform").within(np.arange(6)).draw(14_000, np.random.default_rng(0))
    of_first = labels[x] == 0
    counts = np.zeros((6, 6))
    np.add.at(counts, (x[of_first], y[of_first]), 1)
    members = np.array([0, 2, 4, 5])
    seen = counts[np.ix_(members, members)][~np.eye(4, dtype=bool)]
    assert seen.sum() == of_first.sum()
    assert chisquare(seen).pvalue > 0.01


@pytest.mark.parametrize("name", list(PRIORS))
def test_no_image_is_in_two_independent_pairs(name: str) -> None:
    x, y = pairs_of(name).within(np.arange(len(LABELS))).independent(np.random.default_rng(0))
    np.testing.assert_array_equal(LABELS[x], LABELS[y])
    assert len(np.unique(np.concatenate([x, y]))) == 2 * len(x)
    counts = np.bincount(LABELS[x], minlength=4)
    # No class is further than one pair from its share of the prior.
    assert (np.abs(counts - PRIORS[name] * counts.sum()) < 1.5).all()


def test_balanced_classes_give_every_image_a_partner() -> None:
    labels = np.arange(400) % 10
    x, y = SameClassPairs(labels).within(np.arange(400)).independent(np.random.default_rng(0))
    np.testing.assert_array_equal(np.sort(np.concatenate([x, y])), np.arange(400))
    first, second = (
        SameClassPairs(labels).within(np.arange(400)).independent(np.random.default_rng(seed))[1]
        for seed in (0, 1)
    )
    np.testing.assert_array_equal(first, y)
    assert not np.array_equal(first, second)


@given(st.lists(st.integers(2, 30), min_size=2, max_size=6), st.sampled_from(["empirical", "uniform"]))
def test_independent_pairs_are_sound_whatever_the_class_sizes(sizes: list[int], prior: str) -> None:
    labels = np.repeat(np.arange(len(sizes)), sizes)
    x, y = SameClassPairs(labels, prior).within(np.arange(len(labels))).independent(np.random.default_rng(0))
    assert (labels[x] == labels[y]).all()
    assert len(np.unique(np.concatenate([x, y]))) == 2 * len(x)
    assert len(x) >= 2


@pytest.mark.parametrize(
    ("sizes", "prior"),
    [([2] * 20 + [3] * 20, "empirical"), ([200, 200], (0.995, 0.005)), ([7, 2, 31], "uniform")],
)
def test_independent_pairs_keep_the_prior_on_average(sizes: list[int], prior: Any) -> None:
    """A class whose share is less than a pair has one now and then, and not always."""
    labels = np.repeat(np.arange(len(sizes)), sizes)
    pairs = SameClassPairs(labels, prior)
    dealt = np.zeros(len(sizes))
    runs, totals = 600, []
    for seed in range(runs):
        x, _ = pairs.within(np.arange(len(labels))).independent(np.random.default_rng(seed))
        dealt += np.bincount(labels[x], minlength=len(sizes))
        totals.append(len(x))
    expected = pairs.prior * np.sum(totals)
    assert np.ptp(totals) <= 1
    assert (np.abs(dealt - expected) < 4 * np.sqrt(runs) / 2).all()


def test_shuffled_apart_pairs_share_nothing_but_keep_the_prior() -> None:
    labels = np.arange(3000) % 3
    parts = split(3000, labels)
    pairs = SameClassPairs(labels, [0.2, 0.3, 0.5])
    apart = pairs.permuted(parts, np.random.default_rng(0))
    np.testing.assert_array_equal(apart.prior, pairs.prior)
    for part in (parts.train, parts.select, parts.report):
        np.testing.assert_array_equal(np.bincount(apart.labels[part]), np.bincount(labels[part]))
    x, y = apart.within(parts.train).draw(20_000, np.random.default_rng(0))
    together = (labels[x] == labels[y]).mean()
    assert together == pytest.approx(1 / 3, abs=0.02)


def test_a_class_with_one_image_in_a_part_is_named() -> None:
    with pytest.raises(InputError, match="class 1 has 1 images in one part"):
        SameClassPairs(np.array([0, 0, 0, 1, 1])).within(np.array([0, 1, 2, 3]))


@pytest.mark.parametrize(
    ("labels", "prior", "message"),
    [
        (np.zeros(10), "empirical", "one class only"),
        (np.arange(10) / 2, "empirical", "not whole numbers"),
        (np.arange(10) % 2, "flat", "unknown class prior"),
    ],
)
def test_labels_and_priors_that_mean_nothing_are_refused(
    labels: np.ndarray, prior: str, message: str
) -> None:
    with pytest.raises(InputError, match=message):
        SameClassPairs(labels, prior)


H_C = math.log(10)
BOUND = Estimate(
    "class_posterior", "lower bound", 2.0, interval_nats=Interval(1.9, 2.1, 0.95), entropy_nats=H_C
)


def test_a_bound_that_reaches_the_entropy_identifies_the_truth() -> None:
    found = bracket(replace(BOUND, nats=2.29, interval_nats=Interval(2.27, 2.31, 0.95)))
    assert found.identified
    assert (found.low_nats, found.high_nats) == (2.27, H_C)
    assert str(found) == "identified: I_class = H(C) = 3.322 bits, the interval [3.275, ...] reaches it"


def test_a_bound_that_does_not_leaves_the_truth_between() -> None:
    found = bracket(BOUND)
    assert not found.identified
    assert (found.low_nats, found.high_nats) == (1.9, H_C)
    assert str(found) == "bracketed: I_class lies in [2.741, 3.322] bits"


def test_an_interval_that_holds_nearly_everything_identifies_nothing() -> None:
    assert not bracket(replace(BOUND, interval_nats=Interval(0.5, 2.5, 0.95))).identified


@pytest.mark.parametrize("kind", ["asymptotic lower bound", "upper bound", "point estimate"])
def test_no_certificate_rests_on_what_is_no_proven_lower_bound(kind: str) -> None:
    with pytest.raises(InputError, match=f"no proven lower bound \\({kind}\\)"):
        bracket(replace(BOUND, kind=kind))


@pytest.mark.parametrize("lacking", ["interval_nats", "entropy_nats"])
def test_no_certificate_without_an_interval_and_an_entropy(lacking: str) -> None:
    with pytest.raises(InputError, match="no interval or no entropy"):
        bracket(replace(BOUND, **{lacking: None}))
