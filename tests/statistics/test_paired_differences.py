import itertools
import math

import numpy as np
import pytest

from mitools.core.errors import InputError
from mitools.estimators.bounds.reading import Reading
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.statistics.paired_differences import COMPARISON_COLUMNS, compare

LOG2 = math.log(2)


def readings(rng, truths, n=200, shared=0.9):
    """Means of correlated skewed terms: estimates of known truths with their influence values."""
    common = rng.exponential(size=n) - 1
    own = rng.exponential(size=(len(truths), n)) - 1
    terms = np.array(truths)[:, None] + shared * common + math.sqrt(1 - shared**2) * own
    points = terms.mean(axis=1)
    return {
        f"encoder {k}": Reading(float(point), row - point, 0.0)
        for k, (point, row) in enumerate(zip(points, terms, strict=True))
    }


def test_a_pair_by_hand():
    psi_a, psi_b = np.array([1.0, -1.0, 0.5, -0.5]), np.array([0.5, -0.5, 0.5, -0.5])
    row = compare(
        {"x": Reading(2 * LOG2, psi_a, 0.0), "y": Reading(1 * LOG2, psi_b, 0.0)}, confidence=0.90
    ).iloc[0]
    assert (row.encoder_a, row.encoder_b) == ("x", "y")
    assert row.difference_bits == pytest.approx(1)
    stderr = math.sqrt(0.25 + 0.25) / 4 / LOG2
    assert row.stderr_bits == pytest.approx(stderr)
    assert (row.low_bits, row.high_bits) == pytest.approx((1 - 1.6448536 * stderr, 1 + 1.6448536 * stderr))
    assert row.p_value == pytest.approx(math.erfc(1 / stderr / math.sqrt(2)))


def test_all_pairs_come_once_in_order_and_holm_runs_over_them():
    values = readings(np.random.default_rng(0), [1.0, 1.2, 1.4, 1.45])
    found = compare(values)
    assert list(found.columns) == list(COMPARISON_COLUMNS)
    assert list(zip(found.encoder_a, found.encoder_b, strict=True)) == list(itertools.combinations(values, 2))
    assert found.p_holm.min() == pytest.approx(6 * found.p_value.min())
    assert (found.p_holm >= found.p_value).all()


def test_intervals_cover_and_false_findings_are_rare_for_correlated_encoders():
    rng = np.random.default_rng(1)
    truths = [1.0, 1.0, 1.0, 1.05]
    expected = np.array([a - b for a, b in itertools.combinations(truths, 2)]) / LOG2
    runs, covered, false, family = 600, 0, 0, 0
    for _ in range(runs):
        found = compare(readings(rng, truths))
        covered += ((found.low_bits <= expected) & (expected <= found.high_bits)).sum()
        null = expected == 0
        false += (found.p_value[null] < 0.05).sum()
        family += (found.verdict[null] != "not told apart").any()
    assert covered / (6 * runs) == pytest.approx(0.95, abs=0.015)
    assert false / (3 * runs) == pytest.approx(0.05, abs=0.015)
    assert family / runs < 0.05 + 0.015


def test_pairing_finds_what_separate_intervals_hide():
    # Single readings have a standard error of 0.1 nats and differ by 0.1; the paired error is a tenth.
    rng = np.random.default_rng(2)
    verdicts = [compare(readings(rng, [1.1, 1.0], n=100, shared=0.995)).verdict[0] for _ in range(200)]
    assert verdicts.count("a carries more") > 190
    assert "b carries more" not in verdicts
    turned = [compare(readings(rng, [1.0, 1.1], n=100, shared=0.995)).verdict[0] for _ in range(50)]
    assert turned.count("b carries more") > 45


def test_an_encoder_against_its_twin_is_not_told_apart():
    psi = np.random.default_rng(0).normal(size=50)
    row = compare({"x": Reading(1.0, psi), "twin": Reading(1.0, psi.copy())}).iloc[0]
    assert (row.difference_bits, row.p_value, row.verdict) == (0, 1, "not told apart")
    assert row.stderr_bits < 1e-5


def test_of_two_encoders_without_a_mistake_none_carries_more():
    """Their influence is rounding error, and what tells them apart is a mistake that neither made yet."""
    rng = np.random.default_rng(0)
    labels = np.arange(1000) % 4
    found = {}
    for name, apart in (("near", 12), ("far", 20)):
        x = apart * np.eye(4)[labels] + rng.normal(size=(1000, 4))
        fitted = ClassPosterior().fit(x, labels)
        found[name] = Reading.of(fitted.dv_estimate_, fitted.influence_)
        assert found[name].stderr == pytest.approx(fitted.dv_estimate_.stderr_nats)
    assert compare(found).verdict[0] == "not told apart"


@pytest.mark.parametrize("values", [{}, {"only": Reading(1.0, np.zeros(5))}])
def test_fewer_than_two_encoders_make_an_empty_table(values):
    found = compare(values)
    assert found.empty
    assert list(found.columns) == list(COMPARISON_COLUMNS)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            {"a": Reading(1.0, np.zeros(5)), "b": Reading(1.0, np.zeros(6))},
            "b was read on 6 images and a on 5",
        ),
        ({"a": Reading(1.0, np.zeros((5, 2)))}, "a: influence values of shape"),
        ({"a": Reading(math.nan, np.zeros(5))}, "a: the reading"),
        ({"a": Reading(1.0, np.full(5, np.inf))}, "a: the reading or an influence value"),
    ],
)
def test_bad_input_is_one_line(values, words):
    with pytest.raises(InputError, match=words) as error:
        compare(values)
    assert "\n" not in str(error.value)


def test_confidence_must_be_a_probability():
    with pytest.raises(InputError, match="confidence"):
        compare({"a": Reading(1.0, np.zeros(5))}, confidence=95)
