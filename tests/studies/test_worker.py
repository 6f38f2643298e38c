"""A study's cells: each computed once, failures kept, nothing lost when a process is killed."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mitools.cli.main import run
from mitools.estimators.class_information.certificate import ClassPosterior
from mitools.features.store import FeatureStore
from mitools.measures import certificate, quality
from mitools.measures.base import Computation
from mitools.measures.measured import Measured
from mitools.measures.registry import MEASURES
from mitools.studies.definition import read_study
from mitools.studies.folder import StudyFolder
from mitools.studies.worker import Worker

MOVES = ["seconds"]


def work(study_file: Path, out: Path) -> StudyFolder:
    folder = StudyFolder(read_study(study_file), out)
    Worker(folder, FeatureStore(out / "features")).run()
    return folder


def numbers(folder: StudyFolder) -> list[float]:
    kept = [one.values for one in folder.found()]
    return [values["estimate"]["nats"] if "estimate" in values else values["value"] for values in kept]


def states(folder: StudyFolder) -> Counter[str]:
    return Counter(one.state for one in folder.found())


@pytest.fixture
def small_study(study_file: Path) -> Path:
    """Two encoders on one data set, one estimator, one metric."""
    study_file.write_text(
        'data: ["digits?limit=200"]\nencoders: [builtin:pixels, "builtin:pca?k=4"]\nseeds: [0]\n'
    )
    return study_file


def test_every_cell_is_computed_once(small_study: Path, tmp_path: Path, monkeypatch: Any) -> None:
    folder = work(small_study, tmp_path / "out")
    assert states(folder) == {"done": 4}
    assert list(folder.claims.folder.iterdir()) == []

    def fail(*_: Any, **__: Any) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("mitools.studies.worker.extract", fail)
    assert states(work(small_study, tmp_path / "out")) == {"done": 4}


def test_a_changed_setting_is_a_new_cell_and_the_old_one_stays(small_study: Path, tmp_path: Path) -> None:
    work(small_study, tmp_path / "out")
    text = small_study.read_text()
    small_study.write_text(text.replace("seeds: [0]", "seeds: [0, 1]"))
    changed = StudyFolder(read_study(small_study), tmp_path / "out")
    assert states(changed) == {"done": 4, "to do": 4}
    small_study.write_text(text + "prior: uniform\n")
    changed = StudyFolder(read_study(small_study), tmp_path / "out")
    assert states(changed) == {"to do": 4}
    small_study.write_text(text)
    assert states(StudyFolder(read_study(small_study), tmp_path / "out")) == {"done": 4}


def test_seeds_fit_their_own_components(small_study: Path, tmp_path: Path) -> None:
    """PCA is fitted to the training items, which the seed chooses: features of one seed serve no other."""
    small_study.write_text(
        'data: ["digits?limit=200"]\nencoders: ["builtin:pca?k=4"]\nseeds: [0, 1]\nmetrics: []\n'
    )
    together = {one.cell.seed: one.values for one in work(small_study, tmp_path / "both").found()}
    small_study.write_text(small_study.read_text().replace("[0, 1]", "[1]"))
    (alone,) = work(small_study, tmp_path / "alone").found()
    assert alone.values["estimate"]["nats"] == together[1]["estimate"]["nats"]
    assert together[0]["estimate"]["nats"] != together[1]["estimate"]["nats"]


def test_a_failed_encoder_leaves_the_others_finished_and_can_be_retried(
    small_study: Path, tmp_path: Path, capsys: Any
) -> None:
    text = 'data: ["digits?limit=200"]\nencoders: [builtin:pixels, "features:late.npz"]\n'
    small_study.write_text(text.replace("late.npz", str(tmp_path / "late.npz")))
    arguments = [
        "study",
        str(small_study),
        "--out",
        str(tmp_path / "out"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    assert run(arguments) == 1
    captured = capsys.readouterr()
    assert "late.npz" in captured.err
    assert "builtin:pixels" in captured.out
    assert run(["study", "status", str(small_study), "--out", str(tmp_path / "out"), "--json"]) == 1
    counted = json.loads(capsys.readouterr().out)
    assert (counted["cells"], counted["done"], counted["failed"]) == (4, 2, 2)


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document | {"values": {}},
        lambda document: document | {"values": []},
        lambda document: document | {"request": {}},
        lambda document: {**document, "values": dict.fromkeys(document["values"], 0.125)},
        lambda document: [document],
    ],
    ids=["no values", "values of another shape", "another request", "numbers edited", "a list"],
)
def test_a_cell_that_was_changed_on_disk_is_computed_again(
    small_study: Path, tmp_path: Path, change: Any
) -> None:
    folder = work(small_study, tmp_path / "out")
    before = numbers(folder)
    kept = sorted((tmp_path / "out" / "cells").glob("*.json"))
    for path in kept:
        path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert states(StudyFolder(read_study(small_study), tmp_path / "out"))["done"] == 0
    assert numbers(work(small_study, tmp_path / "out")) == before


def test_a_failure_that_was_changed_on_disk_is_none(small_study: Path, tmp_path: Path) -> None:
    small_study.write_text('data: ["digits?limit=200"]\nencoders: [builtin:pixels, "builtin:pca?k=999999"]\n')
    assert states(work(small_study, tmp_path / "out"))["failed"] > 0
    for path in (tmp_path / "out" / "failures").glob("*.json"):
        path.write_text(path.read_text().replace("no 999999 components", "none"))
    assert states(StudyFolder(read_study(small_study), tmp_path / "out"))["failed"] == 0


def test_an_unexpected_error_is_kept_with_its_cell_until_it_is_retried(
    small_study: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    def explode(*_: Any, **__: Any) -> Measured:
        raise RuntimeError("out of memory\nsecond line")

    with monkeypatch.context() as patched:
        patched.setattr(quality, "explode", explode, raising=False)
        broken = replace(MEASURES["linear_acc"], computation=Computation(f"{quality.__name__}:explode"))
        patched.setitem(MEASURES, "linear_acc", broken)
        folder = work(small_study, tmp_path / "out")
    errors = {one.error for one in folder.found() if one.state == "failed"}
    assert errors == {"RuntimeError: out of memory second line"}
    assert states(work(small_study, tmp_path / "out")) == {"done": 2, "failed": 2}
    folder.forget_failures()
    assert states(work(small_study, tmp_path / "out")) == {"done": 4}


def test_a_full_disk_ends_the_run_with_the_finished_cells_kept(
    small_study: Path, tmp_path: Path, monkeypatch: Any, capsys: Any
) -> None:
    from mitools.core import result_store as results

    whole, written = results.write_text, []

    def fill_up(path: Path, text: str) -> None:
        if len(written) == 2:
            raise OSError(28, "No space left on device", str(path))
        written.append(path)
        whole(path, text)

    monkeypatch.setattr(results, "write_text", fill_up)
    arguments = [
        "study",
        str(small_study),
        "--out",
        str(tmp_path / "out"),
        "--cache",
        str(tmp_path / "cache"),
    ]
    assert run(arguments) == 1
    assert "No space left" in capsys.readouterr().err
    monkeypatch.undo()
    folder = StudyFolder(read_study(small_study), tmp_path / "out")
    assert states(folder) == {"done": 2, "to do": 2}


def test_one_fit_serves_all_cells_of_it(small_study: Path, tmp_path: Path, monkeypatch: Any) -> None:
    fits = []

    def counted(*arguments: Any, **settings: Any) -> ClassPosterior:
        fits.append(settings)
        return ClassPosterior(*arguments, **settings)

    monkeypatch.setattr(certificate, "ClassPosterior", counted)
    text = small_study.read_text() + "measures: [i_class, i_class_nwj, label_information]\n"
    small_study.write_text(text)
    folder = work(small_study, tmp_path / "out")
    assert len(fits) == 2  # one an encoder
    assert states(folder) == {"done": 2 * 5}
    # Two names of one measure are one result.
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 2 * 4
    linear = [one.values["value"] for one in folder.found() if one.cell.measure == "linear_acc"]
    small_study.write_text(text.replace("measures: [", "metrics: []\nmeasures: [linear_acc, "))
    alone = work(small_study, tmp_path / "alone")
    assert linear == [one.values["value"] for one in alone.found() if one.cell.measure == "linear_acc"]


def test_a_fit_is_left_to_the_process_that_works_on_it(small_study: Path, tmp_path: Path) -> None:
    folder = StudyFolder(read_study(small_study), tmp_path / "out")
    first, second = folder.cells[:2]
    with folder.claims.claim(folder.fit_name(first)):
        assert folder.state_of(first).state == folder.state_of(second).state == "claimed"
    assert folder.state_of(first).state == "to do"


def test_what_an_encoder_lacks_fails_its_own_cells(small_study: Path, tmp_path: Path) -> None:
    small_study.write_text(small_study.read_text() + "measures: [i_class_head, control_gain]\n")
    folder = work(small_study, tmp_path / "out")
    assert states(folder) == {"done": 4, "failed": 4}
    errors = {one.cell.measure: one.error for one in folder.found() if one.state == "failed"}
    assert "i_class_head reads the projection head of a run" in errors["i_class_head"]
    assert "control_gain reads features of the same network untrained" in errors["control_gain"]


def start(study_file: Path, out: Path, cache: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-P", "-m", "mitools", "study", str(study_file), "--out", str(out)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    with (out.parent / "log").open("ab") as log:
        return subprocess.Popen([*command, "--cache", str(cache)], env=environment, stdout=log, stderr=log)


def cells_of(out: Path) -> pd.DataFrame:
    return pd.read_csv(out / "cells.csv").drop(columns=MOVES)


@pytest.mark.slow
def test_killed_five_times_and_ended_by_two_processes_the_table_is_that_of_an_undisturbed_run(
    study_file: Path, tmp_path: Path
) -> None:
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    assert start(study_file, undisturbed, tmp_path / "cache1").wait() == 0
    chance = random.Random(0)
    for _ in range(5):
        process = start(study_file, disturbed, tmp_path / "cache2")
        time.sleep(chance.uniform(2, 9))
        process.send_signal(signal.SIGKILL)
        process.wait()
    both = [start(study_file, disturbed, tmp_path / "cache2") for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    kept = list((disturbed / "cells").glob("*.json"))
    expected = cells_of(undisturbed)
    assert len(kept) == len(expected) == 64
    pd.testing.assert_frame_equal(cells_of(disturbed), expected)


@pytest.mark.parametrize("command", [["status"], ["results"], ["correlate", "--target", "linear_acc"]])
def test_a_folder_without_a_study_is_named(small_study, tmp_path, capsys, command):
    out = tmp_path / "elsewhere"
    assert run(["study", command[0], str(small_study), "--out", str(out), *command[1:]]) == 2
    assert f"{out}: no study lies there" in capsys.readouterr().err
