"""An encoder that ``mitools train`` made: ``run:DIR``, or ``run:DIR@epoch=10`` for one of its kept epochs."""

import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from mitools.core.errors import DataNote, InputError
from mitools.core.files import digest_text, read_json
from mitools.core.specs import Spec
from mitools.encoders.architectures.build import build_architecture
from mitools.encoders.checkpoints.load import digest_weights, load_weights
from mitools.encoders.encoder import Encoder
from mitools.encoders.inputs.modalities import Modalities
from mitools.encoders.inputs.preprocess import PREPROCESS_OPTIONS, Preprocess, preprocess_origin
from mitools.encoders.spec_options import require_trust
from mitools.encoders.view_encoders import DESCRIPTION, view_encoders
from mitools.views.flow.view import own_view_at

ENCODER, HEAD = "encoder.safetensors", "head.safetensors"
"""Weights in a checkpoint's folder."""

RECIPE = "recipe.yaml"
"""What was trained, in a run's folder."""

OWN_CODE = "python:"
"""What begins the name of the user's own code, wherever one is given."""


def kept_epochs(run: Path) -> list[int]:
    """Epochs whose weights are kept, in order; 0 is the untrained network.

    Other folders, and those without weights, are left alone.
    """
    return [epoch for epoch in _epoch_folders(run) if (epoch_folder(run, epoch) / ENCODER).is_file()]


def _epoch_folders(run: Path) -> list[int]:
    """Epochs that have a folder, in order, whatever lies in it."""
    found = [
        int(one[1])
        for folder in (run / "checkpoints").glob("epoch-*")
        if (one := re.fullmatch("epoch-([0-9]{4,9})", folder.name))
    ]
    # epoch-00001 is no folder of a run's: the first epoch lies in epoch-0001.
    return sorted(epoch for epoch in set(found) if epoch_folder(run, epoch).is_dir())


def epoch_folder(run: Path, epoch: int) -> Path:
    """Where the weights after an epoch lie, or would lie."""
    return run / "checkpoints" / f"epoch-{epoch:04d}"


def find_checkpoint(run: Path, epoch: int | None = None) -> Path:
    """Name the folder of an epoch's weights; of the last one when None.

    A later folder that holds no weights is passed over, and told (:class:`.DataNote`).

    Raises
    ------
    InputError
        When there is none; the kept epochs are named.
    """
    kept = kept_epochs(run)
    empty = [one for one in _epoch_folders(run) if one not in kept]
    if not kept:
        why = f"epoch-{empty[-1]:04d} holds no {ENCODER}" if empty else "is it the folder of a run?"
        raise InputError(f"{run}: no checkpoint is kept there; {why}")
    if epoch is not None and epoch not in kept:
        why = f" (its folder holds no {ENCODER})" if epoch in empty else ""
        raise InputError(f"{run}: epoch {epoch} is not kept{why}; kept are {', '.join(map(str, kept))}")
    if epoch is None and empty and empty[-1] > kept[-1]:
        warnings.warn(
            DataNote(
                f"{run}: epoch-{empty[-1]:04d} holds no {ENCODER} and is passed over; the last epoch with"
                f" weights is {kept[-1]}"
            ),
            stacklevel=2,
        )
    return epoch_folder(run, kept[-1] if epoch is None else epoch)


def run_spec(run: Path, epoch: int | None = None, **options: object) -> str:
    """Name a run whose recipe is the caller's own: the code that it names is trusted, as it was to train it.

    Parameters
    ----------
    run
        The folder.
    epoch
        One that is kept; the last one when None.
    **options
        Of the spec, such as ``view``; those that are None are left out.

    Examples
    --------
    >>> run_spec(Path("runs/cmc"), 0, view="lab:l", image_size=None)
    'run:runs/cmc@epoch=0?view=lab:l'
    """
    given = [f"{key}={value}" for key, value in options.items() if value is not None]
    if (run / RECIPE).is_file() and _code_of(run):
        given.append("trust=yes")
    return f"run:{run}{'' if epoch is None else f'@epoch={epoch}'}{'?' if given else ''}{'&'.join(given)}"


def require_trusted(spec: Spec, run: Path) -> None:
    """Go on only if opening the run executes none of the user's own code, or the spec has ``trust=yes``.

    A method of the user's own does not count: no run is opened by it.

    Raises
    ------
    InputError
        When the recipe, or the views of an encoder, names such code and the spec does not trust it; when the
        folder holds no run.
    """
    code = _code_of(run)
    if code:
        require_trust(spec, f"the run names code that opening it would run ({code})")


def _code_of(run: Path) -> str | None:
    """Name the user's own code that opening a run would execute, if there is any."""
    views = [read_json(path) for path in sorted((run / "checkpoints").glob(f"epoch-*/{DESCRIPTION}"))]
    named = (text for text in _texts([{**read_run_recipe(run), "method": ""}, views]) if OWN_CODE in text)
    return next(named, None)


def _texts(document: Any) -> Iterator[str]:
    """Give every text of a document, however deep it lies."""
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from _texts(inner)


def open_run(spec: Spec) -> Encoder:
    """Open ``run:DIR`` or ``run:DIR@epoch=N``: the last epoch, or the one named.

    Nothing of a run is executed: where its recipe or its views name code (``python:module:name``), the spec
    has to say ``trust=yes``.

    Of a run with an encoder a view, all of them side by side, or with ``?view=NAME`` (``?view=NAME,NAME``)
    those of some views; a view whose name holds options is named by its place, ``?view=0``.

    Raises
    ------
    InputError
        When the folder holds no run, the epoch is not kept, there is no such view, its weights do not fill
        the network, or it names code and the spec does not trust it.
    """
    run, epoch = run_and_epoch(spec)
    require_trusted(spec, run)
    recipe = read_run_recipe(run)
    checkpoint = find_checkpoint(run, epoch)
    if (checkpoint / DESCRIPTION).is_file():
        return _open_views(spec, run, recipe, checkpoint)
    if "view" in spec.options:
        raise InputError(f"spec {spec.text!r}: the run has one encoder for all views; leave view= out")
    spec.only("trust", *PREPROCESS_OPTIONS)
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


def _open_views(spec: Spec, run: Path, recipe: dict[str, Any], checkpoint: Path) -> Encoder:
    """Open a run with an encoder a view; each normalises its own view, so that pixels stay as they are."""
    spec.only("view", "trust", *(option for option in PREPROCESS_OPTIONS if option not in ("mean", "std")))
    description = read_json(checkpoint / DESCRIPTION)
    # Views that the run has learnt itself lie beside the encoders, wherever the folder is.
    network = view_encoders([one | {"view": own_view_at(one["view"], checkpoint)} for one in description])
    report = load_weights(network, checkpoint / ENCODER)
    name = f"{run.resolve().name}@{int(checkpoint.name.removeprefix('epoch-'))}"
    if "view" in spec.options:
        try:
            network = network.of(spec.options["view"].split(","))
        except InputError as error:
            raise InputError(f"spec {spec.text!r}: {error}") from None
        name += "".join(f"-{part.view.name}" for part in network.parts)
    images = Preprocess(recipe.get("image_size"), mean=(0.0,) * 3, std=(1.0,) * 3).overridden(spec)
    modalities = network.modalities
    return Encoder(
        spec.text,
        name,
        spec.source,
        digest_text(network.identity, digest_weights(network)),
        # The layers of the only encoder are known by their own names.
        network if len(network.parts) > 1 else network.parts[0],
        images if modalities == ("image",) else Modalities(modalities, images),
        report,
        preprocess_from=preprocess_origin("the run's recipe; each encoder normalises its own view", spec),
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
    path = run / RECIPE
    if not path.is_file():
        raise InputError(f"{run}: no run lies there (no recipe.yaml)")
    try:
        recipe = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, ValueError, RecursionError):
        recipe = None
    if not isinstance(recipe, dict) or not isinstance(recipe.get("encoder"), str):
        raise InputError(f"{path}: damaged; it must name the run's encoder")
    return recipe
