"""Commands of SLURM that run jobs as processes of this machine."""

import os
from pathlib import Path

import pytest

COMMANDS = {
    "sbatch": """
        number=$(($(ls "$jobs" | grep -c script) + 1))
        cp "$1" "$jobs/$number.script"
        SLURM_JOB_ID=$number setsid bash "$1" > /dev/null 2>&1 < /dev/null &
        echo $! > "$jobs/$number.process"
        echo "Submitted batch job $number"
    """,
    "srun": """
        while [[ $1 == --* ]]; do
            case $1 in --output|--error) shift 2 ;; *) shift ;; esac
        done
        exec "$@"
    """,
    "sacct": """
        echo "JobID|State|NodeList"
        for file in "$jobs"/*.process; do
            kill -0 $(cat "$file") 2> /dev/null && state=RUNNING || state=FAILED
            echo "$(basename "$file" .process)|$state|here"
        done
    """,
    "scancel": 'kill -- -$(cat "$jobs/$1.process")',
}


@pytest.fixture
def slurm_commands(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put them before all others; gives the folder where the scripts of all jobs are kept."""
    submitit = pytest.importorskip("submitit")
    # No shared disk is waited for where a job was killed.
    monkeypatch.setattr(submitit.SlurmJob, "_results_timeout_s", 0)
    programs, jobs = tmp_path / "programs", tmp_path / "slurm"
    programs.mkdir()
    jobs.mkdir()
    for name, body in COMMANDS.items():
        program = programs / name
        program.write_text(f"#!/bin/bash\njobs={jobs}\n{body}")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    return jobs
