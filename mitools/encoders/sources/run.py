"""An encoder that ``mitools train`` made: ``run:DIR``, or ``run:DIR@epoch=10`` for one of its kept epochs."""

from pathlib import Path
from typing import Any

import yaml

from mitools.core.errors import InputError
from mitools.core.files import digest_text
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.checkpoints.load import load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.preprocess import PREPROCESS_OPTIONS, Preprocess, preprocess_origin

ENCODER, HEAD = "encoder.safetensors", "head.safetensors"
"""Weights in a checkpoint's folder."""


def kept_epochs(run: Path) -> list[int]:
    """Epochs whose weights are kept, in order; 0 is the untrained network."""
    return sorted(int(folder.name.removeprefix("epoch-")) for folder in (run / "checkpoints").glob("epoch-*"))


def epoch_folder(run: Path, epoch: int) -> Path:
    """Where the weights after an epoch lie, or would lie."""
    return run / "checkpoints" / f"epoch-{epoch:04d}"


def find_checkpoint(run: Path, epoch: int | None = None) -> Path:
    """Name the folder of an epoch's weights; of the last one when None.

    Raises
    ------
    InputError
        When there is none; the kept epochs are named.
    """
    kept = kept_epochs(run)
    if not kept:
        raise InputError(f"{run}: no checkpoint is kept there; is it the folder of a run?")
    if epoch is not None and epoch not in kept:
        raise InputError(f"{run}: epoch {epoch} is not kept; kept are {', '.join(map(str, kept))}")
    return epoch_folder(run, kept[-1] if epoch is None else epoch)


def open_run(spec: Spec) -> Encoder:
    """Open ``run:DIR`` or ``run:DIR@epoch=N``: the last epoch, or the one named.

    Raises
    ------
    InputError
        When the folder holds no run, the epoch is not kept, or its weights do not fill the network.
    """
    spec.only(*PREPROCESS_OPTIONS)
    run, epoch = run_and_epoch(spec)
    recipe = read_run_recipe(run)
    checkpoint = find_checkpoint(run, epoch)
    architecture = build_architecture(recipe["encoder"])
    report = load_weights(architecture.module, checkpoint / ENCODER)
    preprocess = Preprocess(size=recipe.get("image_size"))
    return Encoder(
        spec.text,
        f"{run.resolve().name}@{int(checkpoint.name.removeprefix('epoch-'))}",
        spec.source,
        digest_text(architecture.identity, report.weights_digest),
        architecture.module,
        preprocess.overridden(spec),
        report,
        preprocess_from=preprocess_origin("the run's recipe", spec),
    )


def run_and_epoch(spec: Spec) -> tuple[Path, int | None]:
    """Read the folder and the epoch that a spec names; None for the last epoch.

    Raises
    ------
    InputError
        When it names no folder, or the epoch is no number.
    """
    folder, at, epoch = spec.need_name("run:runs/simclr@epoch=10").partition("@epoch=")
    if at and not (epoch.isascii() and epoch.isdigit()):
        raise InputError(f"spec {spec.text!r}: epoch={epoch} must be a whole number")
    return Path(folder), int(epoch) if at else None


def read_run_recipe(run: Path) -> dict[str, Any]:
    """Read the recipe of a run as it was written.

    Raises
    ------
    InputError
        When the folder holds no recipe of a run.
    """
    path = run / "recipe.yaml"
    if not path.is_file():
        raise InputError(f"{run}: no run lies there (no recipe.yaml)")
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError):
        recipe = None
    if not isinstance(recipe, dict) or not isinstance(recipe.get("encoder"), str):
        raise InputError(f"{path}: damaged; it must name the run's encoder")
    return recipe
