"""Studies and tasks sent to a cluster; submitit's local executor, or commands of our own, stand in for it."""

import importlib
import json
import time
from pathlib import Path

import pytest

from mitools.backends.engines.base import Call
from mitools.backends.engines.slurm import SlurmEngine, Submission, _parameters, submit_commands
from mitools.backends.workers import Outcome
from mitools.core.errors import EngineLostError, InputError


def test_what_slurm_is_asked_for() -> None:
    wanted = Submission(jobs=3, partition="gpu", minutes=30, gpus=1, memory_gb=8, cpus=2)
    assert _parameters(wanted) == {
        "timeout_min": 30,
        "cpus_per_task": 2,
        "gpus_per_node": 1,
        "mem_gb": 8,
        "slurm_partition": "gpu",
    }


def test_a_machine_without_slurm_says_so(tmp_path: Path) -> None:
    pytest.importorskip("submitit")
    (tmp_path / "slurm.yaml").write_text("jobs: 2\n")
    with pytest.raises(InputError, match="no SLURM"):
        submit_commands(tmp_path / "slurm.yaml", ["--help"], tmp_path / "jobs")


REFUSING = """#!/bin/bash
[ -e {mark} ] && exec {submits} "$@"
echo "sbatch: error: invalid partition specified: gpuu" >&2
echo "sbatch: error: Batch job submission failed: Invalid partition name specified" >&2
exit 1
"""


def test_a_slurm_that_takes_no_job_is_one_line(
    slurm_commands: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sbatch, mark = tmp_path / "programs" / "sbatch", tmp_path / "accepted"
    submits = sbatch.rename(tmp_path / "submits")
    sbatch.write_text(REFUSING.format(mark=mark, submits=submits))
    sbatch.chmod(0o755)
    recipe = tmp_path / "slurm.yaml"
    recipe.write_text("partition: gpuu\n")
    why = (
        r"SLURM takes no job \(sbatch: error: invalid partition specified: gpuu sbatch: .*slurm.yaml asks for"
    )
    with pytest.raises(InputError, match=f"^--submit: {why}"):
        submit_commands(recipe, ["--help"], tmp_path / "jobs")
    calls = {"one": Call(lambda task, advance: task, 1, str(tmp_path), "", ())}
    engine = SlurmEngine("slurm:slurm.yaml", recipe, tmp_path / "jobs")
    with engine:
        with pytest.raises(InputError, match=f"^engine slurm:slurm.yaml: {why}"):
            next(engine.messages(calls))
        mark.touch()
        engine._submit(calls["one"]).cancel(check=False)
        mark.unlink()
        with pytest.raises(EngineLostError, match=f"{why}.*; what was finished is kept") as lost:
            next(engine.messages(calls))
    assert "\n" not in str(lost.value)
    assert capsys.readouterr().err == "", "submitit prints what sbatch says"


KILLED_ONCE = """
import os, signal
from pathlib import Path


def square(task, advance):
    number, mark = task
    if number < 0 and not Path(mark).exists():
        Path(mark).touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number
"""


@pytest.mark.slow
def test_tasks_are_jobs_of_slurm_and_one_that_it_stops_is_sent_again(
    slurm_commands: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "killed_once.py").write_text(KILLED_ONCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    square = importlib.import_module("killed_once").square
    (tmp_path / "slurm.yaml").write_text("jobs: 2\npartition: gpu\ngpus: 1\nminutes: 7\n")
    given = {str(number): (number, str(tmp_path / "mark")) for number in (3, -2, 4)}
    with SlurmEngine("slurm:slurm.yaml", tmp_path / "slurm.yaml", tmp_path / "jobs") as engine:
        found = engine.run(square, given, [tmp_path])
    assert found == {"3": Outcome(9), "-2": Outcome(4), "4": Outcome(16)}
    scripts = [script.read_text() for script in slurm_commands.glob("*.script")]
    assert len(scripts) == 4, "three tasks, and the one whose job was killed again"
    for asked in ("--partition=gpu", "--gpus-per-node=1", "--time=7"):
        assert all(f"#SBATCH {asked}\n" in script for script in scripts)


@pytest.mark.slow
def test_two_jobs_do_a_study_together(tmp_path: Path) -> None:
    submitit = pytest.importorskip("submitit")
    study = tmp_path / "study.yaml"
    study.write_text('data: ["digits?limit=200"]\nencoders: [builtin:pixels]\nmetrics: [linear_acc]\n')
    (tmp_path / "slurm.yaml").write_text("jobs: 2\nminutes: 5\n")
    command = ["study", "run", str(study), "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]
    command += ["--json"]
    numbers = submit_commands(tmp_path / "slurm.yaml", command, tmp_path / "jobs", cluster="local")
    assert len(numbers) == 2
    for number in numbers:
        # A job opened by its number knows no process, so its result is waited for by its file.
        deadline = time.monotonic() + 120
        while not (tmp_path / "jobs" / f"{number}_0_result.pkl").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        printed = submitit.LocalJob(tmp_path / "jobs", number).result()
        assert len(json.loads(printed[printed.index("{") :])["results"]) == 1
    assert len(list((tmp_path / "out" / "cells").glob("*.json"))) == 2
