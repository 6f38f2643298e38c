"""A study on an engine: features by shards first, then the cells of each representation as one task."""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple

from mitools.backends.engines.base import Engine
from mitools.backends.engines.opened import opened, reading_processes
from mitools.backends.processes import own_device
from mitools.backends.workers import Outcome
from mitools.core.files import FULL_DISK, digest_text
from mitools.core.progress import Advance, silent, tell_whole
from mitools.core.specs import shown_name
from mitools.datasets.open import open_data
from mitools.features.extract import PassOptions
from mitools.features.shards import Pass, extract_on, open_encoder_spec
from mitools.features.store import FeatureStore
from mitools.measures.item_split import training_items
from mitools.studies.definition import Cell, Study
from mitools.studies.folder import StudyFolder
from mitools.studies.worker import Worker, described, grouped, representation_of
from mitools.views.item_views import ItemViews
from mitools.views.registry import make_view


class _Cells(NamedTuple):
    """The cells that read one representation, as a task."""

    study: Study
    out: Path
    root: Path
    options: PassOptions
    cells: Sequence[Cell]


def run_on(
    engine: Engine,
    folder: StudyFolder,
    store: FeatureStore,
    options: PassOptions,
    advance: Advance | None = None,
) -> None:
    """Do every cell that is neither done nor failed on the workers of an engine.

    Workers write into the study's folder and the feature store, which they share with this process. No cell
    is claimed: the engine gives each to one worker.

    Parameters
    ----------
    engine
        Where to.
    folder
        The study.
    store
        Where features are kept.
    options
        Device, batch size and decoding processes of the workers.
    advance
        Told how many cells are done, and of the steps of all workers.

    Raises
    ------
    EngineLostError
        When the engine has gone; what was finished is kept.
    """
    advance = advance or silent
    waiting = [one.cell for one in folder.found() if one.state in ("to do", "claimed")]
    groups = grouped(waiting, representation_of)
    passes = [one for number, group in enumerate(groups) for one in _passes(str(number), group[0], folder)]
    failed = extract_on(engine, passes, store=store, options=options, advance=advance)
    tasks = {}
    for number, group in enumerate(groups):
        if (error := failed.get(str(number))) is not None:
            _fail(folder, group, error)
        else:
            cells = _Cells(folder.study, folder.out.absolute(), store.root.absolute(), options, group)
            tasks[_task_name(folder, group)] = cells
    count = _Count(folder, tasks, advance)
    engine.run(_do_cells, tasks, [folder.out, store.root], advance, count)


def _passes(name: str, cell: Cell, folder: StudyFolder) -> list[Pass]:
    """Give the passes over all items that a cell needs."""
    data, encoder = partial(open_data, cell.data), partial(open_encoder_spec, cell.encoder)
    train, title = partial(training_items, seed=cell.seed), shown_name(cell.encoder)
    passes = [Pass(name, title, data, encoder, None, train)]
    if cell.view is not None:
        views = partial(_views, cell.view, folder.study.views, cell.seed)
        passes.append(Pass(name, title, data, encoder, views, train))
    return passes


def _views(name: str, count: int, seed: int) -> ItemViews:
    return ItemViews(make_view(name), count=count, seed=seed)


def _task_name(folder: StudyFolder, cells: Sequence[Cell]) -> str:
    """Say all that the cells of a task depend on."""
    requests = json.dumps([folder.request(cell) for cell in cells], sort_keys=True)
    return f"cells-{digest_text('task', str(folder.out.absolute()), requests)[:32]}"


def _do_cells(task: _Cells, advance: Advance) -> None:
    """Do the cells of one representation, on a worker."""
    folder = opened((task.study, task.out), lambda: StudyFolder(task.study, task.out))
    Worker(
        folder,
        FeatureStore(task.root),
        str(own_device(task.options.get("device", "cpu"))),
        task.options.get("batch_size", 256),
        reading_processes(task.options.get("workers", 0)),
        _Steps(advance),
        shared=False,
    ).run(task.cells)


class _Steps:
    """Takes the steps within cells; how many cells are done is counted where all are known."""

    def __init__(self, advance: Advance) -> None:
        self._advance = advance

    def __call__(self, what: str, done: int, total: int) -> None:
        if what != "cells":
            self._advance(what, done, total)

    def whole(self, what: str, done: float, total: int, step: float) -> None:
        """Take how far the task is."""


class _Count:
    """Counts the cells that have ended, and keeps why those of a task failed that wrote nothing itself."""

    def __init__(self, folder: StudyFolder, tasks: dict[str, _Cells], advance: Advance) -> None:
        self._folder, self._tasks, self._advance = folder, tasks, advance
        self._total = len(folder.cells)
        self._done = self._total - sum(len(task.cells) for task in tasks.values())
        self._tell()

    def __call__(self, name: str, outcome: Outcome) -> None:
        cells = self._tasks[name].cells
        if outcome.error is not None:
            _fail(self._folder, cells, outcome.error)
        self._done += len(cells)
        self._tell()

    def _tell(self) -> None:
        self._advance("cells", self._done, self._total)
        part = f"cell {min(self._done + 1, self._total)} of {self._total}"
        tell_whole(self._advance, part, self._done, self._total, 0.0)


def _fail(folder: StudyFolder, cells: Sequence[Cell], error: Exception) -> None:
    """Keep why cells failed; a full disk ends the command."""
    if isinstance(error, OSError) and error.errno in FULL_DISK:
        raise error
    for cell in cells:
        if folder.state_of(cell).state not in ("done", "failed"):
            folder.fail(cell, described(error))
