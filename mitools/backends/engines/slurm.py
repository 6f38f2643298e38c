"""Tasks as SLURM jobs, one a job, through submitit."""

import io
import sys
import time
from collections import deque
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from mitools.backends.engines.base import Call, Engine
from mitools.backends.workers import Outcome, Step, WorkerLostError
from mitools.core.errors import EngineLostError, InputError, reason_of
from mitools.core.optional_packages import need
from mitools.core.recipes import Recipe, read_recipe

POLL_SECONDS = 1.0

SECONDS_BETWEEN_STATES = 60.0
"""After which SLURM is asked again which jobs still run: one that it stopped leaves no result to be seen."""


class Submission(Recipe):
    """The content of the file that says what jobs ask SLURM for.

    Attributes
    ----------
    jobs
        How many work at once.
    partition, account, constraint
        As SLURM names them; its own defaults when None.
    minutes
        After which SLURM stops a job.
    cpus, gpus, memory_gb
        Of each job.
    """

    jobs: Annotated[int, Field(ge=1)] = 1
    partition: str | None = None
    account: str | None = None
    constraint: str | None = None
    minutes: Annotated[int, Field(ge=1)] = 60
    cpus: Annotated[int, Field(ge=1)] = 4
    gpus: Annotated[int, Field(ge=0)] = 0
    memory_gb: Annotated[int, Field(ge=1)] = 16


def open_executor(wanted: Submission, logs: Path, asked_by: str, cluster: str = "slurm") -> Any:
    """Give what submits jobs.

    Parameters
    ----------
    wanted
        What each job asks for.
    logs
        Folder for the jobs' output, seen by all machines.
    asked_by
        For messages.
    cluster
        ``slurm``, or ``local`` for processes of this machine in its place.

    Raises
    ------
    InputError
        When submitit is not installed, or there is no SLURM here.
    """
    submitit = need("submitit", "cluster", asked_by)
    try:
        executor = submitit.AutoExecutor(folder=logs, cluster=cluster)
    except RuntimeError as error:
        raise InputError(f"{asked_by}: no SLURM on this machine ({error})") from None
    executor.update_parameters(**_parameters(wanted))
    return executor


def submit_commands(recipe: Path, command: list[str], logs: Path, cluster: str = "slurm") -> list[str]:
    """Submit one command of ``mitools`` several times, as jobs that share a folder by themselves.

    Parameters
    ----------
    recipe
        A YAML file, a :class:`Submission`; as many jobs as it says are submitted.
    command
        Arguments of ``mitools``.
    logs, cluster
        As :func:`open_executor` takes them.

    Returns
    -------
    list of str
        The jobs' numbers.

    Raises
    ------
    InputError
        When the file is malformed, submitit is not installed, there is no SLURM here, or it refuses the jobs.
    """
    wanted = read_recipe(recipe, Submission)
    executor = open_executor(wanted, logs, "--submit", cluster)
    run = need("submitit", "cluster", "--submit").helpers.CommandFunction(
        [sys.executable, "-P", "-m", "mitools", *command]
    )
    with _refusals() as refused, executor.batch():
        jobs = [executor.submit(run) for _ in range(wanted.jobs)]
    if refused:
        raise InputError(_refused("--submit", refused[0], recipe))
    return [job.job_id for job in jobs]


class SlurmEngine(Engine):
    """Does every task in a job of its own, as many at once as the file says.

    A job that SLURM stopped (time, preemption, a lost node) counts as a lost worker.

    Parameters
    ----------
    spec
        As the user named the engine.
    recipe
        A YAML file, a :class:`Submission`.
    logs, cluster
        As :func:`open_executor` takes them.

    Raises
    ------
    InputError
        As :func:`submit_commands`.
    """

    def __init__(self, spec: str, recipe: Path, logs: Path, cluster: str = "slurm") -> None:
        super().__init__(spec)
        wanted = read_recipe(recipe, Submission)
        self._at_once, self._recipe = wanted.jobs, recipe
        self._has_submitted = False
        self._executor = open_executor(wanted, logs, f"engine {spec}", cluster)
        self._working: dict[str, Any] = {}

    def messages(self, calls: Mapping[str, Call]) -> Generator[tuple[str, Outcome | Step], None, None]:
        """Do every call once, and yield the outcome of each by its name; jobs tell of no steps.

        Raises
        ------
        InputError
            When SLURM refuses the first job.
        EngineLostError
            When it refuses a later one.
        """
        waiting, asked = deque(calls.items()), time.monotonic()
        try:
            while waiting or self._working:
                while waiting and len(self._working) < self._at_once:
                    name, call = waiting.popleft()
                    self._working[name] = self._submit(call)
                if time.monotonic() - asked > SECONDS_BETWEEN_STATES:
                    asked = time.monotonic()
                    next(iter(self._working.values())).done(force_check=True)  # learns the state of all
                ended = [name for name, job in self._working.items() if job.done()]
                for name in ended:
                    yield name, _outcome(self._working.pop(name))
                if not ended:
                    time.sleep(POLL_SECONDS)
        finally:
            self._cancel()

    def _submit(self, call: Call) -> Any:
        with _refusals() as refused:
            job = self._executor.submit(call.perform)
        if not refused:
            self._has_submitted = True
            return job
        said = _refused(f"engine {self.spec}", refused[0], self._recipe)
        if not self._has_submitted:
            raise InputError(said)
        raise EngineLostError(f"{said}; what was finished is kept, and the same command goes on from there")

    def _cancel(self) -> None:
        for job in self._working.values():
            job.cancel(check=False)
        self._working.clear()


@contextmanager
def _refusals() -> Iterator[list[str]]:
    """Collect why SLURM takes no job, in place of an error; submitit would print it too."""
    found: list[str] = []
    with redirect_stderr(io.StringIO()):
        try:
            yield found
        except OSError as error:  # the folder of the jobs, or sbatch itself
            found.append(reason_of(error))
        except RuntimeError as error:
            if not type(error).__module__.startswith("submitit"):
                raise
            found.append(" ".join(str(error).split())[:300] or reason_of(error))


def _refused(asked_by: str, reason: str, recipe: Path) -> str:
    return (
        f"{asked_by}: SLURM takes no job ({reason}); correct what {recipe} asks for, or see by `sinfo`"
        " whether SLURM answers"
    )


def _outcome(job: Any) -> Outcome:
    from submitit.core.utils import UncompletedJobError

    try:
        return job.result()
    except UncompletedJobError as error:
        first = reason_of(error).partition("---")[0]
        return Outcome(error=WorkerLostError(f"SLURM job {job.job_id} ended without a result: {first}"))


def _parameters(wanted: Submission) -> dict[str, Any]:
    names = {"partition": wanted.partition, "account": wanted.account, "constraint": wanted.constraint}
    return {
        "timeout_min": wanted.minutes,
        "cpus_per_task": wanted.cpus,
        "gpus_per_node": wanted.gpus,
        "mem_gb": wanted.memory_gb,
        **{f"slurm_{name}": value for name, value in names.items() if value is not None},
    }
