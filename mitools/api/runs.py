"""Training runs, and studies of many encoders on many data sets."""

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mitools.api.arguments import Folder, as_recipe

if TYPE_CHECKING:
    from mitools.core.progress import Advance
    from mitools.results.study import StudyResult
    from mitools.results.training import TrainedRun
    from mitools.studies.definition import Study
    from mitools.training.recipes import TrainingRecipe


def train(
    recipe: "TrainingRecipe | Mapping[str, Any] | str | PathLike[str]",
    folder: Folder = None,
    *,
    device: str = "auto",
    precision: str = "float32",
    compiled: bool = False,
    progress: "bool | Advance" = True,
) -> "TrainedRun":
    """Train an encoder, or go on with a run that was stopped.

    Parameters
    ----------
    recipe
        What to train, on what, how: a :class:`mitools.training.recipes.TrainingRecipe`, its keys and values,
        or the path of a YAML file.
    folder
        The run's folder; one that goes with the result when None.
    device
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    precision
        ``float32``, ``tf32`` or ``bf16``.
    compiled
        Whether the network goes through ``torch.compile``.
    progress
        As for :func:`audit`.

    Returns
    -------
    TrainedRun
        ``.encoder`` (a module), ``.spec`` (for :func:`audit`), ``.metrics``, ``.save(folder)``.

    Raises
    ------
    InputError
        When the recipe is malformed or does not fit the data, or another recipe's run lies in the folder.
    mitools.training.loop.trainer.NotFiniteError
        When the loss is not finite; it names the checkpoint that is kept.

    Examples
    --------
    >>> import mitools
    >>> recipe = {"encoder": "convnet", "data": "digits?limit=100", "method": "cross_entropy"}
    >>> run = mitools.train(recipe | {"epochs": 1, "batch_size": 50}, progress=False)
    >>> run.epochs, run.encoder.training
    ([1], False)
    """
    from tempfile import TemporaryDirectory

    from mitools.backends.processes import require_shared
    from mitools.backends.runtime import Runtime
    from mitools.core.files import writable_folder
    from mitools.core.progress import shown
    from mitools.results.training import TrainedRun
    from mitools.training.loop.run_folder import RunFolder
    from mitools.training.loop.trainer import train as run
    from mitools.training.recipes import TrainingRecipe

    wanted = as_recipe(recipe, TrainingRecipe, "recipe")
    require_shared(folder)
    temporary = TemporaryDirectory(prefix="mitools-") if folder is None else None
    out = Path(temporary.name) if temporary else writable_folder(folder)  # type: ignore[arg-type]
    RunFolder(out).require_own()
    runtime = Runtime(device, precision, compiled)
    with shown(progress if runtime.is_main else False) as advance:
        trained = run(wanted, out, runtime, advance)
    runtime.close()
    return TrainedRun(trained, temporary)


def study(
    study: "Study | Mapping[str, Any] | str | PathLike[str]",
    folder: Folder = None,
    *,
    html: bool = True,
    retry_failed: bool = False,
    device: str = "auto",
    batch_size: int = 256,
    workers: int = 0,
    cache: Folder = None,
    progress: "bool | Advance" = True,
    engine: str | None = None,
) -> "StudyResult":
    """Measure many encoders on many data sets, by every pairing, estimator, metric and seed asked for.

    Any number of processes and machines may work on one folder; finished cells are never computed again.

    Parameters
    ----------
    study
        What is asked for: a :class:`mitools.studies.definition.Study`, its keys and values, or the path of a
        YAML file.
    folder
        Where cells are kept; nowhere when None.
    html
        Write the page ``report.html`` into the folder too.
    retry_failed
        Try again what has failed in that folder.
    device, batch_size, workers, cache, progress, engine
        As for :func:`audit`.

    Returns
    -------
    StudyResult
        ``.table`` (one row an encoder and data set), ``.cells``, ``.failures``, ``.correlate(target)``,
        ``.save(folder)``.

    Raises
    ------
    InputError
        When the study is malformed, or the engine does not answer.
    mitools.core.errors.EngineLostError
        When the engine has gone; the same call goes on with what was finished.

    Examples
    --------
    >>> import mitools
    >>> asked = {"data": ["digits?limit=200"], "encoders": ["builtin:pixels"], "metrics": ["linear_acc"]}
    >>> found = mitools.study(asked, progress=False)
    >>> sorted(found.table.columns)
    ['data', 'encoder', 'family', 'linear_acc', 'same_class:class_posterior', 'seeds']
    """
    from mitools.backends.engines.open import engine_or_none
    from mitools.backends.processes import own_device, process_rank, require_shared
    from mitools.core.errors import InputError
    from mitools.core.files import folder_or_scratch
    from mitools.core.progress import shown, writing
    from mitools.features.extract import PassOptions
    from mitools.features.store import FeatureStore
    from mitools.results.study import StudyResult
    from mitools.studies.definition import Study
    from mitools.studies.folder import StudyFolder
    from mitools.studies.spread import run_on
    from mitools.studies.worker import Worker

    wanted = as_recipe(study, Study, "study")
    require_shared(folder)
    if engine is not None and (folder is None or cache is None):
        raise InputError(f"engine {engine}: name folder= and cache=, which its workers share")
    bar = shown(progress if process_rank() == 0 else False)
    started = engine_or_none(engine, Path(folder or "") / "jobs")
    with (
        started as at_work,
        bar as advance,
        folder_or_scratch(folder) as out,
        folder_or_scratch(cache) as kept,
    ):
        kept_cells = StudyFolder(wanted, out)
        if folder is not None and process_rank() == 0:
            kept_cells.begin()
        if retry_failed:
            kept_cells.forget_failures()
        store = FeatureStore(kept)
        if at_work is None:
            Worker(kept_cells, store, str(own_device(device)), batch_size, workers, advance).run()
        else:
            options: PassOptions = {"device": device, "batch_size": batch_size, "workers": workers}
            run_on(at_work, kept_cells, store, options, advance)
        result = StudyResult(kept_cells)
    if folder is not None and process_rank() == 0:
        with writing(progress):
            result.save(folder, html=html)
    return result
