"""Which encoders a plane is of: the kept checkpoints of a run, or specs in an order of one's own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from mitools.core.errors import InputError
from mitools.encoders.sources.run import find_checkpoint, read_run_recipe
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


def checkpoints_of_run(run: Path) -> list[Checkpoint]:
    """List the kept checkpoints of a run in order of epochs.

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
        Checkpoint(f"run:{run}@epoch={epoch}", epoch, _stage(records, epoch)) for epoch in folder.epochs()
    ]


def checkpoints_of_specs(encoders: Sequence[str]) -> list[Checkpoint]:
    """Take encoder specs in the order given; ``run:DIR@epoch=N`` keeps its epoch if all of them have one.

    Raises
    ------
    InputError
        When none is given.
    """
    if not encoders:
        raise InputError("no encoder is given; name a run, or add --encoder SPEC once for each checkpoint")
    named = [spec.partition("?")[0].partition("@epoch=")[2] for spec in encoders]
    epochs = [int(text) for text in named] if all(text.isdigit() for text in named) else range(len(encoders))
    return [Checkpoint(spec, epoch) for spec, epoch in zip(encoders, epochs, strict=True)]


def _stage(records: Sequence[dict[str, Any]], epoch: int) -> str | None:
    """Name the stage of the last step before a checkpoint; the untrained network belongs to the first."""
    staged = [record for record in records if "stage" in record]
    before = [record for record in staged if record.get("epoch", 0) < epoch] or staged[:1]
    return str(before[-1]["stage"]) if before else None
