"""Where readings of half of the images and of all lead to, beside truths that are known."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from mitools.core.entropy import nats_to_bits
from mitools.core.estimate import Interval
from mitools.estimators.bounds.infonce import read_infonce
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.inputs.splits import Parts
from mitools.shared_information.more_images import (
    Doubled,
    beyond_ceiling,
    difference_interval,
    entropy_limit,
    label_up_to,
    rise_warnings,
    shared_up_to,
    with_more_images,
)
from mitools.shared_information.readings import _fewest_compared

N = 400


def read(values):
    """A mean of independent values."""
    return Reading(float(values.mean()), values - values.mean(), unseen=0.0)


def biased(nats, influence=0.1, n=N):
    return Reading(nats, np.where(np.arange(n) % 2, influence, -influence), unseen=0.0)


def doubled(whole, half):
    """Of one fold that holds out all items."""
    return Doubled(half, whole)


def test_a_bias_that_falls_like_the_square_root_is_found():
    truth, bias = 2.0, 6.0
    whole, half = (biased(truth - bias / math.sqrt(n)) for n in (1000, 500))
    assert with_more_images(whole, doubled(whole, half)).nats == pytest.approx(truth)
    # What falls faster is not underestimated.
    whole, half = (biased(truth - 60 / n) for n in (1000, 500))
    assert with_more_images(whole, doubled(whole, half)).nats > truth


@pytest.mark.parametrize("folds", [1, 2])
def test_the_error_of_where_they_lead_to_is_that_of_repeated_samples(folds):
    rng = np.random.default_rng(0)
    first, ends, errors = N // folds, [], []
    for _ in range(400):
        easy = rng.standard_normal(N)  # what is easy about an item for both
        noisy = [1.0 + easy + scale * rng.standard_normal(N) for scale in (0.2, 0.4)]
        of_fold = doubled(*(read(values[:first]) for values in noisy))
        found = with_more_images(read(noisy[0]), of_fold)
        ends.append(found.nats)
        errors.append(found.stderr)
    assert np.mean(errors) == pytest.approx(np.std(ends), rel=0.1)


def test_the_upper_end_holds_the_truth_and_reaches_no_lower_than_the_interval():
    whole, half = biased(1.9), biased(1.86)
    up_to = shared_up_to(whole, doubled(whole, half), 10**6)
    assert up_to == pytest.approx(1.9 + 0.04 / (math.sqrt(2) - 1) + 1.96 * whole.stderr, abs=1e-3)
    # A reading that falls leads to no lower end than its own.
    assert shared_up_to(half, doubled(half, whole), 10**6) == pytest.approx(
        1.86 + 1.96 * half.stderr, abs=1e-3
    )


def test_no_upper_end_is_told_where_none_is_known():
    def up_to(whole, half):
        return shared_up_to(biased(whole), doubled(biased(whole), biased(half)), 500)

    assert shared_up_to(biased(2.0), None, 500) is None
    assert up_to(2.0, 1.5) is None  # as steep as log n
    assert up_to(6.1, 6.05) is None  # log 500 is 6.2
    assert up_to(2.0, 1.6) is not None


def test_nothing_shared_is_never_excluded():
    nothing = biased(-0.05)
    assert shared_up_to(nothing, doubled(nothing, nothing), 500) == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("pairs", [50, 200])
def test_the_best_critic_on_few_pairs_is_led_to_the_truth(pairs):
    """Eight classes are shared and known: log 8 nats, of which fewer pairs read less."""
    rng = np.random.default_rng(1)
    found = []
    for _ in range(300):
        own = torch.nn.functional.one_hot(torch.from_numpy(rng.integers(0, 8, pairs)), 8).double()
        found.append(read_infonce(lambda x, y: 30 * (x @ y.T) + math.log(8) - 30, own, own).nats)
    error = 2 * np.std(found) / math.sqrt(len(found))
    led_to = beyond_ceiling(float(np.mean(found)), pairs)
    assert np.mean(found) < math.log(8) - 1 / pairs
    # It is on the safe side: how many negatives are of the own class varies, which raises the reading.
    assert math.log(8) - error <= led_to <= math.log(8) + error + 4 / pairs


@pytest.mark.parametrize("shares", [(0.25,) * 4, (0.7, 0.2, 0.1), (0.5, 0.5)])
def test_the_entropy_lies_below_its_limit(shares):
    rng = np.random.default_rng(2)
    truth = -sum(p * math.log(p) for p in shares)
    limits = [entropy_limit(rng.choice(len(shares), 200, p=shares), 200) for _ in range(500)]
    assert np.mean([limit >= truth - 1e-9 for limit in limits]) >= 0.95
    assert max(limits) <= math.log(len(shares))
    # Two items a group are half as many that are independent.
    labels = rng.choice(len(shares), 200, p=shares)
    assert entropy_limit(labels, 100) >= entropy_limit(labels, 200)


def test_what_the_label_says_ends_at_its_entropy():
    whole, rise = biased(1.3), doubled(biased(1.3), biased(1.25))
    assert label_up_to(whole, rise, 1.35) == pytest.approx(1.35)
    assert label_up_to(whole, None, 1.35) == pytest.approx(1.35)
    assert label_up_to(whole, rise, 9.0) == pytest.approx(shared_up_to(whole, rise, 10**9), abs=1e-6)
    # Sampling error alone may reach beyond the entropy, and is not cut.
    assert label_up_to(whole, rise, 1.3) == pytest.approx(1.3 + 1.96 * whole.stderr, abs=1e-4)


def test_a_difference_that_shrinks_with_more_images_reaches_lower():
    a, b = biased(1.9), biased(1.5)
    alone = Interval(*(nats_to_bits(0.4),) * 2, 0.95)

    def with_halves(of_a, of_b):
        halves = doubled(a, biased(of_a)), doubled(b, biased(of_b))
        return difference_interval(a, b, halves, (9.0, 9.0))

    steady, shrinks, grows = with_halves(1.8, 1.4), with_halves(1.9, 1.4), with_halves(1.8, 1.5)
    assert (steady.low, steady.high) == pytest.approx((alone.low, alone.high))
    left = 0.1 / (math.sqrt(2) - 1) / math.log(2)
    assert (shrinks.low, shrinks.high) == pytest.approx((alone.low - left, alone.high))
    assert (grows.low, grows.high) == pytest.approx((alone.low, alone.high + left))


LEFT = 1 / (math.sqrt(2) - 1)


@pytest.mark.parametrize(
    ("half_of_a", "half_of_b", "low", "high"),
    [
        (None, None, 1.9 - 2.3, 2.3 - 1.5),
        (1.85, None, 1.9 - 2.3, 0.4 + 0.05 * LEFT),
        (1.85, 0.9, 1.9 - 2.3, 0.4 + 0.05 * LEFT),
        (1.3, 1.45, 0.4 - 0.05 * LEFT, 2.3 - 1.5),
    ],
    ids=["few images", "few images of the view", "a steep view", "a steep image"],
)
def test_a_difference_is_open_where_it_is_not_told_where_readings_lead(half_of_a, half_of_b, low, high):
    a, b, entropy = biased(1.9, 1e-6), biased(1.5, 1e-6), 2.3
    of_a, of_b = (
        None if half is None else doubled(one, biased(half, 1e-6))
        for one, half in ((a, half_of_a), (b, half_of_b))
    )
    up_to = label_up_to(a, of_a, entropy), label_up_to(b, of_b, entropy)
    found = difference_interval(a, b, (of_a, of_b), up_to)
    assert (found.low, found.high) == pytest.approx((nats_to_bits(low), nats_to_bits(high)), abs=1e-5)


def test_what_items_cannot_show_of_the_halves_is_part_of_the_error():
    whole, half = (biased(nats)._replace(unseen=unseen) for nats, unseen in ((2.0, 0.03), (1.9, 0.04)))
    found = with_more_images(whole, doubled(whole, half))
    assert found.unseen == pytest.approx(0.03 + 0.05 / (math.sqrt(2) - 1))


def test_with_groups_a_pair_is_compared_with_strangers_and_itself():
    groups = np.array([0, 0, 0, 1, 2, 3, 9, 9])
    parts = Parts(np.array([6]), np.array([7]), np.arange(6), groups)
    assert _fewest_compared(parts) == 4
    assert _fewest_compared(replace(parts, groups=None)) == 6


def test_a_clear_rise_is_told_and_chance_and_falls_are_not():
    (warning,) = rise_warnings(doubled(biased(2.0), biased(1.9)))
    assert warning.word == "rises_with_n"
    assert "reads 2.74 bits and to all 2.89" in warning.sentence
    noisy = Reading(1.9, np.where(np.arange(N) % 4 < 2, 1.0, -1.0), unseen=0.0)
    assert rise_warnings(doubled(biased(2.0), noisy)) == ()
    assert rise_warnings(doubled(biased(1.9), biased(2.0))) == ()
