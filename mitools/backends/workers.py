"""Independent jobs side by side, each in a process of its own, with progress and errors by name."""

import os
import pickle
import signal
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Mapping
from contextlib import closing, suppress
from queue import SimpleQueue
from threading import Lock, Thread
from typing import IO, Any, NamedTuple, TypeVar

from mitools.core.errors import InputError, reason_of
from mitools.core.progress import Advance

Job = TypeVar("Job")

Step = tuple[str, int, int]
"""What is being done, how much of it is done, and how much there is."""


_NOT_FOUND_BY_NAME = (pickle.PicklingError, AttributeError, ImportError, TypeError)
"""What pickle raises of functions and classes that the other side cannot import."""


class WorkerLostError(RuntimeError):
    """A job ended with its process, and said nothing: it was killed, or memory ran out."""


class Outcome(NamedTuple):
    """How a job ended.

    Attributes
    ----------
    result
        What its function returned; None where it failed.
    error
        What its function raised; None where it did not.
    """

    result: Any = None
    error: Exception | None = None


def in_workers(
    function: Callable[[Job, Advance], object],
    jobs: Mapping[str, Job],
    workers: int,
    advance: Callable[[str, str, int, int], None] | None = None,
) -> dict[str, Outcome]:
    """Do every job in one of several processes; one that fails leaves the others alone.

    Parameters
    ----------
    function, jobs, workers
        As :func:`worker_messages` takes them.
    advance
        Called with a job's name and its progress, in the calling thread.

    Returns
    -------
    dict
        How each job ended, in the order of `jobs`.
    """
    ended: dict[str, Outcome] = {}
    with closing(worker_messages(function, jobs, workers)) as messages:
        for name, message in messages:
            if isinstance(message, Outcome):
                ended[name] = message
            elif advance:
                advance(name, *message)
    return {name: ended[name] for name in jobs}


def worker_messages(
    function: Callable[[Job, Advance], object],
    jobs: Mapping[str, Job],
    workers: int,
    environment: Callable[[int], Mapping[str, str]] = lambda worker: {},
) -> Generator[tuple[str, Outcome | Step], None, None]:
    """Do every job in one of several processes, and yield their progress and how each ended.

    A worker is a fresh interpreter that imports the function by its module's name: nothing of the calling
    program is run again, and it need not be guarded by ``if __name__ == "__main__"``. A worker whose caller
    is gone ends at its next progress; when the generator is closed, as an interrupt does, all workers are
    ended first.

    Parameters
    ----------
    function
        Of a module, not of the calling program; called with the job and with what it tells its progress to.
    jobs
        By name; taken up in this order. They, results and errors are pickled.
    workers
        How many processes at the most.
    environment
        Told a worker's number; gives the variables that it has beside those of this process.

    Yields
    ------
    tuple
        A job's name, and a step of it or its outcome.
    """
    waiting, messages = deque(jobs.items()), SimpleQueue[tuple[str, Outcome | Step]]()
    started = [_Worker(environment(number)) for number in range(min(workers, len(jobs)))]
    threads = [Thread(target=_attend, args=(worker, function, waiting, messages)) for worker in started]
    ended = 0
    try:
        for thread in threads:
            thread.start()
        while ended < len(jobs):
            name, message = messages.get()
            ended += isinstance(message, Outcome)
            yield name, message
    finally:
        waiting.clear()
        for worker in started:
            worker.end()
        for thread in threads:
            thread.join()


def _attend(
    worker: "_Worker", function: Callable[..., object], waiting: deque, messages: SimpleQueue
) -> None:
    """Give a worker one job after the other, and hand on what it says."""
    while True:
        try:
            name, job = waiting.popleft()
        except IndexError:
            return
        for message in worker.do(function, job):
            messages.put((name, message))


class _Worker:
    """An interpreter that does jobs; it is started anew when it has died."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = {**os.environ, **environment}
        self._lock = Lock()  # two threads: one has it do jobs, the other ends it
        self._is_ended = False
        self._process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        code = (
            f"import sys; sys.path[:] = {sys.path!r}; from mitools.backends import workers; workers.serve()"
        )
        return subprocess.Popen(
            [sys.executable, "-P", "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=self._environment,
        )

    def do(self, function: Callable[..., object], job: object) -> Any:
        """Yield the progress of a job, and at last how it ended."""
        with self._lock:
            if self._process.poll() is not None and not self._is_ended:
                self._process = self._start()
        to, back = self._process.stdin, self._process.stdout
        assert to is not None
        assert back is not None
        try:
            task = pickle.dumps((function, job))
        except Exception as error:
            yield Outcome(error=_cannot_travel("the task", error))
            return
        try:
            _send(task, to)
            while not isinstance(message := _unpickled(_received(back)), Outcome):
                yield message
            yield message
        except (EOFError, OSError, pickle.UnpicklingError):
            code = self._process.wait()
            how = f"was killed by signal {-code}" if code < 0 else f"ended with exit code {code}"
            yield Outcome(error=WorkerLostError(f"its process {how}; is there memory enough?"))

    def end(self) -> None:
        """End the interpreter, whatever it does."""
        with self._lock:
            self._is_ended = True
            self._process.kill()
            self._process.wait()


def serve() -> None:
    """Do the jobs that arrive on stdin, as a worker, and answer on what was stdout."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is the caller's: it ends its workers
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a job prints is not an answer

    def advance(what: str, done: int, total: int) -> None:
        try:
            _send(pickle.dumps((what, done, total)), answers)
        except OSError:
            os._exit(1)  # nobody waits for this any more

    while True:
        try:
            task = _received(sys.stdin.buffer)
        except EOFError:
            return
        received = _unpickled(task)
        if not isinstance(received, Outcome):
            function, job = received
            received = attempt(function, job, advance)
        with suppress(OSError):
            _send(_pickled(received), answers)


def _send(pickled: bytes, to: IO[bytes]) -> None:
    """Write what was pickled as one whole, which is taken from the pipe whatever is wrong with it."""
    pickle.dump(pickled, to)
    to.flush()


def _received(back: IO[bytes]) -> bytes:
    """Read one whole.

    Raises
    ------
    EOFError
        When the other side has gone.
    """
    pickled: bytes = pickle.load(back)
    return pickled


def _pickled(outcome: Outcome) -> bytes:
    """Pickle how a job ended; where its result cannot be, why."""
    try:
        return pickle.dumps(outcome)
    except Exception as error:
        return pickle.dumps(Outcome(error=_cannot_travel("the result", error)))


def _unpickled(pickled: bytes) -> Any:
    """Give what was sent; where this side cannot read it, why, as the outcome of the job."""
    try:
        return pickle.loads(pickled)
    except Exception as error:
        return Outcome(error=_cannot_travel("what was sent", error))


def _cannot_travel(what: str, error: Exception) -> InputError:
    said = f"{what} cannot pass between processes ({reason_of(error)})"
    if isinstance(error, _NOT_FOUND_BY_NAME):
        said += (
            "; functions and classes in it must be of a module that workers can import, and not of the"
            " program that was started"
        )
    return InputError(said)


def attempt(function: Callable[[Job, Advance], object], job: Job, advance: Advance) -> Outcome:
    """Do a job, and give its result or what it raised, with where it was raised as a note."""
    try:
        return Outcome(function(job, advance))
    except Exception as error:
        error.add_note(traceback.format_exc())
        return Outcome(error=_picklable(error))


def _picklable(error: Exception) -> Exception:
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error
