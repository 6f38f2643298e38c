"""Measures on demand: which words mean which, what they lack, and numbers that are not defined."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mitools
from mitools.auditing.cells import GROUPS
from mitools.cli.main import run
from mitools.core.errors import InputError
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.class_information.certificate_folds import certificate_splits
from mitools.measures.compute import measure
from mitools.measures.further import v_information
from mitools.measures.further.selection import selected_measures
from mitools.measures.registry import MEASURES
from mitools.measures.representation import Representation
from mitools.metrics.spectrum.rankme import rankme
from mitools.metrics.spectrum.singular_values import Spectrum

RNG = np.random.default_rng(0)
LABELS = RNG.permutation(np.arange(240) % 3)
ROWS = (2 * np.eye(6)[LABELS] + RNG.standard_normal((240, 6))).astype(np.float32)


def chosen(*words: str, views: bool = False) -> tuple[str, ...]:
    return selected_measures(words, GROUPS, views)


def test_words_mean_measures() -> None:
    assert chosen("rankme", "nc1") == ("rankme", "nc1")
    assert chosen("spectrum") == GROUPS["spectrum"]
    assert chosen("nmi") == (), "every audit has it"
    quick, everything = chosen("quick", views=True), chosen("all", views=True)
    assert set(quick) == {name for name, one in MEASURES.items() if one.quick}
    assert set(everything) == {name for names in GROUPS.values() for name in names}
    assert "lidar_simclr" in quick
    assert "lidar_simclr" not in chosen("all")


def test_an_unknown_measure_is_named_with_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown measures 'rankmee'; did you mean rankme"):
        chosen("rankmee")


def test_views_that_are_not_there_are_one_line() -> None:
    for asked in ("lidar_simclr", "lidar"):
        with pytest.raises(InputError, match=r"^lidar_simclr reads features of augmented views.*--pairing"):
            chosen(asked)
    with pytest.raises(InputError, match=r"^lidar_simclr reads features of augmented views"):
        mitools.audit(ROWS, (ROWS, LABELS), measures="lidar_simclr", progress=False)
    with pytest.raises(InputError, match=r"add .*views= to measure_features"):
        mitools.measure_features(ROWS, measures="lidar_simclr")


def test_labels_that_are_not_there_are_one_line() -> None:
    unlabelled = Representation.of_arrays(ROWS, None)
    for name in ("logme", "i_class"):
        with pytest.raises(InputError, match=f"^{name} reads labels, which are not given") as caught:
            measure([name], unlabelled)
        assert "\n" not in str(caught.value)
    assert measure(["rankme"], unlabelled)["rankme"] == rankme(Spectrum.of(ROWS))


def test_features_in_memory_are_measured_with_what_is_there() -> None:
    bare = mitools.measure_features(ROWS)
    assert set(bare["measure"]) == {*GROUPS["spectrum"], "two_nn", "cluster_learnability"}
    views = ROWS[:, None] + 0.1 * RNG.standard_normal((240, 2, 6)).astype(np.float32)
    full = mitools.measure_features(ROWS, LABELS, views=views, measures=["quick", "i_class"])
    assert {*chosen("quick", views=True), "i_class"} == set(full["measure"])
    row = full.set_index("measure").loc["i_class"]
    assert row["low"] < row["value"] < row["high"]
    assert full["value"].notna().all()
    with pytest.raises(InputError, match="logme reads labels"):
        mitools.measure_features(ROWS, measures=["logme"])
    with pytest.raises(InputError, match="nc1 reads labels"):
        mitools.measure_features(ROWS, measures="neural_collapse")
    with pytest.raises(InputError, match="unknown measures 'nc5'"):
        mitools.measure_features(ROWS, LABELS, measures="nc5")


def test_an_audit_has_the_columns_that_are_asked_for_and_correlates_them() -> None:
    encoders = {"good": ROWS, "noise": RNG.standard_normal((240, 6)), "half": ROWS[:, :2]}
    asked = ["logme", "alpha_req", "nc1"]
    audit = mitools.audit(
        encoders, (ROWS, LABELS), measures=asked, critic=False, control=False, progress=False
    )
    assert set(asked) <= set(audit.table)
    assert not {"rankme", "nc2_norms", "nc4"} & set(audit.table), "of the same fits, and not asked for"
    direct = mitools.measure_features(ROWS, LABELS, measures=asked).set_index("measure")["value"]
    assert audit.table.loc[0, asked].tolist() == direct[asked].tolist()
    correlated = audit.correlation.set_index("column")
    assert {"logme", "nc1"} <= set(correlated.index)
    assert "alpha_req" not in correlated.index, "best between its ends"
    assert correlated.loc["nc1", "sign"] == -1


def test_what_is_not_defined_has_no_number_and_a_warning() -> None:
    dead = Representation.of_arrays(np.ones((240, 3)), LABELS)
    found = measure(["rankme", "alpha_req", "nc1", "two_nn"], dead)
    assert list(found.numbers) == ["rankme"]
    assert all(found.warnings[name] == ["undefined"] for name in ("alpha_req", "nc1", "two_nn"))
    audit = mitools.audit(
        np.ones((240, 3)), (ROWS, LABELS), measures="quick", critic=False, control=False, progress=False
    )
    assert "nc1: undefined" in audit.table["warnings"][0]
    assert "nc1" not in audit.table


def test_a_loss_that_is_never_reached_is_told() -> None:
    words = [
        measure(["sample_complexity"], Representation.of_arrays(rows, LABELS)).warnings
        for rows in (RNG.standard_normal((240, 3)), np.eye(3)[LABELS])
    ]
    assert words[0]["sample_complexity"] == ["epsilon_not_reached"]
    assert "sample_complexity" not in words[1]


def test_a_loss_that_the_first_labels_reach_is_told() -> None:
    labels = np.arange(240) % 2
    found = measure(
        ["sample_complexity"], Representation.of_arrays(np.repeat(np.eye(2)[labels], 500, axis=1), labels)
    )
    assert found.numbers["sample_complexity"] == 4, "two a class, the least that is tried"
    assert found.warnings["sample_complexity"] == ["epsilon_reached_at_once"]


def test_neighbours_compare_a_share_of_every_class_where_items_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    labels = np.repeat(np.arange(3), (900, 90, 10))
    items = np.flatnonzero(np.arange(1000) % 10 != 9)
    some = v_information._at_most(items, labels, 90, seed=0)
    assert np.bincount(labels[some]).tolist() == [81, 8, 2]
    assert (np.diff(some) > 0).all()
    assert set(some) <= set(items)
    assert v_information._at_most(items, labels, 900, seed=0) is items
    whole = measure(["v_information_neighbours"], Representation.of_arrays(ROWS, LABELS)).numbers
    monkeypatch.setattr(v_information, "MOST_TRAINING", 90)
    monkeypatch.setattr(v_information, "MOST_REPORTED", 30)
    part = measure(["v_information_neighbours"], Representation.of_arrays(ROWS, LABELS)).numbers
    found, truth = part["v_information_neighbours"], whole["v_information_neighbours"]
    assert found.n_report == 150, "30 of each of five folds"
    assert abs(found.bits - truth.bits) < 0.3 < truth.bits


def test_v_information_is_label_information_of_another_family() -> None:
    from sklearn.neighbors import KNeighborsClassifier

    found = measure(["v_information_neighbours"], Representation.of_arrays(ROWS, LABELS))
    by_hand = LabelInformation(KNeighborsClassifier(20, algorithm="brute")).fit(
        ROWS, LABELS, certificate_splits(LABELS, 0)
    )
    assert found["v_information_neighbours"].nats == by_hand.estimate_.nats
    assert found["v_information_neighbours"].kind == "lower bound"


def test_an_exclusive_or_is_information_for_a_network_and_none_for_lines() -> None:
    rng = np.random.default_rng(0)
    corners = rng.integers(0, 2, (600, 2))
    rows = (2 * corners - 1 + 0.1 * rng.standard_normal((600, 2))).astype(np.float32)
    names = ["v_information_mlp", "label_information"]
    found = measure(names, Representation.of_arrays(rows, corners.sum(axis=1) % 2))
    assert 0.95 < found["v_information_mlp"].bits <= 1.0
    assert abs(found["label_information"].bits) < 0.05


def test_measures_are_listed_with_their_facts(capsys: Any) -> None:
    assert run(["measures", "list", "nc*"]) == 0
    text = capsys.readouterr().out
    assert "nc2_angles" in text
    assert "Papyan" in text
    assert "rankme" not in text
    assert run(["measures", "list", "lidar*", "--json"]) == 0
    (fact,) = json.loads(capsys.readouterr().out)
    assert (fact["direction"], fact["needs"], fact["quick"]) == ("higher", ["views"], True)
    assert run(["measures", "list", "rankmee"]) == 1
    assert "nothing is called 'rankmee'" in capsys.readouterr().err


def test_the_command_prints_what_was_asked_for(tmp_path: Path, capsys: Any) -> None:
    np.savez(tmp_path / "rows.npz", features=ROWS, labels=LABELS)
    command = ["audit", "--encoder", f"features:{tmp_path / 'rows.npz'}", "--no-critic", "--no-control"]
    assert run([*command, "--measures", "rankme", "--out", str(tmp_path / "out")]) == 0
    assert "rankme" in capsys.readouterr().out
    assert run([*command, "--measures", "rankmee", "--out", str(tmp_path / "other")]) == 2
    error = capsys.readouterr().err.strip()
    assert "did you mean rankme" in error
    assert "\n" not in error
