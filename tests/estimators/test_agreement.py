"""What several estimates jointly allow: limits by hand, contradictions said, noise kept apart."""

import json
from statistics import NormalDist

import pytest

from mitools.core.entropy import bits_to_nats
from mitools.core.estimate import Estimate, Interval
from mitools.estimators.agreement import agreement

Z95, Z975, Z983 = (NormalDist().inv_cdf(level) for level in (0.95, 0.975, 1 - 0.05 / 3))


def found(method, kind, bits, stderr=0.1, **more):
    nats, error = bits_to_nats(bits), bits_to_nats(stderr)
    interval = Interval(nats - 2 * error, nats + 2 * error, 0.95)
    return Estimate(method, kind, nats, error, interval, **more)


LOWER = found("dv", "lower bound", 1.0)
UPPER = found("club", "upper bound", 1.5)
POINT = found("ksg", "point estimate", 1.2)


def test_blocks_keep_the_order_and_asymptotic_bounds_certify_nothing():
    asymptotic = found("nt_xent", "asymptotic lower bound", 3.0)
    joint = agreement([POINT, UPPER, LOWER, asymptotic])
    assert joint.lower == (LOWER,)
    assert joint.upper == (UPPER,)
    assert joint.points == (POINT, asymptotic)
    assert joint.at_least.nats == pytest.approx(bits_to_nats(1.0 - 0.1 * Z95))


def test_limits_are_one_sided_and_corrected_for_their_number():
    tight = found("nwj", "lower bound", 0.98, 0.02)
    joint = agreement([LOWER, tight, found("mine", "lower bound", 0.2)])
    assert joint.at_least.method == "nwj"
    assert joint.at_least.nats == pytest.approx(bits_to_nats(0.98 - 0.02 * Z983))
    assert "0.937 bits (95%, one-sided, of 3 lower bounds, Bonferroni)" in joint.sentence()
    both = agreement([UPPER, found("leave_one_out", "upper bound", 1.45)])
    assert both.at_most.nats == pytest.approx(bits_to_nats(1.45 + 0.1 * Z975))


def test_both_ends_in_one_line():
    text = agreement([LOWER, POINT, UPPER]).sentence()
    assert text == (
        "jointly: at least 0.836 bits (95%, one-sided, lower bound dv)"
        " and at most 1.664 bits (upper bound club)"
    )


def test_a_known_entropy_allows_no_more():
    joint = agreement([found("class_posterior", "lower bound", 0.9, entropy_nats=bits_to_nats(1.0)), UPPER])
    assert (joint.at_most.method, joint.at_most.nats) == ("entropy", bits_to_nats(1.0))
    # An entropy that was estimated bounds nothing.
    assert agreement([found("discrete", "point estimate", 0.9, entropy_nats=0.5)]).at_most is None


def test_contradictions_are_said():
    joint = agreement([found("dv", "lower bound", 3.0), UPPER, POINT])
    assert joint.contradicts
    assert joint.sentence().startswith("contradiction: at least 2.836 bits")
    assert "but at most 1.664 bits" in joint.sentence()
    assert joint.outside == ()


def test_overlapping_intervals_are_no_contradiction():
    assert not agreement([found("dv", "lower bound", 1.6), UPPER]).contradicts


@pytest.mark.parametrize(("bits", "outside"), [(0.3, ("ksg",)), (0.7, ()), (1.2, ()), (2.5, ("ksg",))])
def test_point_estimates_outside_are_named(bits, outside):
    joint = agreement([LOWER, UPPER, found("ksg", "point estimate", bits)])
    assert joint.outside == outside
    assert joint.sentence().endswith("outside of it: ksg") == bool(outside)


def test_point_estimates_alone_certify_nothing():
    joint = agreement([POINT])
    assert joint.at_least is joint.at_most is None
    assert "nothing is certified" in joint.sentence()


def test_noisy_rows_bound_only_noisy_rows():
    noisy = [
        found("pairwise_lower", "lower bound", 0.4, settings={"noise_variance": 0.1}),
        found("pairwise_upper", "upper bound", 0.5, settings={"noise_variance": 0.1}),
    ]
    assert agreement(noisy).at_most.method == "pairwise_upper"
    assert agreement([LOWER, *noisy]).at_most is None
    assert not agreement([LOWER, *noisy]).contradicts


def test_a_bound_without_an_error_sets_no_limit():
    assert agreement([Estimate("dv", "lower bound", 1.0)]).at_least is None


def test_json_carries_the_same():
    joint = agreement([LOWER, UPPER, POINT])
    values = json.loads(json.dumps(joint.to_dict(), allow_nan=False))
    assert values["at_least"] == {"bits": pytest.approx(1.0 - 0.1 * Z95), "method": "dv", "of": 1}
    assert values["sentence"] == joint.sentence()
    assert values["contradicts"] is False
