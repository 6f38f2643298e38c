"""What an engine is: it does independent tasks elsewhere, and again those whose worker was lost."""

import os
import secrets
import socket
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

from mitools.backends.engines.opened import begin_job
from mitools.backends.workers import Outcome, Step, WorkerLostError, attempt
from mitools.core.errors import InputError
from mitools.core.progress import Advance, silent

SECONDS_TO_APPEAR = 15.0
"""That a file on a shared disk may take until another machine sees it."""


class Call(NamedTuple):
    """A task as it travels to a worker.

    Attributes
    ----------
    function
        Of a module that the worker can import.
    task
        What it is called with, pickled on the way: names of data and files, and no features.
    folder
        The working folder of the command.
    version
        Of mitools there.
    marks
        Files that the command has written into the folders which its workers must share with it.
    job
        Which job of the command this belongs to; see :meth:`Engine.begin_job`.
    """

    function: Callable[[Any, Advance], object]
    task: Any
    folder: str
    version: str
    marks: tuple[str, ...]
    job: str = ""

    def perform(self, advance: Advance = silent) -> Outcome:
        """Do the task where this process is."""
        return attempt(self._checked, None, advance)

    def _checked(self, nothing: None, advance: Advance) -> object:
        """Do the task, once this is found to be a worker that can.

        Raises
        ------
        InputError
            When the worker has another version of mitools, or does not see the folders of the command.
        """
        here = f"the worker on {socket.gethostname()}"
        if (own := version("mitools")) != self.version:
            raise InputError(f"{here} has mitools {own} and the command {self.version}; install one version")
        try:
            os.chdir(self.folder)
        except OSError:
            raise InputError(
                f"{here} has no folder {self.folder}: workers must see the command's files at the same paths"
            ) from None
        for mark in self.marks:
            _wait_for(Path(mark), here)
        begin_job(self.job)
        return self.function(self.task, advance)


class Engine(ABC):
    """Does independent tasks in other processes or on other machines.

    What a task computes it writes into folders that the engine's workers share with the command; what it
    returns is small. Close it, or use it in a ``with`` block.

    Parameters
    ----------
    spec
        As the user named the engine; for messages.
    """

    reruns = 3
    """How often a task is done again whose worker was lost; after that it has failed."""

    def __init__(self, spec: str) -> None:
        self.spec = spec
        self._job = secrets.token_hex(8)

    def begin_job(self) -> None:
        """Have all that the following tasks read opened anew, here and on workers, however long they live.

        Tasks of one job share what a worker has opened; another job's data and weights may have changed.
        """
        self._job = secrets.token_hex(8)
        begin_job(self._job)

    @abstractmethod
    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        """Do every call once, and yield the steps and the outcome of each by its name.

        A call whose worker was lost ends with a :class:`~mitools.backends.workers.WorkerLostError`.

        Raises
        ------
        EngineLostError
            When nobody can be asked for the outcomes any more.
        """

    def close(self) -> None:  # noqa: B027 (most engines start nothing that outlives a run)
        """End what the engine has started."""

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def run(
        self,
        function: Callable[[Any, Advance], object],
        tasks: Mapping[str, Any],
        shared: Sequence[Path],
        advance: Advance | None = None,
        ended: Callable[[str, Outcome], None] | None = None,
    ) -> dict[str, Outcome]:
        """Do every task; one whose worker was lost is done again, and one that fails leaves the others alone.

        Parameters
        ----------
        function
            Of a module; called on a worker with a task and with what takes its progress.
        tasks
            By a name that says all they depend on: of two tasks of one name only one need be done.
        shared
            Folders that tasks write to. A worker that does not see them refuses its task.
        advance
            Told of the steps of all tasks, as they come.
        ended
            Told how each task ended, once it will not be done again.

        Returns
        -------
        dict
            How each task ended, by its name.

        Raises
        ------
        EngineLostError
            When the engine itself has gone.
        """
        outcomes: dict[str, Outcome] = {}
        with _marked(shared) as marks:
            calls = {
                name: Call(function, task, str(Path.cwd()), version("mitools"), marks, self._job)
                for name, task in tasks.items()
            }
            for last_time in (*[False] * self.reruns, True):
                for name, outcome in self._once(calls, advance):
                    if last_time or not isinstance(outcome.error, WorkerLostError):
                        outcomes[name] = outcome
                        if ended:
                            ended(name, outcome)
                calls = {name: call for name, call in calls.items() if name not in outcomes}
                if not calls:
                    break
        return {name: outcomes[name] for name in tasks}

    def _once(self, calls: Mapping[str, Call], advance: Advance | None) -> Iterator[tuple[str, Outcome]]:
        with closing(self.messages(calls)) as messages:
            for name, message in messages:
                if isinstance(message, Outcome):
                    yield name, message
                elif advance:
                    advance(*message)


@contextmanager
def _marked(folders: Sequence[Path]) -> Iterator[tuple[str, ...]]:
    """Write a file into each folder, by which a worker knows that it sees the same one."""
    marks = [folder.absolute() / f".engine-{secrets.token_hex(8)}" for folder in folders]
    try:
        for mark in marks:
            mark.parent.mkdir(parents=True, exist_ok=True)
            mark.touch()
        yield tuple(map(str, marks))
    finally:
        for mark in marks:
            mark.unlink(missing_ok=True)


def _wait_for(mark: Path, here: str) -> None:
    deadline = time.monotonic() + SECONDS_TO_APPEAR
    while not mark.exists():
        if time.monotonic() > deadline:
            raise InputError(
                f"{here} does not see the same {mark.parent} as the command; name folders that both share"
            )
        time.sleep(0.2)
