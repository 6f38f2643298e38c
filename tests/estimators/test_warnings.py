"""Every word of care has numbers that provoke it and numbers that do not."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from mitools.core.estimate import Interval
from mitools.estimators.warnings import find_warnings, one_sided_low, two_sided

SOUND: dict[str, Any] = {
    "interval": Interval(0.9, 1.1, 0.95),
    "nats": 1.0,
    "null": Interval(-0.1, 0.1, 0.95),
    "ceiling": 2.0,
    "entropy": 1.2,
    "train_nats": 1.1,
    "still_rising": False,
}


def words(**changes: Any) -> list[str]:
    return [warning.word for warning in find_warnings(**(SOUND | changes))]


def test_a_sound_reading_needs_no_care() -> None:
    assert words() == []
    assert words(ceiling=None, entropy=None, train_nats=None) == []


@pytest.mark.parametrize(
    ("word", "provoking", "harmless"),
    [
        ("saturated", {"ceiling": 1.11}, {"ceiling": 1.12}),
        ("exceeds_entropy", {"entropy": 0.999}, {"entropy": 1.0}),
        ("exceeds_entropy", {"entropy": 1.0 - 2e-6}, {"entropy": 1.0 - 1e-7}),
        (
            "indistinguishable_from_zero",
            {"null": Interval(0, 0.9, 0.95)},
            {"null": Interval(0, 0.89, 0.95)},
        ),
        ("overfit", {"train_nats": 1.26}, {"train_nats": 1.24}),
        ("overfit", {"train_nats": 0.79}, {"train_nats": 0.81}),
        ("still_rising", {"still_rising": True}, {"still_rising": False}),
    ],
)
def test_a_word_is_said_when_it_is_true_and_only_then(
    word: str, provoking: dict[str, Any], harmless: dict[str, Any]
) -> None:
    assert words(**provoking) == [word]
    assert all(warning.remedy for warning in find_warnings(**(SOUND | provoking)))
    assert words(**harmless) == []


@pytest.mark.parametrize("raise_it", [True, False])
def test_more_pairs_are_asked_for_where_they_raise_the_ceiling(raise_it: bool) -> None:
    (warning,) = find_warnings(**(SOUND | {"ceiling": 1.05, "pairs_raise_ceiling": raise_it}))
    assert ("more pairs" in warning.remedy) == raise_it
    assert "take a method with a higher ceiling" in warning.remedy


def test_no_disagreement_between_two_readings_of_nothing() -> None:
    nothing = {"interval": Interval(-0.01, 0.01, 0.95), "nats": 0.001, "ceiling": None}
    assert words(**nothing, train_nats=0.009) == ["indistinguishable_from_zero"]
    assert words(**nothing, train_nats=0.02) == ["indistinguishable_from_zero", "overfit"]
    assert words(**(nothing | {"nats": 0.0}), train_nats=0.0) == ["indistinguishable_from_zero"]


def test_intervals_are_the_normal_ones() -> None:
    interval = two_sided(1.0, 0.1)
    assert interval == pytest.approx((*norm.interval(0.95, 1.0, 0.1), 0.95), rel=1e-9)
    assert one_sided_low(1.0, 0.1) == pytest.approx(norm.ppf(0.05, 1.0, 0.1), rel=1e-9)


def test_ninety_five_percent_of_normal_readings_lie_above_their_lower_limit() -> None:
    readings = np.random.default_rng(0).normal(1.0, 0.1, 20_000)
    below = np.mean([one_sided_low(reading, 0.1) < 1.0 for reading in readings])
    assert below == pytest.approx(0.95, abs=0.005)
