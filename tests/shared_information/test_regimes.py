"""Regimes are named by what the intervals allow, and by nothing else."""

from dataclasses import replace

import pytest

from mitools.core.entropy import bits_to_nats
from mitools.core.estimate import Estimate, EstimateWarning, Interval
from mitools.shared_information import measure
from mitools.shared_information.readings import LabelReading
from mitools.shared_information.regimes import regime_of

EQUAL = Interval(-0.1, 0.1, 0.95)


def estimate(low, high, entropy=None, warnings=()):
    middle = bits_to_nats((low + high) / 2)
    return Estimate(
        "infonce",
        "lower bound",
        middle,
        interval_nats=Interval(bits_to_nats(low), bits_to_nats(high), 0.95),
        entropy_nats=None if entropy is None else bits_to_nats(entropy),
        warnings=warnings,
    )


IMAGE = estimate(1.9, 2.1, entropy=2.5)
SAME_LABEL = estimate(1.7, 1.9)


def regime(shared, lacks=(EQUAL, EQUAL), shared_up_to=0.0, image_up_to=0.0, image=IMAGE):
    """Name the regime where upper ends, in bits, lie above those of the intervals."""
    if shared_up_to is not None:
        shared_up_to = max(shared.interval_nats.high, bits_to_nats(shared_up_to))
    image_up_to = max(image.interval_nats.high, bits_to_nats(image_up_to))
    return regime_of(shared, shared_up_to, image, image_up_to, SAME_LABEL, lacks)


@pytest.mark.parametrize(
    ("shared", "lacks", "name"),
    [
        (estimate(1.8, 2.0), (EQUAL, EQUAL), "sweet spot"),
        (estimate(1.8, 2.0), (EQUAL, Interval(0.3, 0.6, 0.95)), "missing information"),
        (estimate(1.0, 1.2), (EQUAL, EQUAL), "missing information"),
        (estimate(4.0, 4.2), (EQUAL, EQUAL), "excess"),
        (estimate(4.0, 4.2), (Interval(0.3, 0.6, 0.95), EQUAL), "missing information and excess"),
        # The intervals touch: nothing is told apart.
        (estimate(2.05, 2.4), (EQUAL, EQUAL), "sweet spot"),
        (estimate(2.15, 2.4), (EQUAL, EQUAL), "excess"),
        # A twentieth less than two images of one label.
        (estimate(1.4, 1.6), (EQUAL, EQUAL), "missing information"),
        (estimate(1.4, 1.63), (EQUAL, EQUAL), "sweet spot"),
        # Less than the image says of the label, but as much as two images of one label share.
        (estimate(1.75, 1.85), (EQUAL, EQUAL), "sweet spot"),
        # A twentieth of 2 bits is what two fits of one view may differ by.
        (estimate(1.8, 2.0), (EQUAL, Interval(0.09, 0.2, 0.95)), "sweet spot"),
        (estimate(1.8, 2.0), (EQUAL, Interval(0.11, 0.2, 0.95)), "missing information"),
    ],
)
def test_regimes(shared, lacks, name):
    assert regime(shared, lacks).name == name


def test_no_view_lacks_more_than_there_is_of_the_label(monkeypatch):
    monkeypatch.setattr(measure, "difference_interval", lambda *of: Interval(1.0, 3.1, 0.95))
    image = LabelReading([IMAGE], [2.1], None, None)
    assert measure._lack(image, image) == Interval(1.0, 2.5, 0.95)
    unknown = image._replace(estimates=[estimate(1.9, 2.1)])
    assert measure._lack(unknown, image) == Interval(1.0, 3.1, 0.95)


def test_missing_is_claimed_of_no_views_that_may_share_enough_with_more_images():
    shares = estimate(1.0, 1.2)
    assert regime(shares, shared_up_to=1.6).name == "missing information"
    assert "share 1.00 to 1.60 bits, less than" in regime(shares, shared_up_to=1.6).sentence
    assert regime(shares, shared_up_to=1.65).name == "sweet spot"
    assert regime(shares, shared_up_to=None).name == "sweet spot"
    assert "share 1.00 bits or more, beside" in regime(shares, shared_up_to=None).sentence


def test_excess_is_claimed_above_all_that_the_image_may_say_with_more_images():
    shares = estimate(2.3, 2.4)
    assert regime(shares, shared_up_to=None, image_up_to=2.25).name == "excess"
    excess = regime(shares, image_up_to=2.25).sentence
    assert "at least 0.05 bits more than such networks may read of the label" in excess
    assert "(1.90 to 2.25)" in excess
    assert regime(shares, image_up_to=2.35).name == "sweet spot"


@pytest.mark.parametrize("shared", [estimate(1.8, 2.0), estimate(4.0, 4.2)], ids=["sweet spot", "excess"])
def test_fits_that_were_still_rising_are_told(shared):
    rising = replace(shared, warnings=(EstimateWarning("still_rising", "it was"),))
    end = "; fits were still improving when their steps ended"
    assert regime(rising).sentence == regime(shared).sentence + end
    assert "improving" not in regime(shared).sentence
    of_image = replace(IMAGE, warnings=rising.warnings)
    assert "fits were still improving" in regime(shared, image=of_image).sentence


@pytest.mark.parametrize("kind", ["point estimate", "upper bound", "asymptotic lower bound"])
def test_what_is_no_lower_bound_judges_nothing(kind):
    assert regime(replace(estimate(4.0, 4.2), kind=kind)).name == "cannot be told"


def test_without_an_interval_nothing_is_said():
    without = replace(estimate(4.0, 4.2), interval_nats=None)
    assert regime_of(without, None, IMAGE, 2.0, SAME_LABEL, (EQUAL, EQUAL)).name == "cannot be told"
    image = replace(IMAGE, interval_nats=None)
    found = regime_of(estimate(4.0, 4.2), None, image, 2.0, SAME_LABEL, (EQUAL, EQUAL))
    assert found.name == "cannot be told"


def test_what_is_missing_is_said_of_what_networks_read():
    said = regime(estimate(1.8, 2.0), (EQUAL, Interval(0.39, 0.72, 0.95))).sentence
    assert said == "such networks read 0.39 to 0.72 bits less of the label off view 2 than off the image"


def test_what_lies_beyond_the_label_is_said_apart():
    assert ", and at least 1.50 more than the label's entropy" in regime(estimate(4.0, 4.2)).sentence


def test_nothing_is_said_where_the_label_is_not_read_off_the_images():
    nothing = EstimateWarning("indistinguishable_from_zero", "the interval reaches 0")
    image = estimate(-0.1, 0.1, entropy=2.5, warnings=(nothing,))
    assert regime(estimate(4.0, 4.2), image=image).name == "cannot be told"
