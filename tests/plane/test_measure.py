"""What a plane holds: against estimators called by hand, cell by cell, whatever fails beside."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.open import open_encoder
from mitools.estimators.class_information.certificate import LabelInformation
from mitools.estimators.classical.pairwise_bounds import PairwiseUpperBound
from mitools.features.extract import extract_layers
from mitools.features.store import FeatureStore
from mitools.plane import measure, methods
from mitools.plane.checkpoints import checkpoints_of_run, checkpoints_of_specs
from mitools.plane.measure import COLUMNS, Plane, measure_plane
from mitools.plane.methods import PLANE_METHODS
from mitools.plane.settings import PlaneSettings

QUICK = PlaneSettings(
    critic_steps=10, protocol_steps=5, protocol_hidden=8, input_components=8, neighbour_components=2
)
DIGITS = {"source": "digits?limit=120", "few": "digits?classes=0,1,2&limit=60"}


def measured(run: Path, out: Path, *names: str, data: dict[str, str] | None = None, **further: Any) -> Plane:
    opened = {name: open_data(spec) for name, spec in (data or DIGITS).items()}
    options: dict[str, Any] = {"settings": QUICK, "methods": names} | further
    return measure_plane(
        checkpoints_of_run(run), opened, out=out, store=FeatureStore(out / "store"), **options
    )


def one(table: pd.DataFrame, **where: Any) -> pd.Series:
    for column, value in where.items():
        table = table[table[column] == value]
    assert len(table) == 1
    return table.iloc[0]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where :func:`every` is kept."""
    return tmp_path_factory.mktemp("every")


@pytest.fixture(scope="module")
def every(shared_run: Path, folder: Path) -> Plane:
    """All methods on two layers."""
    return measured(shared_run, folder, *PLANE_METHODS, layers=["second", "first"])


def test_every_method_reads_every_layer_checkpoint_and_data_set(every: Plane) -> None:
    table = every.table
    assert not every.failures
    assert tuple(table.columns) == COLUMNS
    readings = {
        "I(X;T)": {
            "infonce", "ksg", "binned", "pairwise_upper", "pairwise_lower", "ctc_in_sample", "ctc_held_out",
        },
        "I(T;Y)": {
            "label_information", "class_posterior", "mine", "mixed_ksg", "binned", "pairwise_upper",
            "pairwise_lower", "ctc_in_sample", "ctc_held_out",
        },
    }  # fmt: skip
    for quantity, names in readings.items():
        assert set(table.loc[table["quantity"] == quantity, "method"]) == names
    assert len(table) == 3 * 2 * 2 * sum(map(len, readings.values()))
    assert set(table["layer"]) == {"first", "second"}
    assert dict(table.groupby("data")["role"].first()) == {"source": "source", "few": "target"}
    assert dict(table.groupby("epoch")["stage"].first()) == {
        0: "aggregation", 1: "aggregation", 3: "revitalisation"
    }  # fmt: skip
    assert (table["low_bits"] <= table["bits"]).all()
    assert (table["bits"] <= table["high_bits"]).all()


def test_finite_readings_of_the_input_say_what_they_measure(every: Plane) -> None:
    of_input = every.table["quantity"] == "I(X;T)"
    assert every.table.loc[of_input, "measures"].str.contains("I\\(X;T\\) is infinite").all()
    assert (every.table.loc[~of_input, "measures"] == "").all()
    by_method = every.table[of_input].groupby("method")["measures"].first()
    assert "noise of variance 0.1" in by_method["pairwise_upper"]
    assert "30 bins of equal width" in by_method["binned"]
    assert "5 steps of a critic 8 wide" in by_method["ctc_held_out"]


def test_nulls_are_read_where_a_permutation_says_something(every: Plane) -> None:
    own_input = every.table["method"].isin(["binned", "pairwise_upper", "pairwise_lower"])
    silent = own_input & (every.table["quantity"] == "I(X;T)")
    assert every.table.loc[silent, "null_bits"].isna().all()
    assert every.table.loc[~silent, "null_bits"].notna().all()
    assert not every.table.loc[silent, "warnings"].str.contains("indistinguishable").any()


def test_targets_may_have_fewer_classes(every: Plane) -> None:
    entropies = (
        every.table[every.table["method"] == "label_information"].groupby("data")["entropy_bits"].first()
    )
    assert entropies["few"] == pytest.approx(np.log2(3), abs=1e-3)
    assert entropies["source"] == pytest.approx(np.log2(10), abs=1e-2)


def test_numbers_are_those_of_the_estimators_by_hand(every: Plane, shared_run: Path, tmp_path: Path) -> None:
    data = open_data(DIGITS["few"])
    encoder = open_encoder(f"run:{shared_run}@epoch=1?layers=second")
    rows = extract_layers(encoder, data, store=FeatureStore(tmp_path / "own"))["second"].values[:, 0]
    where = {"epoch": 1, "layer": "second", "data": "few"}
    label = LabelInformation().estimate(rows, data.labels)
    found = one(every.table, method="label_information", **where)
    assert found["bits"] == pytest.approx(label.bits)
    assert found["n"] == label.n_report
    upper = PairwiseUpperBound(0.1).estimate(rows, np.arange(len(rows)))
    found = one(every.table, method="pairwise_upper", quantity="I(X;T)", **where)
    assert found["bits"] == pytest.approx(upper.bits)
    assert found["kind"] == "upper bound"


def test_binning_takes_one_range_for_all_checkpoints(run_folder: Path, tmp_path: Path) -> None:
    """I(X;T) is H(bin(T)) of items that are all different, counted here over the range of the run."""
    found = measured(
        run_folder, tmp_path / "out", "binned", layers=["second"], data={"source": DIGITS["source"]}
    )
    data = open_data(DIGITS["source"])
    layers = []
    for epoch in (0, 1, 3):
        encoder = open_encoder(f"run:{run_folder}@epoch={epoch}?layers=second")
        kept = extract_layers(encoder, data, store=FeatureStore(tmp_path / "own"))
        layers.append(kept["second"].values[:, 0].astype(np.float64))
    edges = np.linspace(min(layer.min() for layer in layers), max(layer.max() for layer in layers), 31)
    for epoch, layer in zip((0, 1, 3), layers, strict=True):
        codes = np.clip(np.digitize(layer, edges) - 1, 0, 29)
        share = np.unique(codes, axis=0, return_counts=True)[1] / len(layer)
        row = one(found.table, epoch=epoch, quantity="I(X;T)")
        assert row["bits"] == pytest.approx(-(share * np.log2(share)).sum(), abs=1e-9)


def test_what_was_read_is_not_read_again(
    every: Plane, shared_run: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, method in PLANE_METHODS.items():
        monkeypatch.setitem(methods.PLANE_METHODS, name, method._replace(read=None))
    again = measured(shared_run, folder, *PLANE_METHODS, layers=["second", "first"])
    assert not again.failures
    pd.testing.assert_frame_equal(every.table, again.table)


def test_a_killed_measurement_loses_the_cells_in_work_alone(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    method = PLANE_METHODS["certificate"]
    calls = []

    def killed(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return method.read(*arguments)

    monkeypatch.setitem(methods.PLANE_METHODS, "certificate", method._replace(read=killed))
    few: dict[str, Any] = {"data": {"source": DIGITS["few"]}, "layers": ["output"]}
    with pytest.raises(KeyboardInterrupt):
        measured(run_folder, tmp_path / "out", "certificate", **few)
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 2
    measured(run_folder, tmp_path / "out", "certificate", **few)
    assert len(calls) == 3 + 1


def test_another_setting_is_another_cell(run_folder: Path, tmp_path: Path) -> None:
    few = {"source": DIGITS["few"]}
    small = measured(run_folder, tmp_path / "out", "kolchinsky_tracey", data=few).table
    large = measured(
        run_folder,
        tmp_path / "out",
        "kolchinsky_tracey",
        data=few,
        settings=replace(QUICK, noise_variance=1.0),
    ).table
    same = small["quantity"] == "I(X;T)"
    assert (large.loc[same, "bits"] < small.loc[same, "bits"]).all()


def test_critics_of_all_checkpoints_are_fitted_together(
    run_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = []
    fit_many = methods.fit_many

    def counted(estimator: Any, problems: Any) -> Any:
        sizes.append(len(problems))
        return fit_many(estimator, problems)

    monkeypatch.setattr(methods, "fit_many", counted)
    measured(run_folder, tmp_path / "out", "infonce", layers=["output"], data={"source": DIGITS["few"]})
    assert sizes == [3]
    monkeypatch.setattr(measure, "NUMBERS_IN_MEMORY", 6 * 60 * 2)
    measured(run_folder, tmp_path / "less", "infonce", layers=["output"], data={"source": DIGITS["few"]})
    assert sizes == [3, 2, 1]


def test_explicit_specs_and_one_that_fails(run_folder: Path, tmp_path: Path) -> None:
    specs = ["builtin:pixels", f"run:{run_folder}@epoch=2", "builtin:random_conv?width=4"]
    found = measure_plane(
        checkpoints_of_specs(specs),
        {"source": open_data(DIGITS["few"])},
        out=tmp_path,
        store=FeatureStore(tmp_path / "store"),
        layers=["output"],
        methods=["kolchinsky_tracey"],
    )
    assert set(found.table["encoder"]) == {specs[0], specs[2]}
    assert set(found.table["epoch"]) == {0, 2}
    (reason,) = found.failures.values()
    assert "epoch 2 is not kept" in reason


def test_rows_computed_elsewhere_have_one_layer(tmp_path: Path) -> None:
    data = open_data(DIGITS["few"])
    rows = np.random.default_rng(0).standard_normal((len(data), 3)).astype(np.float32)
    np.savez(tmp_path / "rows.npz", features=rows, labels=data.labels)
    found = measure_plane(
        checkpoints_of_specs([f"features:{tmp_path / 'rows.npz'}"]),
        {"source": data},
        out=tmp_path,
        store=FeatureStore(tmp_path / "store"),
        methods=["binned"],
    )
    assert set(found.table["layer"]) == {"output"}


def test_a_layer_that_is_not_there_names_the_nearest(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no layer 'secnd'; nearest: .*second"):
        measured(run_folder, tmp_path / "out", "binned", layers=["secnd"])


def test_a_method_that_is_not_there_names_the_others(run_folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"unknown plane method .infonse.; accepted: .*infonce"):
        measured(run_folder, tmp_path / "out", "infonse")
