"""Workers and schedulers that are killed: a study, an audit and an extraction end as undisturbed ones do."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

KILLS = 3

STUDY = """
data: ["digits?limit=300"]
encoders:
  - builtin:pixels
  - "builtin:pca?k=8"
  - "builtin:random_conv?width=16"
seeds: [0, 1]
metrics: [linear_acc, knn20_acc]
"""
CONV = "builtin:random_conv?width=256"
COMMANDS = {
    "study": ["study", "run", "{folder}/study.yaml", "--out", "{out}", "--batch-size", "8", "--no-html"],
    "audit": ["audit", "--data", "digits?limit=300", "--encoder", "builtin:pixels", "--encoder",
              "builtin:pca?k=8", "--encoder", "builtin:random_conv?width=16", "--no-critic", "--out", "{out}",
              "--batch-size", "8", "--no-html"],
    "extraction": ["encoders", "extract", CONV, "--data", "digits", "--batch-size", "4", "--json"],
}  # fmt: skip


def mitools(command: str, folder: Path, name: str, *further: str) -> "subprocess.Popen[str]":
    """Start a command of its own output folder and cache."""
    words = [word.format(folder=folder, out=folder / f"out-{name}") for word in COMMANDS[command]]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "mitools", *words, "--device", "cpu",
         "--cache", str(folder / f"cache-{name}"), *further],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def result(command: str, folder: Path, name: str) -> Any:
    """What a command has left: its table without times, or the files of features."""
    if command == "extraction":
        cache = folder / f"cache-{name}"
        return {path.name: path.read_bytes() for path in cache.iterdir() if path.is_file()}
    table = pd.read_csv(folder / f"out-{name}" / ("cells.csv" if command == "study" else "results.csv"))
    return table.drop(columns="seconds").to_csv(index=False)


@contextmanager
def cluster_by_hand(folder: Path) -> Iterator[tuple[str, list[int]]]:
    """Start a scheduler and two workers as a user would: the address, and their processes."""
    file = folder / "scheduler.json"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    module, quiet = [sys.executable, "-P", "-m"], subprocess.DEVNULL
    scheduler = subprocess.Popen(
        [*module, "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard",
         "--scheduler-file", str(file)], stdout=quiet, stderr=quiet)  # fmt: skip
    workers = [
        subprocess.Popen(
            [*module, "distributed.cli.dask_worker", "--scheduler-file", str(file), "--nthreads", "1",
             "--no-dashboard", "--local-directory", str(folder)],
            env=environment, stdout=quiet, stderr=quiet)
        for _ in range(2)
    ]  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
        yield json.loads(file.read_text())["address"], [scheduler.pid, *(worker.pid for worker in workers)]
    finally:
        for process in (*workers, scheduler):
            process.terminate()
        for process in (*workers, scheduler):
            process.wait(30)


def workers_of(*parents: int) -> list[int]:
    """Processes that nannies have started."""
    import psutil

    found = []
    for parent in parents:
        for child in psutil.Process(parent).children(recursive=True):
            if "spawn_main" in " ".join(child.cmdline()):
                found.append(child.pid)
    return found


def kill_some(
    process: "subprocess.Popen[str]", workers: Callable[[], list[int]], at_work: Callable[[], bool], seed: int
) -> int:
    """Kill a worker at three random moments while there are tasks; how many died."""
    draws, killed = random.Random(seed), 0
    while killed < KILLS and process.poll() is None:
        time.sleep(draws.uniform(0.05, 0.5))
        alive = workers()
        if alive and at_work() and process.poll() is None:
            os.kill(draws.choice(alive), signal.SIGKILL)
            killed += 1
    return killed


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("where", ["dask:local?workers=2", "local?workers=2", "address"])
def test_killed_workers_cost_their_tasks_alone(command: str, where: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "study.yaml").write_text(STUDY)
    undisturbed = mitools(command, tmp_path, "undisturbed")
    assert undisturbed.wait() == 0, undisturbed.communicate()

    def check(engine: str, workers: Callable[[int], list[int]]) -> None:
        process = mitools(command, tmp_path, "disturbed", "--engine", engine)
        cache = tmp_path / "cache-disturbed"
        killed = kill_some(
            process, lambda: workers(process.pid), lambda: any(cache.glob(".engine-*")), seed=21
        )
        said = process.communicate(timeout=600)
        assert process.returncode == 0, said
        assert killed == KILLS, "the command ended before three workers were killed"
        assert result(command, tmp_path, "disturbed") == result(command, tmp_path, "undisturbed")
        assert "Traceback" not in said[1]

    if where == "address":
        with cluster_by_hand(tmp_path) as (address, processes):
            check(f"dask:{address}", lambda _: workers_of(*processes[1:]))
    elif where.startswith("dask"):
        check(where, workers_of)
    else:
        import psutil

        check(where, lambda parent: [child.pid for child in psutil.Process(parent).children()])


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_dead_scheduler_is_one_line_and_nothing_is_lost(command: str, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    (tmp_path / "study.yaml").write_text(STUDY)
    undisturbed = mitools(command, tmp_path, "undisturbed")
    assert undisturbed.wait() == 0
    shards = command == "extraction"
    place = tmp_path / "cache-disturbed" if shards else tmp_path / "out-disturbed" / "cells"

    def finished() -> dict[str, int]:
        """Parts that are kept, and when each was written."""
        parts = place.glob("*.safetensors" if shards else "*.json")
        return {path.name: path.stat().st_mtime_ns for path in parts}

    with cluster_by_hand(tmp_path) as (address, (scheduler, *_)):
        process = mitools(command, tmp_path, "disturbed", "--engine", f"dask:{address}")
        deadline = time.monotonic() + 300
        while len(finished()) < 4 and time.monotonic() < deadline:
            time.sleep(0.05)
        os.kill(scheduler, signal.SIGKILL)
        _, error = process.communicate(timeout=120)
    assert process.returncode == 1
    lines = [line for line in error.splitlines() if line]
    assert len(lines) == 1, error
    assert "its scheduler does not answer any more; what was finished is kept" in lines[0]
    kept = finished()
    assert len(kept) >= 4
    again = mitools(command, tmp_path, "disturbed", "--engine", "local?workers=2")
    assert again.wait() == 0, again.communicate()
    assert result(command, tmp_path, "disturbed") == result(command, tmp_path, "undisturbed")
    if not shards:  # which are joined, and removed
        after = finished()
        assert {name: after[name] for name in kept} == kept, "what was finished was computed again"
