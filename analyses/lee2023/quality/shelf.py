"""A shelf of small encoders that is trained once, and what belongs together on it."""

from collections.abc import Sequence
from pathlib import Path

from mitools.analyses.shared.training_runs import train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.open import open_encoder
from mitools.encoders.sources.run import kept_epochs, read_run_recipe, run_spec
from mitools.training.recipes import TrainingRecipe

SHELF = "encoder_shelf"
"""The folder of the shelf, beside that of the study: another run of it finds the encoders there."""


def fill_shelf(
    runs: Sequence[TrainingRecipe],
    seeds: Sequence[int],
    folder: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> list[str]:
    """Train what is not there yet, and give every kept epoch of every run: specs, no two of the same weights.

    Parameters
    ----------
    runs
        Called by their method; a further one of a method by its number as well.
    seeds
        Each run is trained once for every one, and no two runs from the same network.
    folder
        Of the shelf.
    runtime, advance
        As for :func:`mitools.analyses.shared.training_runs.train_all`.
    """
    # Runs that start from one network are no independent samples: each has a seed of its own.
    recipes = {
        f"{name}-{seed}": run.model_copy(update={"seed": seed * len(runs) + place})
        for place, (name, run) in enumerate(zip(_names(runs), runs, strict=True))
        for seed in seeds
    }
    trained = train_all(recipes, folder, runtime, advance)
    specs = {
        open_encoder(spec).digest: spec
        for found in reversed(trained.values())
        for epoch in kept_epochs(found.path)
        for spec in [run_spec(found.path, epoch, name=f"{found.path.name}@{epoch}")]
    }
    return sorted(specs.values())


def _names(runs: Sequence[TrainingRecipe]) -> list[str]:
    methods = [run.method for run in runs]
    numbers = [methods[:place].count(method) + 1 for place, method in enumerate(methods)]
    return [
        method if number == 1 else f"{method}_{number}"
        for method, number in zip(methods, numbers, strict=True)
    ]


def family_of(spec: str) -> str:
    """Name the method that an encoder was trained by, and on what data; empty for what is no run.

    The untrained network of a run belongs there as well: it is where that starts from.
    """
    folder = run_of(spec)
    if folder is None:
        return ""
    recipe = read_run_recipe(folder)
    return f"{recipe['method']} on {recipe['data']}"


def run_of(spec: str) -> Path | None:
    """Give the folder of a run's spec; None for other encoders."""
    if not spec.startswith("run:"):
        return None
    return Path(spec.removeprefix("run:").partition("@")[0].partition("?")[0])
