"""The table of measures: complete, true to the tables it names, and light."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from mitools.auditing.cells import CELLS
from mitools.core.errors import InputError
from mitools.estimators.neural.methods import VARIATIONAL_METHODS
from mitools.estimators.registry import ESTIMATORS
from mitools.measures.audit_columns import AUDIT_MEASURES
from mitools.measures.registry import (
    CRITIC_METHODS,
    LABEL_ESTIMATORS,
    MEASURES,
    METRICS,
    PAIRINGS,
    find_measure,
    known_measure,
)


def test_listing_measures_imports_no_library() -> None:
    heavy = "{'torch', 'sklearn', 'scipy', 'pandas', 'matplotlib', 'timm'}"
    code = f"import sys; from mitools.measures.registry import MEASURES; print({heavy} & set(sys.modules))"
    command = [sys.executable, "-P", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=Path(sys.prefix))
    assert done.stdout.strip() == "set()"


def test_names_of_methods_are_those_of_the_estimators() -> None:
    assert tuple(VARIATIONAL_METHODS) == CRITIC_METHODS
    compare_with_labels = {name for name, method in ESTIMATORS.items() if method.needs_labels}
    of_symbols_alone = {"nsb", "predictive_coding"}  # features are none
    assert all(ESTIMATORS[name].needs_symbols for name in of_symbols_alone)
    measured = {*LABEL_ESTIMATORS, "class_posterior", "label_information"}
    assert measured == compare_with_labels - of_symbols_alone
    asked_for = {measure.estimator for measure in MEASURES.values() if measure.estimator}
    assert asked_for <= set(ESTIMATORS)


def test_every_measure_is_computed_by_a_function_that_is_there() -> None:
    for measure in MEASURES.values():
        if measure.computation is None:
            assert measure.tables == ("plane",)
            continue
        module, _, name = measure.computation.function.partition(":")
        assert callable(getattr(import_module(module), name)), measure.name


def test_every_column_of_an_audit_is_asked_for_in_one_cell() -> None:
    asked = [name for names in CELLS.values() for name in names]
    assert sorted(asked) == sorted(measure.name for measure in AUDIT_MEASURES)
    assert list(MEASURES)[: len(AUDIT_MEASURES)] == [measure.name for measure in AUDIT_MEASURES]


def test_facts_are_stated() -> None:
    for name, measure in MEASURES.items():
        assert measure.name == name
        assert measure.what
        assert measure.source
        assert "\n" not in measure.what
        assert (measure.unit == "bits") == (measure.kind != "metric"), name
        assert measure.tables
        assert measure.range
        assert measure.cost
    lower = {name for name, measure in MEASURES.items() if not measure.higher_is_better}
    assert lower == {
        "alignment", "alignment_simclr", "uniformity", "control_i_class", "constant_dims", "dead_units",
        "duplicate_rows", "nonfinite_rows", "redundancy", "total_correlation",
        "alpha_req", "nc1", "nc2_norms", "nc2_angles", "nc3", "nc4", "code_length",
        "surplus_description_length", "sample_complexity",
    }  # fmt: skip
    needs_views = {name for name, measure in MEASURES.items() if measure.needs_views}
    assert {"i_simclr", "i_simclr_head", "alignment_simclr", "simclr:dv"} <= needs_views
    assert not MEASURES["uniformity"].needs_labels
    assert [MEASURES[name].direction for name in ("rankme", "nc1", "alpha_req")] == [
        "higher",
        "lower",
        "near 1",
    ]
    assert MEASURES["lidar_simclr"].needs == ("views",)
    assert MEASURES["tolerance"].needs_labels


def test_a_study_finds_measures_by_pairing_and_estimator() -> None:
    assert PAIRINGS == ("same_class", "labels", "simclr")
    found = {
        ("same_class", "class_posterior"): "i_class",
        ("same_class", "infonce"): "i_class_infonce",
        ("simclr", "infonce"): "i_simclr",
        ("labels", "label_information"): "label_information",
        ("same_class", "smile"): "same_class:smile",
    }
    for (pairing, estimator), name in found.items():
        measure = find_measure(pairing, estimator)
        assert measure is not None
        assert measure.name == name
    assert find_measure("labels", "infonce") is None
    assert find_measure("same_class", "ksg") is None
    assert "linear_acc" in METRICS
    assert "i_class" not in METRICS


def test_an_unknown_measure_is_named_with_the_nearest() -> None:
    assert known_measure("uniformity").pairing == "items"
    with pytest.raises(InputError, match=r"unknown measure 'uniformty'; did you mean .*uniformity"):
        known_measure("uniformty")
