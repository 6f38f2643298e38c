"""How an analysis trains its encoders: side by side on a CPU, each gone on with where it stopped."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from mitools.analyses.shared.side_by_side import side_by_side
from mitools.backends.runtime import Runtime
from mitools.core.errors import InputError
from mitools.core.progress import Advance
from mitools.core.specs import parse_spec
from mitools.training.loop.run_folder import RunFolder
from mitools.training.loop.trainer import TRAINED_ON, train, with_all_options
from mitools.training.recipes import TrainingRecipe

RUNS = "runs"
"""Folder of an analysis under which its runs lie."""


def train_all(
    recipes: Mapping[str, TrainingRecipe], out: Path, runtime: Runtime, advance: Advance | None = None
) -> dict[str, RunFolder]:
    """Train every run that is not finished yet, each in ``OUT/runs/NAME``, side by side on a CPU.

    The untrained network is kept as epoch 0: what it holds already, training did not bring.

    Parameters
    ----------
    recipes
        By the run's name.
    out
        Folder of the analysis.
    runtime
        Device, precision and processes; several processes train every run together.
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
    left = {
        name: (recipe, folders[name].path)
        for name, recipe in wanted.items()
        if not folders[name].is_finished(recipe)
    }
    side_by_side(_train, left, runtime, TRAINED_ON, advance)
    return folders


def in_training_columns(folder: RunFolder) -> dict[str, float]:
    """Average the estimate of a run over its last epoch; it is in-sample, so no valid interval exists.

    Returns
    -------
    dict
        ``in_training_bits`` and ``in_training_ceiling_bits``.
    """
    records = folder.metrics()
    steps = [b - a for a, b in pairwise([-1, *(record["step"] for record in records)])]
    last = [record["epoch"] == records[-1]["epoch"] for record in records]
    bits = np.array([record["in_training_bits"] for record in records])
    return {
        "in_training_bits": float(np.average(bits[last], weights=np.array(steps)[last])),
        "in_training_ceiling_bits": records[-1]["ceiling_bits"],
    }


def with_options(spec: str, **options: str) -> str:
    """Add options to a spec.

    Examples
    --------
    >>> with_options("cdp?size=32", shared="color")
    'cdp?size=32&shared=color'
    """
    added = "&".join(f"{key}={value}" for key, value in options.items())
    return f"{spec}{'&' if '?' in spec else '?'}{added}"


def runs_of_different_methods(
    runs: tuple[TrainingRecipe, ...], shared: Sequence[str], what: str
) -> tuple[TrainingRecipe, ...]:
    """Give the runs back where nothing but their methods, and what belongs to these, differs.

    Parameters
    ----------
    runs
        One a method.
    shared
        The keys that all must have in common.
    what
        The study's word for a method.

    Raises
    ------
    ValueError
        When a method comes twice or a setting differs.
    """
    names = [one.method for one in runs]
    if len(set(names)) < len(names):
        raise ValueError(f"every {what} is run once")
    for name in shared:
        if len({getattr(one, name) for one in runs}) > 1:
            raise ValueError(f"all runs must have the same {name}")
    return runs


_CHOOSING = {"part": "train", "seed": "0", "split": "train", "root": "", "under": ""}
"""Options of data specs by which other items are drawn, and what they are where they are not given."""


def require_held_out(training: str, evaluation: str) -> None:
    """Refuse to evaluate on what is trained on: one source and name, and no option that chooses other items.

    Raises
    ------
    InputError
        When the two specs draw from the same images.
    """
    ours, theirs = (_parts(spec) for spec in (training, evaluation))
    if ours == theirs:
        raise InputError(
            f"evaluation data {evaluation!r} would be the images trained on ({training!r}); name another"
            " part (part=test), split or seed"
        )


def _with_untrained(recipe: TrainingRecipe) -> TrainingRecipe:
    return with_all_options(recipe.model_copy(update={"keep_every": recipe.keep_every or recipe.epochs}))


def _parts(spec: str) -> tuple[str, ...]:
    """Give what decides which items a data spec draws from."""
    parsed = parse_spec(spec, [spec.partition("?")[0].partition(":")[0]])
    chosen = (parsed.options.get(option, usual) for option, usual in _CHOOSING.items())
    return parsed.source, parsed.name, *chosen


def _train(job: tuple[TrainingRecipe, Path], runtime: Runtime, advance: Advance | None) -> None:
    train(*job, runtime, advance)
