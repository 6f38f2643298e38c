"""The Estimate and its JSON record."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mitools.core.errors import InputError
from mitools.core.estimate import Estimate, EstimateWarning, Interval

DESIGNED_KEYS = [
    *["method", "kind", "bits", "nats", "stderr_bits", "low_bits", "high_bits", "confidence"],
    *["ceiling_bits", "entropy_bits", "null_bits", "n_train", "n_select", "n_report"],
    *["seconds", "settings", "warnings"],
]

ESTIMATE = Estimate(
    method="infonce",
    kind="lower bound",
    nats=0.7,
    stderr_nats=0.01,
    interval_nats=Interval(0.68, 0.72, 0.95),
    ceiling_nats=math.log(2000),
    entropy_nats=math.log(10),
    null_nats=-0.001,
    n_train=6500,
    n_select=1500,
    n_report=2000,
    seconds=1.5,
    settings={"seed": 0, "hidden": [256, 256], "critic": "separable", "classifier": None},
    warnings=(EstimateWarning("saturated", "the reading is 95% of the ceiling"),),
)
BARE = Estimate("binned", "point estimate", 0.1)

quantities = st.floats(-1e3, 1e3).filter(lambda value: value == 0 or abs(value) > 1e-300)


def test_the_record_has_the_designs_keys_in_bits() -> None:
    record = ESTIMATE.to_dict()
    assert list(record) == DESIGNED_KEYS
    assert record["bits"] == 0.7 / math.log(2)
    assert record["high_bits"] == pytest.approx(0.72 / math.log(2), rel=1e-15)
    assert record["ceiling_bits"] == pytest.approx(math.log2(2000), rel=1e-15)
    assert record["warnings"] == [{"word": "saturated", "sentence": "the reading is 95% of the ceiling"}]


@pytest.mark.parametrize("estimate", [ESTIMATE, BARE])
def test_the_record_survives_json_to_the_last_digit(estimate: Estimate) -> None:
    read = Estimate.from_json(estimate.to_json())
    assert read.to_json() == estimate.to_json()
    assert read.nats == estimate.nats
    assert (read.n_train, read.settings, read.warnings) == (
        estimate.n_train,
        estimate.settings,
        estimate.warnings,
    )


@given(quantities, st.none() | quantities, st.none() | st.tuples(quantities, quantities))
def test_no_number_drifts_through_json(
    nats: float, other: float | None, limits: tuple[float, float] | None
) -> None:
    interval = Interval(*limits, 0.95) if limits else None
    estimate = replace(BARE, nats=nats, stderr_nats=other, null_nats=other, interval_nats=interval)
    read = Estimate.from_json(estimate.to_json())
    assert read.to_json() == estimate.to_json()
    assert read.nats == nats
    if other is None:
        assert read.stderr_nats is None
    else:
        assert read.stderr_nats == pytest.approx(other, rel=3e-16, abs=0)
    if interval is None:
        assert read.interval_nats is None
    else:
        assert read.interval_nats == pytest.approx(interval, rel=3e-16, abs=0)


def test_a_missing_and_an_unknown_key_are_both_named() -> None:
    record = ESTIMATE.to_dict()
    del record["kind"]
    record["flavour"] = "strange"
    with pytest.raises(InputError, match="lacks kind and has unknown flavour"):
        Estimate.from_dict(record)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "null"])
def test_text_that_is_no_record_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="no estimate"):
        Estimate.from_json(text)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("kind", "exact"),
        ("nats", "much"),
        ("high_bits", None),
        ("stderr_bits", "small"),
        ("warnings", [{"word": "saturated"}]),
        ("warnings", 3),
    ],
)
def test_a_value_of_the_wrong_sort_is_refused(key: str, value: Any) -> None:
    with pytest.raises(InputError, match="no estimate"):
        Estimate.from_dict(ESTIMATE.to_dict() | {key: value})


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["nats", "stderr_nats", "ceiling_nats", "entropy_nats", "null_nats"])
def test_a_number_that_is_not_finite_is_an_error(name: str, bad: float) -> None:
    with pytest.raises(InputError, match=r"infonce: the .* is -?(nan|inf)"):
        replace(ESTIMATE, **{name: bad})


def test_an_interval_that_is_not_finite_is_an_error() -> None:
    with pytest.raises(InputError, match="upper limit is inf"):
        replace(ESTIMATE, interval_nats=Interval(0.1, math.inf, 0.95))


def test_json_with_nan_is_refused() -> None:
    with pytest.raises(InputError, match="reading is nan"):
        Estimate.from_json(json.dumps(ESTIMATE.to_dict() | {"nats": math.nan}))


def test_a_kind_is_one_of_four() -> None:
    with pytest.raises(ValueError, match="lower bound, asymptotic lower bound, upper bound, point estimate"):
        replace(ESTIMATE, kind="exact")


def test_a_number_is_flagged_and_never_clipped() -> None:
    assert replace(ESTIMATE, nats=-0.3).bits == -0.3 / math.log(2)
    assert replace(ESTIMATE, nats=5.0).bits == 5.0 / math.log(2)
    assert ESTIMATE.has_warning("saturated")
    assert not ESTIMATE.has_warning("overfit")


def test_a_notebook_shows_a_small_table_with_every_character_as_it_is() -> None:
    shown = replace(ESTIMATE, method="<b>mine</b>")._repr_html_()
    assert shown.startswith("<table>")
    assert "&lt;b&gt;mine&lt;/b&gt;" in shown
    assert "<b>" not in shown
    for text in ("1.010", "lower bound", "95% interval", "0.981 to 1.039", "10.966", "saturated", "6,500"):
        assert text in shown
    bare = BARE._repr_html_()
    assert "interval" not in bare
    assert "ceiling" not in bare


def test_an_estimate_is_no_bare_number() -> None:
    with pytest.raises(TypeError, match=r"take \.bits or \.nats"):
        float(ESTIMATE)


def test_one_line_for_people_says_what_the_number_is() -> None:
    line = str(ESTIMATE)
    assert line.startswith("infonce: 1.010 bits (lower bound, 95% interval 0.981 to 1.039, ceiling 10.966")
    assert line.endswith("[saturated]")
    assert str(BARE) == "binned: 0.144 bits (point estimate)"
    assert str(ESTIMATE.warnings[0]) == "saturated: the reading is 95% of the ceiling"


def test_a_remedy_is_kept_and_a_document_without_one_is_read() -> None:
    warning = EstimateWarning("saturated", "the reading is 95% of the ceiling", "report more pairs")
    warned = replace(ESTIMATE, warnings=(warning,))
    assert warned.to_dict()["warnings"][0]["remedy"] == "report more pairs"
    assert Estimate.from_json(warned.to_json()).warnings == (warning,)
    assert str(warning) == "saturated: the reading is 95% of the ceiling; report more pairs"
    assert Estimate.from_json(ESTIMATE.to_json()).warnings[0].remedy == ""
