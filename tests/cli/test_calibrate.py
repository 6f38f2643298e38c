import json
import subprocess
import sys
import time

import numpy as np
import pytest

from mitools.cli.main import run

QUICK = ["--bits", "3", "--truths", "1,2", "--n", "400", "--method", "class_posterior,gaussian"]


@pytest.fixture
def features(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    rows = 6.0 * labels[:, None] + rng.standard_normal((400, 2))
    np.savez(tmp_path / "features.npz", features=rows, labels=np.array(["left", "right"])[labels])
    return tmp_path / "features.npz"


def test_json_is_one_document_with_every_reading(features, tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["calibrate", str(features), *QUICK, "--out", str(out), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    readings = {(row["method"], row["truth_bits"]): row for row in document["readings"]}
    assert set(readings) == {(m, t) for m in ("class_posterior", "gaussian") for t in (1.0, 2.0)}
    for (method, truth), row in readings.items():
        assert row["error_bits"] == pytest.approx(row["reading_bits"] - truth)
        if method == "class_posterior":
            assert row["kind"] == "lower bound"
            assert row["reading_bits"] == pytest.approx(truth, abs=0.3)
            assert row["low_bits"] < truth
    assert "class posterior (lower bound) is off by at most" in document["finding"]
    assert "'left' or 'right'" in document["setting"]
    names = [*(f"calibration.{end}" for end in ("csv", "json", "png", "svg", "pdf")), "report.html"]
    assert {str(out / name) for name in names} == set(document["files"])


def test_the_table_has_what_a_number_needs(features, tmp_path, capsys):
    assert run(["calibrate", str(features), *QUICK, "--out", str(tmp_path / "out")]) == 0
    shown = capsys.readouterr()
    for word in ("truth", "reading", "95% interval", "error", "kind", "ceiling", "null", "lower bound"):
        assert word in shown.out
    assert "400 composites of 3 bits in 6 dimensions" in shown.err


def test_by_default_the_truths_go_from_a_fifth_to_four_fifths(features, tmp_path, capsys):
    arguments = ["--bits", "5", "--method", "gaussian", "--out", str(tmp_path / "out"), "--json"]
    assert run(["calibrate", str(features), *arguments]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [row["truth_bits"] for row in document["readings"]] == [1, 2, 3, 4]


def test_a_method_that_fails_leaves_the_others(features, tmp_path, capsys, monkeypatch):
    from mitools.core.errors import InputError

    def refuse(self, x, y):
        raise InputError("not today")

    monkeypatch.setattr("mitools.estimators.classical.ksg.KSG.fit", refuse)
    arguments = [*QUICK[:-1], "ksg,gaussian", "--out", str(tmp_path / "out"), "--json"]
    assert run(["calibrate", str(features), *arguments]) == 1
    shown = capsys.readouterr()
    document = json.loads(shown.out)
    assert {row["method"] for row in document["readings"]} == {"gaussian"}
    assert document["failures"] == {"ksg": "not today"}
    assert shown.err == "failed: ksg: not today\n"


def kept_cells(out):
    return list((out / "cells").glob("calibration-*.json"))


def test_a_killed_calibration_goes_on_where_it_stopped(features, tmp_path, capsys):
    out = tmp_path / "out"
    arguments = ["calibrate", str(features), *QUICK, "--out", str(out), "--json"]
    program = f"import sys; from mitools.cli.main import run; sys.exit(run({arguments!r}))"
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + 60
    while process.poll() is None and not kept_cells(out) and time.monotonic() < until:
        time.sleep(0.01)
    process.kill()
    process.wait()
    kept = {path: path.stat().st_mtime_ns for path in kept_cells(out)}
    assert kept
    assert run(arguments) == 0
    assert len(json.loads(capsys.readouterr().out)["readings"]) == 4
    assert len(kept_cells(out)) == 4
    assert all(path.stat().st_mtime_ns == written for path, written in kept.items())


@pytest.mark.parametrize(
    ("more", "word"),
    [
        (["--method", "infonc"], "infonce"),
        (["--method", "mixed_ksg"], "labels"),
        (["--truths", "1,much"], "--truths"),
        (["--truths", "11"], "11"),
        (["--classes", "left"], "--classes"),
        (["--classes", "left,rihgt"], "right"),
        (["--components", "3"], "components"),
        (["--bits", "0"], "bits"),
        (["--n", "5"], "--n"),
        (["--device", "tpu"], "tpu"),
    ],
)
def test_wrong_requests_end_with_two_and_one_line(more, word, features, tmp_path, capsys):
    assert run(["calibrate", str(features), *more, "--out", str(tmp_path / "out")]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("error: ")
    assert shown.err.count("\n") == 1
    assert word in shown.err
    assert not (tmp_path / "out").exists()


def test_a_file_without_labels_is_refused(tmp_path, capsys):
    np.savez(tmp_path / "bare.npz", features=np.zeros((20, 2)))
    assert run(["calibrate", str(tmp_path / "bare.npz"), "--out", str(tmp_path / "out")]) == 2
    assert "labels" in capsys.readouterr().err


@pytest.mark.slow
def test_bert_features_are_calibrated(shared, tmp_path, capsys):
    path = shared / "data" / "bert-imdb-features.npz"
    arguments = ["--method", "class_posterior", "--n", "10000", "--out", str(tmp_path / "out"), "--json"]
    assert run(["calibrate", str(path), *arguments]) == 0
    readings = json.loads(capsys.readouterr().out)["readings"]
    assert [row["truth_bits"] for row in readings] == [2, 4, 6, 8]
    for row in readings:
        assert row["low_bits"] < row["truth_bits"]
        assert row["error_bits"] == pytest.approx(0, abs=0.06 * row["truth_bits"])
