import io
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from mitools.auditing.auditor import run_audit
from mitools.auditing.kept import CLASS_ROWS, require_same_rows
from mitools.auditing.kept_rows import named_views, with_kept_rows
from mitools.auditing.row import CONTROL_COLUMNS
from mitools.auditing.settings import AuditSettings
from mitools.cli.main import run
from mitools.core.entropy import LOG2
from mitools.core.errors import InputError
from mitools.datasets.open import open_data
from mitools.encoders.architectures import CifarResNet
from mitools.encoders.untrained_twin import untrained_twin
from mitools.estimators import ClassPosterior
from mitools.features.store import FeatureStore, default_root
from mitools.measures import certificate, control, critics

ENCODERS = ["builtin:pixels", "builtin:pca?k=2", "builtin:random_conv?width=4"]


@pytest.fixture(autouse=True)
def short_critics(monkeypatch):
    """Fit critics for a moment only: what they reach is tested with the estimators."""

    def briefly(*arguments, **settings):
        return VariationalEstimator(*arguments, **settings, max_steps=20)

    from mitools.estimators import VariationalEstimator

    monkeypatch.setattr(critics, "VariationalEstimator", briefly)


def cells(out):
    return {path.name: path.stat().st_mtime_ns for path in sorted((out / "cells").iterdir())}


def audit_arguments(data, encoders, out):
    return [
        "audit",
        "--data",
        data,
        *(word for spec in encoders for word in ("--encoder", spec)),
        "--out",
        str(out),
    ]


def test_rows_hold_what_the_estimators_return(image_tar, tmp_path):
    data = open_data(f"tar:{image_tar}")
    found = run_audit(data, ["builtin:pixels"], out=tmp_path / "out", store=FeatureStore(default_root()))
    pixels = np.stack([np.asarray(data[i][0], dtype=np.float32).ravel() for i in range(len(data))]) / 255
    direct = ClassPosterior().fit(pixels, data.labels)
    row = found.encoders[0].row
    assert row["i_class_bits"] == pytest.approx(direct.estimate_.bits, abs=1e-4)
    assert row["label_information_bits"] == pytest.approx(direct.label_information_.bits, abs=1e-4)
    assert row["h_c_bits"] == pytest.approx(np.log2(3))
    assert row["linear_acc"] == direct.accuracy_
    assert row["i_class_low"] < row["i_class_bits"] < row["i_class_high"]
    influence = found.encoders[0].influence_nats
    assert influence.shape == (len(data),)
    assert influence.mean() == pytest.approx(0, abs=1e-9)


def test_a_second_audit_encodes_and_measures_nothing(image_tar, tmp_path, monkeypatch):
    out, arguments = tmp_path / "out", audit_arguments(f"tar:{image_tar}", ENCODERS, tmp_path / "out")
    assert run(arguments) == 0
    before, table = cells(out), (out / "results.csv").read_text()
    assert len(before) == 4 * len(ENCODERS)

    def never(*arguments, **settings):
        raise AssertionError("computed again")

    monkeypatch.setattr(certificate, "ClassPosterior", never)
    monkeypatch.setattr(critics, "VariationalEstimator", never)
    monkeypatch.setattr(import_module("mitools.features.extract"), "encoded", never)
    assert run(arguments) == 0
    assert cells(out) == before
    again = pd.read_csv(out / "results.csv").drop(columns="seconds")
    pd.testing.assert_frame_equal(again, pd.read_csv(io.StringIO(table)).drop(columns="seconds"))


def test_another_seed_is_another_cell(image_tar, tmp_path):
    arguments = audit_arguments(f"tar:{image_tar}", ["builtin:pixels"], tmp_path / "out")
    assert run(arguments) == 0
    assert run([*arguments, "--seed", "1", "--overwrite"]) == 0
    assert len(cells(tmp_path / "out")) == 8


def test_everything_a_reader_expects_is_written(image_tar, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = [
        *audit_arguments(f"tar:{image_tar}", ENCODERS, out),
        "--pairing",
        "same_class,simclr",
        "--json",
    ]
    assert run(arguments) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["encoder"] for row in document["results"]] == ["pixels", "pca2", "random_conv4"]
    assert {Path(path).name for path in document["files"]} >= {
        "results.csv", "results.parquet", "results.json", "correlation.csv", "comparisons.csv",
        "estimates.json", "brackets.png", "against_linear_accuracy.png",
    }  # fmt: skip
    assert all(Path(path).stat().st_size > 0 for path in document["files"])
    table = pd.read_csv(out / "results.csv")
    wanted = (
        "encoder network layer depth source digest n dim"
        " h_c_bits i_class_bits i_class_low i_class_high i_class_identified"
        " label_information_bits i_class_infonce_bits i_simclr_bits linear_acc knn20_acc knn200_acc alignment"
        " uniformity tolerance recall_at_1 nmi constant_dims dead_units duplicate_rows nonfinite_rows"
        " effective_rank seconds warnings"
    )
    assert set(wanted.split()) <= set(table.columns)
    assert set(CONTROL_COLUMNS) <= set(table.columns)
    full = table.drop(columns=["warnings", *CONTROL_COLUMNS])  # nothing was trained, so nothing is controlled
    assert full.notna().all().all()
    kept = pd.read_parquet(out / "results.parquet")
    pd.testing.assert_frame_equal(full, kept[list(full.columns)])
    estimates = json.loads((out / "estimates.json").read_text())["encoders"]["pixels"]["estimates"]
    assert estimates["i_class"]["kind"] == "lower bound"
    assert estimates["i_class"]["bits"] == table["i_class_bits"][0]


def test_paired_comparisons_come_from_the_same_influence_values(image_tar, tmp_path):
    data = open_data(f"tar:{image_tar}")
    store = FeatureStore(default_root())
    found = run_audit(data, ENCODERS[:2], out=tmp_path / "out", store=store)
    assert run(audit_arguments(f"tar:{image_tar}", ENCODERS[:2], tmp_path / "out")) == 0
    line = pd.read_csv(tmp_path / "out" / "comparisons.csv").iloc[0]
    a, b = found.encoders
    difference = (a.estimates["i_class"].nats - b.estimates["i_class"].nats) / LOG2
    n = len(a.influence_nats)
    paired = np.square(a.influence_nats - b.influence_nats).sum() / n**2
    seen = [np.square(one.influence_nats).sum() / n**2 for one in (a, b)]
    unseen = sum(one.estimates["i_class"].stderr_nats ** 2 for one in (a, b)) - sum(seen)
    assert line["difference_bits"] == pytest.approx(difference)
    assert line["stderr_bits"] == pytest.approx(np.sqrt(paired + unseen) / LOG2)
    assert unseen > 0


def test_an_encoder_that_fails_is_reported_and_the_rest_goes_on(image_tar, tmp_path, capsys):
    encoders = ["checkpoint:absent.pth?arch=cifar_resnet20", "builtin:pixels"]
    assert run(audit_arguments(f"tar:{image_tar}", encoders, tmp_path / "out")) == 1
    assert "absent.pth" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "out" / "results.csv")["encoder"].tolist() == ["pixels"]


def test_encoders_of_one_name_are_told_apart(image_tar, tmp_path):
    arguments = audit_arguments(f"tar:{image_tar}", ["builtin:pixels", "builtin:pixels"], tmp_path / "out")
    assert run(arguments) == 0
    assert pd.read_csv(tmp_path / "out" / "results.csv")["encoder"].tolist() == ["pixels", "pixels#2"]


def test_no_encoder_at_all(image_tar, tmp_path):
    with pytest.raises(InputError, match="--encoder"):
        run_audit(open_data(f"tar:{image_tar}"), [], out=tmp_path, store=FeatureStore(tmp_path / "store"))


def rows(data, encoders, out, **settings):
    """Audit without a critic and without a report; one row an encoder or layer."""
    settings = AuditSettings(critic=False, **settings)
    store = FeatureStore(default_root())
    found = run_audit(open_data(data), encoders, out=out, store=store, settings=settings)
    return [encoder.row for encoder in found.encoders]


NETWORK = "timm:test_resnet.r160_in1k?pretrained=no&image_size=32"


def test_every_layer_is_a_row_as_if_it_were_audited_alone(image_tar, tmp_path):
    encoders = [f"{NETWORK}&layers=conv1.0,layer2.0,output", "builtin:pixels"]
    out = tmp_path / "out"
    assert run([*audit_arguments(f"tar:{image_tar}", encoders, out), "--no-critic"]) == 0
    table = pd.read_csv(out / "results.csv")
    layers = table[table.network == "test_resnet.r160_in1k-untrained"]
    assert layers.layer.tolist() == ["conv1.0", "layer2.0", "output"]
    assert layers.depth.tolist() == [0, 1, 2]
    assert "i_class_infonce_bits" not in table
    assert layers.encoder.tolist() == [f"test_resnet.r160_in1k-untrained@{layer}" for layer in layers.layer]
    assert table.encoder.tolist()[-1] == "pixels"
    assert layers.dim.nunique() > 1
    assert {path.name for path in (out / "figures").iterdir()} >= {"depth.png", "depth.svg"}
    # Layers of one network are compared, but two networks are too few to correlate.
    assert len(pd.read_csv(out / "comparisons.csv")) == len(table) * (len(table) - 1) // 2
    assert pd.read_csv(out / "correlation.csv").empty

    alone = rows(f"tar:{image_tar}", [f"{NETWORK}&layer=layer2.0", NETWORK], tmp_path / "alone")
    assert [row["encoder"] for row in alone] == [
        "test_resnet.r160_in1k-untrained@layer2.0",
        "test_resnet.r160_in1k-untrained#2",
    ]
    for row, layer in zip(alone, ("layer2.0", "output"), strict=True):
        same = layers[layers.layer == layer].iloc[0]
        assert row["i_class_bits"] == pytest.approx(same.i_class_bits, abs=1e-6)
        assert row["effective_rank"] == pytest.approx(same.effective_rank, rel=1e-5)


@pytest.fixture
def fresh_checkpoint(tmp_path):
    """A file of weights that were never trained, and the spec that loads it."""
    torch.manual_seed(5)
    torch.save({"state_dict": CifarResNet(20).state_dict()}, tmp_path / "fresh.pth")
    return f"checkpoint:{tmp_path}/fresh.pth?arch=cifar_resnet20"


def test_a_checkpoint_no_better_than_its_architecture_is_told(image_tar, tmp_path, fresh_checkpoint):
    (row,) = rows(f"tar:{image_tar}", [fresh_checkpoint], tmp_path / "out")
    assert "control: no_better_than_untrained" in row["warnings"]
    assert row["control_i_class_low"] < row["control_i_class_bits"] < row["control_i_class_high"]
    # With no more than 2,000 items, both were read on the audit's own split.
    gain = row["i_class_bits"] - row["control_i_class_bits"]
    assert row["control_gain_bits"] == pytest.approx(gain, abs=1e-6)
    assert row["control_gain_low"] < 0

    arguments = audit_arguments(f"tar:{image_tar}", [fresh_checkpoint], tmp_path / "out")
    assert run([*arguments, "--no-critic", "--no-control"]) == 0
    table = pd.read_csv(tmp_path / "out" / "results.csv")
    assert table[list(CONTROL_COLUMNS)].isna().all().all()
    assert "control" not in str(table.warnings[0])


def test_a_twin_that_overflows_says_nothing_against_the_encoder(
    image_tar, tmp_path, fresh_checkpoint, monkeypatch
):
    def overflowing(encoder, seed):
        twin = untrained_twin(encoder, seed)
        torch.nn.init.constant_(twin.module.conv1.weight, torch.inf)
        return twin

    monkeypatch.setattr(control, "untrained_twin", overflowing)
    (row,) = rows(f"tar:{image_tar}", [fresh_checkpoint], tmp_path / "out")
    assert "control: none: encoder fresh-untrained" in row["warnings"]
    assert "not finite" in row["warnings"]
    assert [row[column] for column in CONTROL_COLUMNS] == [None] * len(CONTROL_COLUMNS)


def test_a_trained_network_is_better_than_its_twin(shared, tmp_path):
    (weights,) = (shared / "checkpoints").glob("resnet20*")
    data = f"tar:{shared}/data/cifar10-test.tar.gz?limit=600"
    (row,) = rows(data, [f"checkpoint:{weights}?arch=cifar_resnet20"], tmp_path)
    assert row["control_gain_low"] > 0.5
    assert row["control_i_class_bits"] < 1
    assert "control" not in row["warnings"]


def test_the_control_takes_few_items_and_classes_evenly():
    labels = np.random.default_rng(0).permutation(np.repeat(np.arange(250), 30))
    items = control.control_items(labels)
    counts = np.bincount(labels[items], minlength=250)
    assert len(items) == 2000
    assert np.count_nonzero(counts) == 100
    assert set(counts) == {0, 20}
    assert (np.diff(items) > 0).all()
    np.testing.assert_array_equal(control.control_items(np.arange(90) % 3), np.arange(90))


def test_spoilt_features_are_told_in_the_row(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(300) % 3
    features = rng.standard_normal((300, 20)).astype(np.float32) + labels[:, None]
    features[:, 5:10] = 0
    features[200:] = features[:100]
    np.savez(tmp_path / "rows.npz", features=features, labels=labels)
    (row,) = rows(f"features:{tmp_path}/rows.npz", [f"features:{tmp_path}/rows.npz"], tmp_path)
    assert (row["constant_dims"], row["dead_units"], row["duplicate_rows"]) == (5, 5, 100)
    assert "features: constant_dims (5 of 20), duplicate_rows (100 of 300)" in row["warnings"]


def test_half_precision_changes_the_bits_little(image_tar, tmp_path):
    (full,) = rows(f"tar:{image_tar}", [NETWORK], tmp_path)
    (half,) = rows(f"tar:{image_tar}", [NETWORK], tmp_path, precision="bf16", kept_as="float16")
    assert half["uniformity"] != full["uniformity"]
    assert half["uniformity"] == pytest.approx(full["uniformity"], rel=0.05)
    assert half["i_class_bits"] == pytest.approx(full["i_class_bits"], abs=0.1)
    arguments = audit_arguments(f"tar:{image_tar}", [NETWORK], tmp_path)
    assert run([*arguments, "--precision", "fp8"]) == 2
    assert run([*arguments, "--keep", "float64"]) == 2


def start(arguments, cache):
    environment = os.environ | {"MITOOLS_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    # -P: the current folder may be the repository, whose mitools lacks what is installed inside it.
    command = [sys.executable, "-P", "-c", "from mitools.cli.main import main; main()", *arguments]
    # Where the tests run in the background, interrupts are ignored by them, and so by what they start.
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True, preexec_fn=heed)


def wait_for_cells(process, out, count):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and process.poll() is None:
        if (out / "cells").is_dir() and len(list((out / "cells").glob("[!.]*.json"))) >= count:
            return
        time.sleep(0.02)
    raise AssertionError(f"the audit ended before {count} cells were there: {process.communicate()}")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, image_tar_writer):
    """The table of an audit that nobody stopped, and the tar it is of."""
    folder = tmp_path_factory.mktemp("undisturbed")
    images = image_tar_writer(folder / "images.tar", [40, 40, 40])
    arguments = audit_arguments(f"tar:{images}", ENCODERS[:2], folder / "out")
    assert start(arguments, folder / "cache").wait(timeout=300) == 0
    return images, pd.read_csv(folder / "out" / "results.csv").drop(columns="seconds")


@pytest.mark.parametrize(
    "end",
    [
        pytest.param(signal.SIGKILL, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
    ],
    ids=["killed", "told to end", "interrupted"],
)
def test_only_the_missing_part_is_computed_after_a_stop(undisturbed, tmp_path, end):
    images, expected = undisturbed
    out, cache = tmp_path / "out", tmp_path / "cache"
    arguments = audit_arguments(f"tar:{images}", ENCODERS[:2], out)
    process = start(arguments, cache)
    wait_for_cells(process, out, 1)
    process.send_signal(end)
    _, text = process.communicate(timeout=60)
    if end != signal.SIGKILL:
        assert process.returncode == 130
        assert text.strip().count("\n") == 0
        assert "stopped" in text
    assert not (out / "results.csv").exists()
    kept = {name: when for name, when in cells(out).items() if not name.startswith(".")}
    assert 1 <= len(kept) < 8

    assert start(arguments, cache).wait(timeout=300) == 0
    finished = cells(out)
    assert {name: finished[name] for name in kept} == kept
    pd.testing.assert_frame_equal(pd.read_csv(out / "results.csv").drop(columns="seconds"), expected)


def test_columns_of_a_view_are_called_by_its_name_and_a_quick_critic_is_on_record(image_tar, tmp_path):
    settings = AuditSettings(
        view_pairings=("simclr?strength=0.5&name=weak",), critic=False, quick_critic=True, control=False
    )
    store, data = FeatureStore(tmp_path / "store"), open_data(f"tar:{image_tar}")
    found = run_audit(data, ["builtin:pca?k=4"], out=tmp_path, store=store, settings=settings)
    assert {"i_weak_bits", "alignment_weak"} <= found.encoders[0].row.keys()
    assert list(found.encoders[0].estimates["i_weak"].settings["hidden"]) == [128, 128]
    assert found.encoders[0].estimates["i_weak"].kind == "lower bound"
    with_kept_rows(found, tmp_path, {}, named_views(settings))
    other = AuditSettings(view_pairings=("simclr?strength=0.25&name=weak",))
    with pytest.raises(InputError, match=r"weak is the view simclr\?strength=0.5"):
        require_same_rows(tmp_path, CLASS_ROWS, {}, named_views(other))
    require_same_rows(tmp_path, CLASS_ROWS, {}, named_views(settings))
    quick, full = AuditSettings(quick_critic=True), AuditSettings()
    with_kept_rows(found, tmp_path, {}, named_views(quick))
    with pytest.raises(InputError, match="infonce is of the quick critic, not of the full critic"):
        require_same_rows(tmp_path, CLASS_ROWS, {}, named_views(full))
    # Written over, the rows of the other critic go.
    assert len(with_kept_rows(replace(found, encoders=[]), tmp_path, {}, named_views(full)).encoders) == 0


@pytest.mark.parametrize(
    ("pairings", "said"),
    [
        (("simclr?name=class",), "would be the measure i_class"),
        (("simclr?name=a", "infomin?name=a"), "name one view twice"),
    ],
)
def test_a_name_that_other_columns_have_is_refused_before_anything_is_read(
    image_tar, tmp_path, pairings, said
):
    data, store = open_data(f"tar:{image_tar}"), FeatureStore(tmp_path / "store")
    with pytest.raises(InputError, match=said):
        run_audit(
            data,
            ["builtin:pixels"],
            out=tmp_path,
            store=store,
            settings=AuditSettings(view_pairings=pairings),
        )
    assert not (tmp_path / "store").exists() or not any((tmp_path / "store").iterdir())
