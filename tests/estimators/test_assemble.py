"""One function makes every Estimate: with the interval of its error and the warnings it deserves."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

from mitools.core.errors import InputError
from mitools.core.estimate import EstimateWarning
from mitools.estimators.assemble import MeasuredNats, assemble_estimate
from mitools.estimators.bounds.reading import Reading

FURTHER = (EstimateWarning("small_sample", "rows are few", "give more"),)


def assembled(nats: float = 1.0, stderr: float | None = 0.1, **more: Any) -> Any:
    settings = {"method": "m", "kind": "lower bound", "n_report": 9, "seconds": 2.0, "settings": {"seed": 0}}
    return assemble_estimate(MeasuredNats(nats, stderr), **(settings | more))


def test_a_reading_becomes_an_estimate_with_its_normal_interval() -> None:
    estimate = assembled(null=MeasuredNats(0.2, 0.1), ceiling=5.0, entropy=3.0, n_train=7, n_select=2)
    assert (estimate.nats, estimate.stderr_nats, estimate.null_nats) == (1.0, 0.1, 0.2)
    assert estimate.interval_nats == pytest.approx((*norm.interval(0.95, 1.0, 0.1), 0.95))
    assert (estimate.ceiling_nats, estimate.entropy_nats) == (5.0, 3.0)
    assert (estimate.n_train, estimate.n_select, estimate.n_report) == (7, 2, 9)
    assert estimate.warnings == ()


def test_what_falls_short_reaches_higher_and_no_lower() -> None:
    interval = assembled(shortfall=0.05).interval_nats
    assert interval == pytest.approx((*(norm.interval(0.95, 1.0, 0.1) + np.array([0, 0.05])), 0.95))
    assert assembled(shortfall=0.05).stderr_nats == 0.1


def test_a_bounds_reading_is_measured_as_it_is() -> None:
    reading = Reading(0.5, np.array([0.1, -0.1]))
    estimate = assemble_estimate(reading, method="dv", kind="lower bound", n_report=2, seconds=0, settings={})
    assert estimate.stderr_nats == reading.stderr


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ceiling": 1.0}, ["saturated"]),
        ({"entropy": 0.9}, ["exceeds_entropy"]),
        ({"train_nats": 2.0, "still_rising": True}, ["overfit", "still_rising"]),
        ({"null": MeasuredNats(1.0, 0.1)}, ["indistinguishable_from_zero"]),
        ({"null": MeasuredNats(1.0, None)}, ["indistinguishable_from_zero"]),
        ({"nats": 0.1}, ["indistinguishable_from_zero"]),
        ({"ceiling": 1.0, "further_warnings": FURTHER}, ["saturated", "small_sample"]),
    ],
)
def test_warnings_follow_from_the_numbers_and_the_methods_own_come_last(
    changes: dict[str, Any], words: list[str]
) -> None:
    assert [warning.word for warning in assembled(**changes).warnings] == words


def test_without_a_standard_error_there_is_no_interval_and_no_warning_but_the_methods_own() -> None:
    estimate = assembled(stderr=None, ceiling=1.0, null=MeasuredNats(2.0, None), further_warnings=FURTHER)
    assert estimate.interval_nats is None
    assert estimate.null_nats == 2.0
    assert estimate.warnings == FURTHER


def test_a_reading_that_is_not_finite_is_refused() -> None:
    with pytest.raises(InputError, match="m: the standard error is inf"):
        assembled(stderr=float("inf"))
