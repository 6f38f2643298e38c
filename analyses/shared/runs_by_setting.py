"""A run every setting and seed, and what its encoder keeps beside the same encoder untrained."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mitools.analyses.shared.evaluation import Evaluation
from mitools.analyses.shared.training_runs import train_all
from mitools.backends.runtime import Runtime
from mitools.core.progress import Advance
from mitools.encoders.sources.run import run_spec
from mitools.training.loop.run_folder import RunFolder
from mitools.training.recipes import TrainingRecipe

SettingAndSeed = tuple[str, int]


def train_every_seed(
    recipes: Mapping[str, TrainingRecipe],
    seeds: tuple[int, ...],
    out: Path,
    runtime: Runtime,
    advance: Advance | None = None,
) -> dict[SettingAndSeed, RunFolder]:
    """Train every setting with every seed, in ``OUT/runs/SETTING-seed-SEED``.

    Parameters
    ----------
    recipes
        By setting; their own seed is not used.
    seeds, out, runtime, advance
        As for :func:`mitools.analyses.shared.training_runs.train_all`, which this calls.

    Returns
    -------
    dict
        The runs' folders, in the order of `recipes` and then of `seeds`.
    """
    names = {(setting, seed): f"{setting}-seed-{seed}" for setting in recipes for seed in seeds}
    wanted = {
        name: recipes[setting].model_copy(update={"seed": seed}) for (setting, seed), name in names.items()
    }
    runs = train_all(wanted, out, runtime, advance)
    return {place: runs[name] for place, name in names.items()}


def certified(folder: RunFolder, evaluation: Evaluation, image_size: int | None = None) -> dict[str, Any]:
    """Read a run's encoder by a linear classifier, and the same encoder before it was trained.

    Parameters
    ----------
    folder
        Of the run, which keeps epoch 0.
    evaluation
        On what encoders are read; what was read is kept.
    image_size
        What images are brought to for the encoder; None for the size in training.

    Returns
    -------
    dict
        The columns of a certificate, and ``untrained_acc`` with ``_low`` and ``_high``.
    """
    untrained = evaluation.certify(run_spec(folder.path, 0, image_size=image_size)).columns
    trained = evaluation.certify(run_spec(folder.path, image_size=image_size)).columns
    return trained | {f"untrained_acc{end}": untrained[f"linear_acc{end}"] for end in ("", "_low", "_high")}


def in_training(folder: RunFolder) -> dict[str, float]:
    """Read what the method's own estimate was over the last epoch: on the batches trained on, so in-sample.

    Returns
    -------
    dict
        ``in_training_bits``, and ``in_training_ceiling``, the most that it can be.
    """
    records = folder.metrics()
    last = [record for record in records if record["epoch"] == records[-1]["epoch"]]
    return {
        "in_training_bits": float(np.mean([record["in_training_bits"] for record in last])),
        "in_training_ceiling": float(last[-1]["ceiling_bits"]),
    }
