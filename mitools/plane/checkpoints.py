"""Which encoders a plane is of: the kept checkpoints of a run, or specs in an order of one's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mitools.core.errors import InputError
from mitools.encoders.sources.run import find_checkpoint, read_run_recipe
from mitools.plane.settings import SOURCE
from mitools.training.loop.run_folder import RunFolder


class Checkpoint(NamedTuple):
    """One point of every trajectory.

    Attributes
    ----------
    encoder
        Its spec.
    epoch
        Epochs trained so far; the place in the order given where no run says.
    stage
        The part of training that the epoch belongs to, where the run's metrics name one.
    """

    encoder: str
    epoch: int
    stage: str | None = None


def checkpoints_of_run(run: Path, options: str = "") -> list[Checkpoint]:
    """List the kept checkpoints of a run in order of epochs.

    Parameters
    ----------
    run
        The folder.
    options
        What stands behind ``run:DIR`` in the specs of all of them, such as ``?trust=yes``.

    Raises
    ------
    InputError
        When the folder holds no run, or no checkpoint is kept there.
    """
    read_run_recipe(run)
    find_checkpoint(run)
    folder = RunFolder(run)
    records = folder.metrics()
    return [
        Checkpoint(f"run:{run}@epoch={epoch}{options}", epoch, _stage(records, epoch))
        for epoch in folder.epochs()
    ]


def checkpoints_of_specs(encoders: Sequence[str]) -> list[Checkpoint]:
    """Take encoder specs in the order given; ``run:DIR@epoch=N`` keeps its epoch if all of them have one.

    Raises
    ------
    InputError
        When none is given, or something is no spec.
    """
    if not isinstance(encoders, list | tuple) or not all(isinstance(spec, str) for spec in encoders):
        raise InputError(
            f"{_what(encoders)} has no checkpoints to follow; give a run (its folder, 'run:DIR', or what"
            " mitools.train returned) or a list of encoder specs such as 'run:DIR@epoch=9'"
        )
    if not encoders:
        raise InputError("no encoder is given; name a run, or add --encoder SPEC once for each checkpoint")
    named = [spec.partition("?")[0].partition("@epoch=")[2] for spec in encoders]
    epochs = [int(text) for text in named] if all(text.isdigit() for text in named) else range(len(encoders))
    return [Checkpoint(spec, epoch) for spec, epoch in zip(encoders, epochs, strict=True)]


def checkpoints_and_data(
    run: str | Path | Sequence[str], data: Any = None
) -> tuple[list[Checkpoint], dict[str, Any], str | None]:
    """Find what a plane is of, and what it is measured on.

    Parameters
    ----------
    run
        The folder of a run, its spec, or a list of encoder specs.
    data
        The data that the networks are made for, or several by name with these as ``source``; what the run was
        trained on when there is no ``source``.

    Returns
    -------
    tuple
        The checkpoints; the data by name, the source's first; and which of them the run was trained on.

    Raises
    ------
    InputError
        When there is no run, or nothing says what the encoders are for.
    """
    own = None
    if isinstance(run, str | Path):
        place, mark, options = str(run).removeprefix("run:").partition("?")
        folder = Path(place)
        checkpoints = checkpoints_of_run(folder, mark + options)
        own = read_run_recipe(folder).get("data")
    else:
        checkpoints = checkpoints_of_specs(run)
    named = dict(data) if isinstance(data, Mapping) else {} if data is None else {SOURCE: data}
    if SOURCE not in named:
        if not isinstance(own, str):
            raise InputError("nothing says what the encoders are for; give that data, by the name 'source'")
        named = {SOURCE: own, **named}
    trained_on = next((name for name, one in named.items() if isinstance(one, str) and one == own), None)
    return checkpoints, {SOURCE: named.pop(SOURCE), **named}, trained_on


def _stage(records: Sequence[dict[str, Any]], epoch: int) -> str | None:
    """Name the stage of the last step before a checkpoint; the untrained network belongs to the first."""
    staged = [record for record in records if "stage" in record]
    before = [record for record in staged if record.get("epoch", 0) < epoch] or staged[:1]
    return str(before[-1]["stage"]) if before else None


def _what(encoders: object) -> str:
    """Name what is no list of specs by its type, or by that of the first thing in it that is no spec."""
    if isinstance(encoders, list | tuple):
        return "a list with a " + next(type(one).__name__ for one in encoders if not isinstance(one, str))
    return f"a {type(encoders).__name__}"
