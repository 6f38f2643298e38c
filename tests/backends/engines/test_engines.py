"""Engines: every task has its outcome, a lost worker costs one task, and what cannot work says so at once."""

import importlib
import os
import sys
import threading
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from queue import SimpleQueue
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from mitools.backends.engines import base, dask
from mitools.backends.engines.base import Call, Engine
from mitools.backends.engines.local import own_share
from mitools.backends.engines.open import open_engine
from mitools.backends.engines.slurm import SlurmEngine
from mitools.backends.workers import Outcome, Step, WorkerLostError
from mitools.core.errors import EngineLostError, InputError

TASKS = '''
"""What the workers of the test do."""

import os, signal
from pathlib import Path
from queue import SimpleQueue


def square(task, advance):
    number, folder = task
    advance("squaring", 1, 2)
    if number == 7:
        raise ValueError("seven is wrong")
    once = Path(folder) / f"tried-{number}"
    if number < 0 and not once.exists():
        once.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number
'''


@pytest.fixture
def tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """A module that workers import too, wherever they are started."""
    (tmp_path / "tasks_of_the_test.py").write_text(TASKS)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    yield importlib.import_module("tasks_of_the_test")
    sys.modules.pop("tasks_of_the_test")


def opened(name: str, tmp_path: Path) -> Engine:
    if name != "slurm":
        return open_engine(name, tmp_path / "jobs")
    pytest.importorskip("submitit")
    (tmp_path / "slurm.yaml").write_text("jobs: 2\nminutes: 5\n")
    return SlurmEngine("slurm:slurm.yaml", tmp_path / "slurm.yaml", tmp_path / "jobs", cluster="local")


@pytest.mark.parametrize(
    "name",
    [
        "local?workers=1",
        pytest.param("dask:local?workers=1", marks=pytest.mark.slow),
        pytest.param("slurm", marks=pytest.mark.slow),
    ],
)
def test_every_task_has_its_outcome_and_a_lost_worker_costs_one(
    name: str, tasks: ModuleType, tmp_path: Path
) -> None:
    if name.startswith("dask"):
        pytest.importorskip("distributed")
    given = {f"task-{number}": (number, str(tmp_path)) for number in (3, -2, 7)}
    steps: list[Step] = []
    ended: list[str] = []
    with opened(name, tmp_path) as engine:
        found = engine.run(
            tasks.square,
            given,
            [tmp_path / "shared"],
            lambda *step: steps.append(step),
            lambda name, outcome: ended.append(name),
        )
    assert list(found) == list(given)
    assert (found["task-3"].result, found["task--2"].result) == (9, 4)
    assert (tmp_path / "tried--2").exists(), "no worker was lost"
    assert isinstance(found["task-7"].error, ValueError)
    assert str(found["task-7"].error) == "seven is wrong"
    assert "in square" in "".join(found["task-7"].error.__notes__), "or nobody learns where it was"
    assert sorted(ended) == sorted(given)
    assert set(steps) == (set() if name == "slurm" else {("squaring", 1, 2)})
    assert list((tmp_path / "shared").iterdir()) == []


class Losing(Engine):
    """Loses the worker of every task, and counts how often it was asked."""

    asked = 0

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        for name in calls:
            self.asked += 1
            yield name, Outcome(error=WorkerLostError("killed"))


def test_a_task_that_ends_every_worker_has_failed_in_the_end() -> None:
    engine = Losing("losing")
    found = engine.run(print, {"one": 1, "two": 2}, [])
    assert [type(outcome.error) for outcome in found.values()] == [WorkerLostError] * 2
    assert engine.asked == 2 * (1 + engine.reruns)


def call(folder: Path, marks: tuple[str, ...] = (), of: str | None = None) -> Call:
    return Call(lambda task, advance: "done", None, str(folder), of or version("mitools"), marks)


def test_a_worker_that_does_not_see_the_files_of_the_command_refuses_its_task(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(base, "SECONDS_TO_APPEAR", 0.0)
    assert call(tmp_path).perform().result == "done"
    refused = {
        "has no folder": call(tmp_path / "elsewhere"),
        f"does not see the same {tmp_path}": call(tmp_path, (str(tmp_path / ".engine-1"),)),
        "has mitools": call(tmp_path, of="0.0.1"),
    }
    for words, one in refused.items():
        error = one.perform().error
        assert isinstance(error, InputError)
        assert words in str(error)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("dsak:tcp://a:1", "unknown engine 'dsak:tcp://a:1'; did you mean dask? accepted: local?workers=2"),
        ("loacl", "did you mean local?"),
        ("local?worker=2", "unknown option 'worker'; accepted: workers"),
        ("local?workers=0", "at least 1"),
        ("local:2", "local takes workers= alone"),
        ("dask", "nothing behind 'dask'"),
        ("dask:local?gpus=1", "unknown option 'gpus'"),
        ("dask:tcp://127.0.0.1:1", "no scheduler answers"),
        ("dask:nowhere.json", "no file with a scheduler's address"),
        ("slurm", "nothing behind 'slurm'"),
        ("slurm:nowhere.yaml", "nowhere.yaml"),
    ],
)  # fmt: skip
def test_an_engine_that_is_not_there_is_one_line(
    spec: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if spec.startswith("dask:"):
        pytest.importorskip("distributed")
        monkeypatch.setattr("mitools.backends.engines.dask.SECONDS_TO_ANSWER", 0.2)
    with pytest.raises(InputError) as refused:
        open_engine(spec, tmp_path)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_scheduler_without_workers_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    distributed = pytest.importorskip("distributed")
    monkeypatch.setattr(dask, "SECONDS_TO_ANSWER", 1)
    options = {"host": "127.0.0.1", "port": 0, "dashboard_address": None}
    alone = {"cls": distributed.Scheduler, "options": options}
    with distributed.SpecCluster(workers={}, scheduler=alone) as cluster:
        with pytest.raises(InputError, match=r"the scheduler has no worker; `dask worker ADDRESS") as refused:
            dask.DaskEngine("dask:tcp://there:8786", cluster.scheduler_address)
        assert "\n" not in str(refused.value)


def test_every_worker_has_its_share_of_cores_and_its_gpu(monkeypatch: Any) -> None:
    monkeypatch.setattr("mitools.backends.engines.local.cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4,6")
    assert [own_share(worker, 3) for worker in range(3)] == [
        {"OMP_NUM_THREADS": "2", "CUDA_VISIBLE_DEVICES": gpu} for gpu in ("4", "6", "4")
    ]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    monkeypatch.setattr("torch.cuda.device_count", lambda: 0)
    assert own_share(0, 2) == {}
    assert "CUDA_VISIBLE_DEVICES" not in os.environ


def test_a_cluster_that_all_workers_have_left_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dask, "SECONDS_WITHOUT_WORKERS", 0.06)
    engine = dask.DaskEngine.__new__(dask.DaskEngine)
    engine.spec, engine._cluster = "dask:tcp://there:8786", None
    workers = {"one": {}}
    engine._client = SimpleNamespace(scheduler_info=lambda n_workers: {"workers": workers})
    arrived: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    threading.Timer(0.3, arrived.put, [("task", None)]).start()
    assert engine._next(arrived) == ("task", None)
    workers.clear()
    with pytest.raises(EngineLostError, match="its last worker has left; what was finished is kept"):
        engine._next(arrived)


def test_lost_workers_are_looked_for_while_others_report() -> None:
    engine, asked = dask.DaskEngine.__new__(dask.DaskEngine), []
    engine.spec, engine._client = "dask:local?workers=2", None
    ended, well = (SimpleNamespace(status=SimpleNamespace(name=name)) for name in ("failed", "running"))
    engine._cluster = SimpleNamespace(
        workers={0: ended, 1: well},
        worker_spec={0: {}, 1: {}},
        scale=asked.append,
        loop=SimpleNamespace(add_callback=lambda what, *given: what(*given)),
    )
    arrived: SimpleQueue[tuple[str, Any]] = SimpleQueue()
    arrived.put(("task", ("squaring", 1, 2)))
    arrived.put(("task", None))
    assert engine._next(arrived) == ("task", ("squaring", 1, 2))
    assert engine._next(arrived) == ("task", None)
    assert asked == [2], "or a look every few seconds is one a message"
    assert engine._cluster.workers == {1: well}


@pytest.mark.slow
def test_a_worker_that_dask_gives_up_is_started_again(
    tasks: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed")
    monkeypatch.setattr(dask, "SECONDS_WITHOUT_WORKERS", 120.0)
    with opened("dask:local?workers=1", tmp_path) as engine:
        (nanny,) = engine._cluster.workers.values()
        engine._client.sync(nanny.close)
        found = engine.run(tasks.square, {"one": (3, str(tmp_path))}, [tmp_path / "shared"])
    assert found["one"].result == 9


def _listening() -> set[str]:
    """Addresses, as the system writes them, on which this process and those that it started listen."""
    own, parents = {str(os.getpid())}, {}
    for process in filter(str.isdecimal, os.listdir("/proc")):
        with suppress(OSError):
            parents[process] = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1]
    while more := {process for process, parent in parents.items() if parent in own} - own:
        own |= more
    sockets = set()
    for process in own:
        with suppress(OSError):
            sockets |= {os.readlink(file) for file in Path(f"/proc/{process}/fd").iterdir()}
    tables = [Path(f"/proc/net/{kind}").read_text() for kind in ("tcp", "tcp6")]
    lines = [line.split() for table in tables for line in table.splitlines()[1:]]
    return {one[1].partition(":")[0] for one in lines if one[3] == "0A" and f"socket:[{one[9]}]" in sockets}


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="other systems list their ports elsewhere")
@pytest.mark.parametrize("name", ["local?workers=1", "dask:local?workers=1"])
def test_engines_of_one_machine_listen_to_nobody_else(name: str, tasks: ModuleType, tmp_path: Path) -> None:
    if name.startswith("dask"):
        pytest.importorskip("distributed")
    before, seen = _listening(), set[str]()
    with opened(name, tmp_path) as engine:
        engine.run(
            tasks.square,
            {"two": (2, str(tmp_path))},
            [tmp_path / "shared"],
            lambda *step: seen.update(_listening() - before),
            lambda name, outcome: None,
        )
    assert seen == (set() if name.startswith("local") else {"0100007F"})
