"""Bounds on what features say of continuous targets, and of several labels an item, against known truths."""

import math

import numpy as np
import pytest
from sklearn.linear_model import RidgeCV
from sklearn.metrics import average_precision_score, r2_score

from mitools.core.errors import InputError
from mitools.datasets.targets import Targets
from mitools.estimators.inputs.splits import Parts
from mitools.measures.settings import MeasureSettings
from mitools.measures.targets.continuous import held_out_predictions, r2, read_continuous
from mitools.measures.targets.multi_label import read_labels
from mitools.measures.targets.reading import TargetReading

SETTINGS = MeasureSettings(seed=0)
N = 1000


def noisy_sum(rng, n=N, noise=0.5):
    """Normal features and their noisy sum: I(H;Y) = log(1 + 1 / noise^2) / 2."""
    features = rng.standard_normal((n, 4))
    return features, features.sum(axis=1, keepdims=True) / 2 + noise * rng.standard_normal((n, 1))


def continuous(values, names=None):
    names = names or tuple(f"y{k}" for k in range(values.shape[1]))
    return Targets("continuous", names, values)


def entropy_of(share):
    return -(share * math.log(share) + (1 - share) * math.log(1 - share))


def flipped(rng, flips, n=N):
    """Independent fair labels, and features that are these labels flipped with known chances."""
    labels = (rng.random((n, len(flips))) < 0.5).astype(float)
    seen = np.where(rng.random(labels.shape) < flips, 1 - labels, labels)
    return seen + 0.01 * rng.standard_normal(labels.shape), labels


@pytest.fixture(scope="module")
def of_a_sum():
    features, values = noisy_sum(np.random.default_rng(0))
    return read_continuous(features, continuous(values), None, None, SETTINGS, critic=False)


def test_a_noisy_sum_is_bounded_from_below_and_nearly_reached(of_a_sum):
    truth = math.log(1 + 4) / 2
    found = of_a_sum.estimates["i_target"]
    assert found.kind == "lower bound"
    assert 0.8 * truth < found.nats < truth + 2 * found.stderr_nats
    assert found.interval_nats.low < truth < found.interval_nats.high
    assert abs(found.null_nats) < 0.03
    assert not found.warnings


def test_the_prediction_and_its_score_agree_with_the_truth(of_a_sum):
    truth = math.log(1 + 4) / 2
    assert of_a_sum.metrics["r2"] == pytest.approx(1 / 1.25, abs=0.03)  # of the signal's variance
    predicted = of_a_sum.estimates["i_predicted"]
    assert predicted.kind == "point estimate"
    assert predicted.interval_nats.low < truth < predicted.interval_nats.high


def test_a_kept_reading_comes_back_as_it_was(of_a_sum):
    again = TargetReading.from_dict(of_a_sum.to_dict())
    before, after = (one.estimates["i_target"] for one in (of_a_sum, again))
    assert (after.nats, after.kind, after.warnings) == (before.nats, before.kind, before.warnings)
    assert after.interval_nats == pytest.approx(before.interval_nats)  # limits are kept in bits
    np.testing.assert_array_equal(again.influence_nats, of_a_sum.influence_nats)
    assert (again.metrics, again.each[0].metrics) == (of_a_sum.metrics, of_a_sum.each[0].metrics)


def test_permuted_targets_read_nothing():
    rng = np.random.default_rng(1)
    features, values = noisy_sum(rng, 500)
    found = read_continuous(features, continuous(rng.permutation(values)), None, None, SETTINGS, False)
    one = found.estimates["i_target"]
    assert one.interval_nats.low <= 0
    assert abs(one.nats) < 0.02
    assert one.has_warning("indistinguishable_from_zero")
    assert found.metrics["r2"] < 0.02


@pytest.mark.slow
def test_targets_are_read_together_and_one_by_one():
    rng = np.random.default_rng(2)
    features = rng.standard_normal((N, 2))
    values = np.column_stack([features[:, 0], features[:, 1], np.zeros(N)]) + 0.5 * rng.standard_normal(
        (N, 3)
    )
    found = read_continuous(features, continuous(values), None, None, SETTINGS, critic=False)
    truth = math.log(5) / 2
    assert 0.8 * 2 * truth < found.estimates["i_target"].nats < 2 * truth + 0.1
    alone = [one.estimates["i_target"].nats for one in found.each]
    assert alone[:2] == pytest.approx([truth, truth], abs=0.1)
    assert abs(alone[2]) < 0.02


def test_r2_is_that_of_scikit_learn_and_predictions_never_saw_what_they_predict():
    rng = np.random.default_rng(3)
    from mitools.estimators.inputs.splits import split

    features, values = noisy_sum(rng, 300)
    parts = split(300, None, 0)
    predicted, items = held_out_predictions(features, values, [parts])
    known = np.concatenate([parts.train, parts.select])
    mean, spread = features[known].mean(0), features[known].std(0)
    reference = RidgeCV(np.logspace(-3, 5, 17)).fit((features[known] - mean) / spread, values[known])
    expected = reference.predict((features[parts.report] - mean) / spread)
    np.testing.assert_array_equal(items, parts.report)
    np.testing.assert_allclose(predicted[:, 0], np.ravel(expected), rtol=1e-8)
    assert r2(values[items], predicted)[0] == pytest.approx(r2_score(values[items], predicted))


def test_repeated_items_are_one_group_and_told():
    """Ten copies of 40 items with random targets: learnt by heart they would read as information."""
    rng = np.random.default_rng(4)
    place = np.repeat(np.arange(40), 10)
    features, values = rng.standard_normal((40, 8))[place], rng.standard_normal((40, 1))[place]
    told = read_continuous(features, continuous(values), None, None, SETTINGS, critic=False)
    assert told.estimates["i_target"].has_warning("copies")
    given = read_continuous(features, continuous(values), None, place, SETTINGS, critic=False)
    for one in (told, given):
        assert one.estimates["i_target"].interval_nats.low <= 0
        assert one.metrics["r2"] < 0.2
        assert len(one.influence_nats) == 40


@pytest.fixture(scope="module")
def of_labels():
    flips = np.array([0.1, 0.25, 0.5])
    features, labels = flipped(np.random.default_rng(0), flips)
    found = read_labels(
        features, Targets("multi-label", ("a", "b", "c"), labels), None, None, SETTINGS, critic=False
    )
    return found, [math.log(2) - entropy_of(flip) for flip in flips], labels


def test_each_label_is_certified(of_labels):
    found, truths, _ = of_labels
    for one, truth in zip(found.each, truths, strict=True):
        estimate = one.estimates["i_target"]
        assert estimate.kind == "lower bound"
        assert estimate.interval_nats.low <= truth
        assert abs(estimate.nats - truth) < 3 * estimate.stderr_nats + 0.01
        assert one.estimates["i_class"].nats <= truth + 0.01
    assert found.each[0].estimates["i_target"].nats > 0.8 * truths[0]


def test_independent_labels_together_say_the_sum(of_labels):
    found, truths, _ = of_labels
    together = found.estimates["i_target"]
    assert together.kind == "lower bound"
    assert 0.8 * sum(truths) < together.nats < sum(truths) + 2 * together.stderr_nats
    assert together.interval_nats.low < sum(truths)
    assert together.null_nats < 0.01
    assert together.entropy_nats == pytest.approx(3 * math.log(2), abs=0.01)


def test_average_precision_is_that_of_an_ideal_ranking(of_labels):
    found, _, labels = of_labels
    flip = 0.1  # the ranking is by a flipped label: precision 0.9 until all that look positive are named
    ideal = (1 - flip) ** 2 + flip * 0.5
    assert found.each[0].metrics["average_precision"] == pytest.approx(ideal, abs=0.04)
    assert found.each[2].metrics["average_precision"] == pytest.approx(labels[:, 2].mean(), abs=0.05)
    assert found.metrics["mean_prevalence"] == pytest.approx(labels.mean(), abs=1e-9)
    assert average_precision_score([1, 0], [0.9, 0.1]) == 1


def test_labels_that_say_the_same_are_not_counted_twice():
    """Of two equal labels the sum of both bounds is twice the truth, which nothing may reach."""
    rng = np.random.default_rng(5)
    features, labels = flipped(rng, np.array([0.1]))
    twice = Targets("multi-label", ("a", "b"), np.repeat(labels, 2, axis=1))
    found = read_labels(features, twice, None, None, SETTINGS, critic=False)
    truth = math.log(2) - entropy_of(0.1)
    together = found.estimates["i_target"]
    assert together.settings["sum_of_labels_nats"] > 1.8 * truth
    assert together.nats < truth
    assert together.settings["total_correlation_nats"] == pytest.approx(math.log(2), abs=0.01)


def test_permuted_labels_read_nothing_and_rare_ones_are_left_out():
    rng = np.random.default_rng(6)
    features, labels = flipped(rng, np.array([0.1, 0.1]), 400)
    rare = np.zeros((400, 1))
    rare[:4] = 1
    table = np.hstack([rng.permutation(labels), rare])
    found = read_labels(
        features, Targets("multi-label", ("a", "b", "rare"), table), None, None, SETTINGS, critic=False
    )
    assert list(found.left_out) == ["rare"]
    assert found.estimates["i_target"].interval_nats.low <= 0
    assert found.estimates["i_target"].has_warning("indistinguishable_from_zero")
    with pytest.raises(InputError, match="no label of rare has 10 items with it and without"):
        read_labels(features, Targets("multi-label", ("rare",), rare), None, None, SETTINGS, critic=False)


def test_many_combinations_of_few_items_are_told():
    rng = np.random.default_rng(7)
    features, labels = flipped(rng, np.full(8, 0.1), 200)
    names = tuple("abcdefgh")
    found = read_labels(features, Targets("multi-label", names, labels), None, None, SETTINGS, critic=False)
    together, truth = found.estimates["i_target"], 8 * (math.log(2) - entropy_of(0.1))
    assert together.has_warning("undersampled")
    assert together.nats < truth


def test_groups_of_labels_are_honoured():
    rng = np.random.default_rng(8)
    place = np.repeat(np.arange(60), 6)
    features = rng.standard_normal((60, 8))[place] + 0.01 * rng.standard_normal((360, 8))
    labels = (rng.random((60, 2)) < 0.5).astype(float)[place]
    found = read_labels(
        features, Targets("multi-label", ("a", "b"), labels), None, place, SETTINGS, critic=False
    )
    assert found.estimates["i_target"].interval_nats.low <= 0
    assert len(found.influence_nats) == 60


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["continuous", "multi-label"])
def test_a_trained_critic_finds_what_a_closed_form_does_not(kind):
    rng = np.random.default_rng(9)
    if kind == "continuous":
        features = rng.standard_normal((3000, 1))
        values = np.abs(features) + 0.05 * rng.standard_normal((3000, 1))  # no correlation
        found = read_continuous(features, continuous(values), None, None, SETTINGS, critic=True)
        assert found.estimates["i_target_infonce"].interval_nats.low > 0.5
    else:
        features, labels = flipped(rng, np.array([0.1, 0.1]), 3000)
        found = read_labels(features, Targets("multi-label", ("a", "b"), labels), None, None, SETTINGS, True)
        truth = 2 * (math.log(2) - entropy_of(0.1))
        assert 0.8 * truth < found.estimates["i_target_infonce"].nats < truth + 0.1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["continuous", "multi-label"])
def test_limits_of_intervals_hold_the_truth_in_repetitions(kind):
    """The lower limit of 95% intervals may exceed the truth in 2.5% of samples: here at most 3 of 40."""
    above = 0
    for seed in range(40):
        rng = np.random.default_rng(seed)
        if kind == "continuous":
            features, values = noisy_sum(rng, 300)
            found = read_continuous(features, continuous(values), None, None, SETTINGS, critic=False)
            truth = math.log(5) / 2
        else:
            flips = np.array([0.1, 0.2, 0.5])
            features, labels = flipped(rng, flips, 300)
            targets = Targets("multi-label", ("a", "b", "c"), labels)
            found = read_labels(features, targets, None, None, SETTINGS, critic=False)
            truth = sum(math.log(2) - entropy_of(flip) for flip in flips)
        above += found.estimates["i_target"].interval_nats.low > truth
    assert above <= 3


@pytest.mark.parametrize("kind", ["continuous", "multi-label"])
@pytest.mark.parametrize("copied", [0, 60])
def test_copies_on_both_sides_of_a_given_split_are_told(kind, copied):
    """Test items that are copies of training items, with their targets: only a warning can say so."""
    rng = np.random.default_rng(10)
    features, values = noisy_sum(rng, 300)
    if kind == "multi-label":
        values = np.hstack([values > 0, rng.permutation(values) > 0]).astype(float)
    features[200 : 200 + copied], values[200 : 200 + copied] = features[:copied], values[:copied]
    given = Parts(np.arange(120), np.arange(120, 200), np.arange(200, 300))
    read = read_continuous if kind == "continuous" else read_labels
    targets = Targets(kind, tuple("ab")[: values.shape[1]], values)
    found = read(features, targets, given, None, SETTINGS, False).estimates["i_target"]
    assert found.has_warning("copies") is bool(copied)
    told = [warning.sentence for warning in found.warnings if warning.word == "copies"]
    assert all(f"{copied} of 300 rows are copies" in sentence for sentence in told)
    who = np.arange(300)
    who[200 : 200 + copied] = who[:copied]
    said = read(features, targets, given, who, SETTINGS, False).estimates["i_target"]
    assert not said.has_warning("copies"), "groups that are declared are not looked for"
