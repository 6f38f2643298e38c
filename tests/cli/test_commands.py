import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

from mitools.cli.main import run
from mitools.core.estimate import Estimate
from mitools.estimators import ClassPosterior, VariationalEstimator


@pytest.fixture
def features(tmp_path):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    rows = labels[:, None] * 2.0 + rng.standard_normal((600, 4))
    np.savez(tmp_path / "features.npz", features=rows, labels=labels)
    return tmp_path / "features.npz"


def test_same_class_prints_what_the_estimator_returns(features, capsys):
    assert run(["same-class", str(features), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    with np.load(features) as arrays:
        direct = ClassPosterior().fit(arrays["features"], arrays["labels"])
    assert Estimate.from_dict(document["i_class"]).bits == direct.estimate_.bits
    assert document["linear_acc"] == direct.accuracy_

    assert run(["same-class", str(features)]) == 0
    text = capsys.readouterr().out
    assert f"{direct.estimate_.bits:.3f}" in text
    assert "lower bound" in text


def test_same_class_with_a_uniform_prior(features, capsys):
    assert run(["same-class", str(features), "--prior", "uniform", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["i_class"]["entropy_bits"] == pytest.approx(np.log2(3))


def test_bert_features_are_certified(shared, capsys):
    assert run(["same-class", str(shared / "data" / "bert-imdb-features.npz"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["i_class"]
    assert found["entropy_bits"] == pytest.approx(1)
    assert found["settings"]["one_sided_low_bits"] >= 0.80


def test_estimate_takes_several_methods(tmp_path, capsys):
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 400)
    np.save(tmp_path / "x.npy", labels[:, None] + 0.1 * rng.standard_normal((400, 2)))
    np.save(tmp_path / "y.npy", labels)
    arguments = ["estimate", str(tmp_path / "x.npy"), str(tmp_path / "y.npy")]
    assert run([*arguments, "--method", "class_posterior,label_information", "--json"]) == 0
    found = [Estimate.from_dict(values) for values in json.loads(capsys.readouterr().out)["estimates"]]
    assert [estimate.method for estimate in found] == ["class_posterior", "label_information"]
    assert all(0.9 < estimate.bits <= 1 for estimate in found)

    assert run([*arguments, "--method", "label_information"]) == 0
    assert "label_information" in capsys.readouterr().out


def test_help_of_every_command(capsys):
    for command in ([], ["demo"], ["audit"], ["same-class"], ["estimate"], ["correlate"], ["datasets"]):
        assert run([*command, "--help"]) == 0
        assert "Usage" in capsys.readouterr().out


def test_demo_audits_its_family_in_order(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("mitools.cli.demo.DATA", "digits?limit=700")
    # What critics reach is tested with the estimators.
    briefly = partial(VariationalEstimator, max_steps=30)
    monkeypatch.setattr("mitools.measures.critics.VariationalEstimator", briefly)
    assert run(["demo", "--out", str(tmp_path / "demo"), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    by_name = {row["encoder"]: row for row in document["results"]}
    graded = [by_name[f"pca{k}"]["i_class_bits"] for k in (2, 4, 16)]
    assert graded == sorted(graded)
    for row in document["results"]:
        assert row["i_class_low"] <= row["i_class_bits"] <= row["h_c_bits"]
    correlation = {row["column"]: row["pearson"] for row in document["correlation"]}
    assert correlation["i_class_bits"] > 0.9
    assert document["failures"] == {}


def test_a_name_that_would_move_the_cursor_is_printed_as_its_code(tmp_path, capsys):
    (tmp_path / "table.csv").write_text("bits,linear_acc,a\x1b[2Jb\n1,0.5,1\n2,0.7,3\n3,0.8,2\n4,0.9,4\n")
    assert run(["correlate", str(tmp_path / "table.csv")]) == 0
    captured = capsys.readouterr()
    assert "a\\x1b[2Jb" in captured.out
    assert "\x1b" not in captured.out + captured.err


@pytest.mark.parametrize("arguments", [["guide", "views"], ["--version"]], ids=["long", "short"])
def test_a_reader_that_has_seen_enough_is_no_failure(arguments):
    command = [sys.executable, "-P", "-c", "from mitools.cli.main import main; main()", *arguments]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")
