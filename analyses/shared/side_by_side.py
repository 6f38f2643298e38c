"""Work on the runs of an analysis: side by side on a CPU, one core each, or one after the other."""

import os
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, NamedTuple

import torch

from mitools.backends.runtime import Runtime
from mitools.backends.streams import stream_count
from mitools.backends.threads import all_threads
from mitools.backends.workers import in_workers
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.training.loop.trainer import NotFiniteError

KNOWN_ERRORS = (InputError, NotFiniteError, OSError)
"""What a run may end with that is no fault of the program."""

Work = Callable[[Any, Runtime, Advance | None], Any]
"""What is done with a job: called with it, with where it runs, and with what takes its progress."""


def side_by_side(
    work: Work,
    jobs: Mapping[str, Any],
    runtime: Runtime,
    counts: str,
    advance: Advance | None = None,
    noun: str = "run",
) -> dict[str, Any]:
    """Do independent jobs, on a CPU as many at once as there are cores.

    There each is done in a process of its own with its share of the cores: one thread, unless there are more
    cores than jobs. On a GPU, or where several processes share every job, one follows the other. A job that
    fails leaves the others alone.

    Parameters
    ----------
    work
        A function of a module.
    jobs
        By name.
    runtime
        Where one job after the other runs, and what precision all compute in.
    counts
        What the progress of a job counts; of jobs side by side the sum alone is shown.
    advance
        Called with what is being done, how much of it is done, and how much there is.
    noun
        What messages call a job.

    Returns
    -------
    dict
        What the work returned, in the order of `jobs`.

    Raises
    ------
    InputError, NotFiniteError, OSError
        As the work, with the name of the job, once the others are done.
    RuntimeError
        When a process was killed.
    """
    cores = stream_count(runtime.device) if runtime.processes == 1 else 1
    if min(cores, len(jobs)) < 2:
        return _one_after_the_other(work, jobs, runtime, advance, noun)
    shares = {
        name: _Share(work, job, runtime.precision, runtime.compiled, max(1, cores // len(jobs)))
        for name, job in jobs.items()
    }
    found = in_workers(_do, shares, cores, advance and _Sum(jobs, counts, advance, noun))
    _raise_named({name: outcome.error for name, outcome in found.items() if outcome.error}, noun)
    return {name: outcome.result for name, outcome in found.items()}


class _Share(NamedTuple):
    """A job for a worker, and how many threads are its share of the cores."""

    work: Work
    job: Any
    precision: str
    compiled: bool
    threads: int


def _do(share: _Share, advance: Advance) -> Any:
    # This process is one of several: what the environment allows is allowed to all of them together.
    os.environ.pop("OMP_NUM_THREADS", None)
    torch.set_num_threads(share.threads)
    with all_threads(share.threads):
        return share.work(share.job, Runtime("cpu", share.precision, share.compiled), advance)


def _one_after_the_other(
    work: Work, jobs: Mapping[str, Any], runtime: Runtime, advance: Advance | None, noun: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    errors: dict[str, Exception] = {}
    for name, job in jobs.items():
        try:
            found[name] = work(job, runtime, advance and partial(_named, advance, name))
        except KNOWN_ERRORS as error:
            errors[name] = error
            if runtime.processes > 1:  # the others may be elsewhere
                break
    _raise_named(errors, noun)
    return found


def _named(advance: Advance, name: str, what: str, done: int, total: int) -> None:
    advance(f"{name}: {what}", done, total)


class _Sum:
    """Adds up the progress of jobs side by side."""

    def __init__(self, names: Collection[str], counts: str, advance: Advance, noun: str) -> None:
        self._jobs, self._counts, self._advance, self._noun = len(names), counts, advance, noun
        self._progress: dict[str, tuple[int, int]] = {}

    def __call__(self, name: str, what: str, done: int, total: int) -> None:
        if what == self._counts:
            self._progress[name] = done, total
        if not self._progress:  # the first ones read their data
            self._advance(f"{name}: {what}", done, total)
            return
        done, known = (sum(numbers) for numbers in zip(*self._progress.values(), strict=True))
        # What has not begun is taken to be as long as the others are on average.
        self._advance(
            f"{self._jobs} {self._noun}s, {self._counts}", done, known * self._jobs // len(self._progress)
        )


def _raise_named(errors: Mapping[str, Exception], noun: str) -> None:
    """Raise one error for those of several jobs, of the first one's kind; nothing where there are none."""
    if not errors:
        return
    runs: dict[str, list[str]] = {}
    for name, error in errors.items():
        runs.setdefault(str(error), []).append(name)
    said = "; ".join(f"{noun} {', '.join(names)}: {text}" for text, names in runs.items())
    first = next(iter(errors.values()))
    for kind in KNOWN_ERRORS:
        if isinstance(first, kind):
            raise kind(said)
    unknown = RuntimeError(said)
    for note in getattr(first, "__notes__", ()):  # where it was raised in the worker
        unknown.add_note(note)
    raise unknown
