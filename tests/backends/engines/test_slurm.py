"""A study sent to a cluster; submitit's own local executor stands in for SLURM."""

import json
import time
from pathlib import Path

import pytest

from mitools.backends.engines.slurm import Submission, _parameters, submit_commands
from mitools.core.errors import InputError


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
