"""How an analysis trains its encoders: side by side on a CPU, each gone on with where it stopped."""

import os
from collections.abc import Collection, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import torch

from mitools.backends.runtime import Runtime
from mitools.backends.streams import stream_count
from mitools.backends.workers import in_workers
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.specs import parse_spec
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import TRAINED_ON, NotFiniteError, train, with_all_options
from mitools.training.recipes import TrainingRecipe

RUNS = "runs"
"""Folder of an analysis under which its runs lie."""

KNOWN_ERRORS = (InputError, NotFiniteError, OSError)
"""What a run may end with that is no fault of the program."""


class _Job(NamedTuple):
    """A run that a worker trains.

    Attributes
    ----------
    recipe, out
        As :func:`mitools.training.loop.trainer.train` takes them.
    precision, compiled
        As :class:`mitools.backends.runtime.Runtime` takes them.
    most_threads
        The worker's share of the cores.
    """

    recipe: TrainingRecipe
    out: Path
    precision: str
    compiled: bool
    most_threads: int


def train_all(
    recipes: Mapping[str, TrainingRecipe], out: Path, runtime: Runtime, advance: Advance | None = None
) -> dict[str, RunFolder]:
    """Train every run that is not finished yet, each in ``OUT/runs/NAME``.

    On a CPU the runs are trained side by side, as many as there are cores, each in a process of its own with
    its share of the cores (one thread, unless there are more cores than runs). On a GPU, or in several
    processes that train every run together, one follows the other. A run that fails leaves the others alone.

    The untrained network is kept as epoch 0: what it holds already, training did not bring.

    Parameters
    ----------
    recipes
        By the run's name.
    out
        Folder of the analysis.
    runtime
        Device, precision and processes.
    advance
        Called with the run's name and what the trainer says; of runs side by side, with the images that all
        have been trained on.

    Returns
    -------
    dict
        The runs by name, in the order of `recipes`.

    Raises
    ------
    InputError, NotFiniteError, OSError
        As :func:`mitools.training.loop.trainer.train`, with the name of the run, once the others are done;
        what is finished is kept.
    RuntimeError
        When a process was killed.
    """
    folders = {name: RunFolder(out / RUNS / name) for name in recipes}
    wanted = {name: _with_untrained(recipe) for name, recipe in recipes.items()}
    cores = stream_count(runtime.device) if runtime.processes == 1 else 1
    share = max(1, cores // len(wanted))
    jobs = {
        name: _Job(recipe, folders[name].path, runtime.precision, runtime.compiled, share)
        for name, recipe in wanted.items()
        if not folders[name].is_finished(recipe)
    }
    if min(cores, len(jobs)) > 1:
        outcomes = in_workers(_train_in_worker, jobs, cores, advance and _Together(wanted, advance))
        errors = {name: outcome.error for name, outcome in outcomes.items() if outcome.error}
    else:
        errors = _train_in_turn(jobs, runtime, advance)
    if errors:
        raise _named_error(errors)
    return folders


def with_options(spec: str, **options: str) -> str:
    """Add options to a spec.

    Examples
    --------
    >>> with_options("cdp?size=32", shared="color")
    'cdp?size=32&shared=color'
    """
    added = "&".join(f"{key}={value}" for key, value in options.items())
    return f"{spec}{'&' if '?' in spec else '?'}{added}"


def require_held_out(training: str, evaluation: str) -> None:
    """Refuse to evaluate on what is trained on: one source, one name, one part and one seed.

    Raises
    ------
    InputError
        When the two specs draw from the same images.
    """
    ours, theirs = (_parts(spec) for spec in (training, evaluation))
    if ours == theirs:
        raise InputError(
            f"evaluation data {evaluation!r} would be the images trained on ({training!r}); name another"
            " part (part=test) or seed"
        )


def _with_untrained(recipe: TrainingRecipe) -> TrainingRecipe:
    return with_all_options(recipe.model_copy(update={"keep_every": recipe.keep_every or recipe.epochs}))


def _parts(spec: str) -> tuple[str, str, str, str]:
    parsed = parse_spec(spec, [spec.partition("?")[0].partition(":")[0]])
    return parsed.source, parsed.name, parsed.options.get("part", "train"), parsed.options.get("seed", "0")


def _train_in_worker(job: _Job, advance: Advance) -> None:
    # This process is one of several: what the environment allows is allowed to all of them together.
    os.environ.pop("OMP_NUM_THREADS", None)
    torch.set_num_threads(job.most_threads)
    train(job.recipe, job.out, Runtime("cpu", job.precision, job.compiled), advance)


def _train_in_turn(
    jobs: Mapping[str, _Job], runtime: Runtime, advance: Advance | None
) -> dict[str, Exception]:
    """Train one run after the other; returns what went wrong, by the run's name."""
    errors: dict[str, Exception] = {}
    for name, job in jobs.items():
        try:
            train(job.recipe, job.out, runtime, advance and partial(_named, advance, name))
        except KNOWN_ERRORS as error:
            errors[name] = error
            if runtime.processes > 1:  # the others may be elsewhere
                break
    return errors


def _named(advance: Advance, name: str, what: str, done: int, total: int) -> None:
    advance(f"{name}: {what}", done, total)


class _Together:
    """Adds up the progress of runs side by side."""

    def __init__(self, names: Collection[str], advance: Advance) -> None:
        self._names, self._advance = names, advance
        self._progress: dict[str, tuple[int, int]] = {}

    def __call__(self, name: str, what: str, done: int, total: int) -> None:
        if what == TRAINED_ON:
            self._progress[name] = done, total
        if not self._progress:  # the first runs read their data
            self._advance(f"{name}: {what}", done, total)
            return
        done, known = (sum(numbers) for numbers in zip(*self._progress.values(), strict=True))
        # What has not begun is taken to be as long as the others are on average.
        total = known * len(self._names) // len(self._progress)
        self._advance(f"{len(self._names)} runs, {TRAINED_ON}", done, total)


def _named_error(errors: Mapping[str, Exception]) -> Exception:
    """Make one error of those of several runs, of the first one's kind."""
    first = next(iter(errors.values()))
    runs: dict[str, list[str]] = {}
    for name, error in errors.items():
        runs.setdefault(str(error), []).append(name)
    said = "; ".join(f"run {', '.join(names)}: {text}" for text, names in runs.items())
    for kind in KNOWN_ERRORS:
        if isinstance(first, kind):
            return kind(said)
    unknown = RuntimeError(said)
    for note in getattr(first, "__notes__", ()):  # where it was raised in the worker
        unknown.add_note(note)
    return unknown
