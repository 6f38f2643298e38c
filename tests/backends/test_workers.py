"""Jobs in worker processes: results, progress, errors, and what is left when one of them dies."""

import importlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from mitools.backends.workers import in_workers

JOBS = '''
"""What the workers of the test do; nothing of it needs torch."""

import os, signal, time


class Odd(Exception):
    def __init__(self, a, b):
        super().__init__(f"{a} and {b}")


def square(job, advance):
    print("this is no answer")
    advance("squaring", 1, 2)
    return job * job


class Mine:
    """Of a program of its own, as far as pickle can tell."""


def fail(job, advance):
    if job == "odd":
        raise Odd(1, 2)
    if job == "function":
        return lambda: None
    if job == "of the worker's program":
        import __main__
        Mine.__module__, __main__.Mine = "__main__", Mine
        return Mine()
    if job == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    if job:
        raise ValueError(f"{job} is wrong")
    return os.getpid()


def sleep(job, advance):
    advance("sleeping", os.getpid(), 0)
    time.sleep(60)
'''


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    (tmp_path / "jobs_of_the_test.py").write_text(JOBS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("jobs_of_the_test")
    sys.modules.pop("jobs_of_the_test")


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_every_job_has_its_result_and_its_progress(jobs: ModuleType) -> None:
    said: list[Any] = []

    def advance(*words: object) -> None:
        said.append((*words, threading.current_thread() is threading.main_thread()))

    found = in_workers(jobs.square, {"c": 3, "a": 1, "b": 2}, 2, advance)
    assert [(name, outcome.result) for name, outcome in found.items()] == [("c", 9), ("a", 1), ("b", 4)]
    assert sorted(said) == [(name, "squaring", 1, 2, True) for name in "abc"]
    assert in_workers(jobs.square, {}, 2) == {}


class OfTheProgram:
    """Stands in the program that was started, which workers do not run."""


def test_one_that_fails_or_dies_leaves_the_others_alone(
    jobs: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OfTheProgram, "__module__", "__main__")
    monkeypatch.setattr(sys.modules["__main__"], "OfTheProgram", OfTheProgram, raising=False)
    given: dict[str, Any] = {
        "first": "two",
        "odd": "odd",
        "before": "",
        "not pickled": lambda: None,
        "not read by the worker": OfTheProgram(),
        "not answered": "function",
        "not read here": "of the worker's program",
        "after": "",
        "killed": "killed",
        "last": "",
    }
    found = in_workers(jobs.fail, given, 1)
    assert isinstance(found["first"].error, ValueError)
    assert str(found["first"].error) == "two is wrong"
    assert "in fail" in "".join(found["first"].error.__notes__), "or nobody learns where it was"
    # An exception that does not survive pickling comes as its words.
    assert str(found["odd"].error) == "Odd: 1 and 2"
    # What cannot pass between processes ends no worker.
    assert found["before"].result == found["after"].result != os.getpid()
    errors = [str(outcome.error) for name, outcome in found.items() if name.startswith("not")]
    assert [error.partition(" cannot pass between processes (")[0] for error in errors] == [
        "the task", "what was sent", "the result", "what was sent"
    ]  # fmt: skip
    assert all("\n" not in error and "a module that workers can import" in error for error in errors)
    assert "OfTheProgram" in errors[1]
    assert "was killed by signal 9; is there memory enough?" in str(found["killed"].error)
    assert found["last"].error is None
    assert found["last"].result not in (os.getpid(), found["after"].result)


def test_an_interrupt_ends_every_worker(jobs: ModuleType) -> None:
    working: set[int] = set()

    def advance(name: str, what: str, done: int, total: int) -> None:
        working.add(done)
        if len(working) == 2:
            raise KeyboardInterrupt

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        in_workers(jobs.sleep, dict.fromkeys("abc"), 2, advance)
    assert time.monotonic() - began < 50
    assert not any(is_alive(worker) for worker in working)


def test_a_worker_ends_when_its_caller_is_gone_and_no_program_needs_a_guard(
    jobs: ModuleType, tmp_path: Path
) -> None:
    """The program is not guarded by __name__, and is killed while its worker tells of progress."""
    program = tmp_path / "program.py"
    program.write_text(
        "import time\n"
        "from mitools.backends.workers import in_workers\n"
        "from ticking import tick\n"
        "in_workers(tick, {'a': 1}, 1, lambda *said: print(said[2], flush=True))\n"
    )
    (tmp_path / "ticking.py").write_text(
        "import os, time\n"
        "def tick(job, advance):\n"
        "    while True:\n"
        "        advance('ticking', os.getpid(), 0)\n"
        "        time.sleep(0.05)\n"
    )
    process = subprocess.Popen([sys.executable, str(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not is_alive(worker)


class _Large:
    def __reduce__(self) -> str:
        raise MemoryError("no room for it")


def test_only_what_is_not_importable_is_told_to_be() -> None:
    found = in_workers(abs, {"large": _Large(), "local": lambda: None}, 1)  # type: ignore[arg-type]
    assert str(found["large"].error) == "the task cannot pass between processes (MemoryError: no room for it)"
    assert "a module that workers can import" in str(found["local"].error)
